"""Names with markup, on every page: nothing of them is run, fetched or made an element."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gmaug_core.data import dataset
from gmaug_core.intake.door import import_path
from gmaug_core.ui import ROOT
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import Grouping

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVIL = "<img src=x onerror=alert(1)>"
CLASSES = (EVIL.replace("/", ""), "![x](http:evil.example)", "$x$ :red[y] [a](javascript:alert(1))")
TITLES = (
    "Super-classes",
    "Similarity",
    "Verdict",
    "Equivalence",
    "Augmentation",
    "Samples",
    "Gains",
    "Datasets",
)


@pytest.fixture
def evil(app_server, tmp_path, monkeypatch) -> str:
    """A dataset whose names, classes, super-classes and run are full of markup; what its address says."""
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    given: Path = tmp_path / "given"
    for k, name in enumerate(CLASSES):
        (given / name).mkdir(parents=True)
        for i in range(36 - 10 * k):
            pixels = np.random.default_rng(100 * k + i).integers(0, 256, (16, 16), np.uint8)
            Image.fromarray(pixels).save(given / name / f"{i}.png")
    data = dataset.load(import_path(given, name=EVIL + " http://evil.example/x").dataset_id)
    groups = {EVIL: list(data.class_names[:2]), "b": list(data.class_names[2:])}
    groupings.save(data.id, Grouping(EVIL, groups), revision=0)
    run = run_fixture.make_run(data.id)
    for grid in run.checkpoints.glob("generator/grid-*"):  # a stand-in that is no picture
        grid.unlink()
    return f"dataset={data.id}&run={run.id}"


@pytest.mark.timeout(300)
def test_names_with_markup_are_text_on_every_page(page, app_server, evil):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{app_server.url}/?{evil}")
    for title in TITLES:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        assert page.locator("img[onerror], img[src='x'], a[href^='javascript']").count() == 0, title
        assert page.locator("a[href*='evil.example']").count() == 0, title
        assert evil.partition("&")[0] in page.url, title
    assert dialogs == []
