"""Names with markup, on every page: nothing of them is run, fetched or made an element."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVIL = "<img src=x onerror=alert(1)>"
PAGES = (
    "datasets",
    "super_classes",
    "similarity",
    "verdict",
    "equivalence",
    "augmentation",
    "samples",
    "gains",
)
FILL = """
import sys, pathlib, numpy as np
from PIL import Image
import run_fixture
from gmaug_core.data import dataset
from gmaug_core.intake.door import import_path
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import Grouping
evil, folder = sys.argv[1], pathlib.Path(sys.argv[2])
names = [evil.replace("/", ""), "![x](http:evil.example)", "$x$ :red[y] [a](javascript:alert(1))"]
for k, name in enumerate(names):
    (folder / name).mkdir(parents=True)
    for i in range(36 - 10 * k):
        pixels = np.random.default_rng(100 * k + i).integers(0, 256, (16, 16), np.uint8)
        Image.fromarray(pixels).save(folder / name / f"{i}.png")
made = import_path(folder, name=evil + " http://evil.example/x")
data = dataset.load(made.dataset_id)
groups = {evil: list(data.class_names[:2]), "b": list(data.class_names[2:])}
groupings.save(data.id, Grouping(evil, groups), revision=0)
run = run_fixture.make_run(data.id)
for grid in run.checkpoints.glob("generator/grid-*"):  # a stand-in that is no picture
    grid.unlink()
print(data.id, run.id)
"""


@pytest.mark.timeout(300)
def test_names_with_markup_are_text_on_every_page(page, app_server, tmp_path):
    environment = os.environ | {"GMAUG_HOME": str(app_server.home), "PYTHONPATH": "tests:."}
    done = subprocess.run(
        [sys.executable, "-c", FILL, EVIL, str(tmp_path / "given")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    dataset_id, run_id = done.stdout.split()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for name in PAGES:
        path = "" if name == "datasets" else name  # the default page has no name of its own
        page.goto(f"{app_server.url}/{path}?dataset={dataset_id}&run={run_id}")
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0)
        assert page.locator("img[onerror], img[src='x'], a[href^='javascript']").count() == 0, name
        assert page.locator("a[href*='evil.example']").count() == 0, name
    assert dialogs == []
