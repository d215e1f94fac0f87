"""GMAug as people install it: from its wheel, used from a folder that is not the repository."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from serving import serving

import gmaug_core

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))

# Runs every page inside the installed package, as Streamlit would, and prints [page, what went wrong].
OPEN_PAGES = """
import json
from streamlit.testing.v1 import AppTest
from gmaug_core.ui import FRAME, ROOT
app = AppTest.from_file(str(FRAME), default_timeout=120).run()
said = []
for page in sorted((ROOT / "pages").glob("*.py")):
    app.switch_page(str(page)).run()
    said.append([page.stem, [error.value for error in (*app.exception, *app.error)], len(app.title)])
print(json.dumps(said))
"""

# What the kernels of SSIM give, bit by bit, and whether torch was needed.
NUMBERS = """
import hashlib
import sys
import numpy as np
from gmaug_core.scoring.ssim import ssim_pairs
random = np.random.default_rng(0)
images = np.kron(random.integers(0, 256, (20, 16, 16), dtype=np.uint8), np.ones((1, 4, 4), np.uint8))
pairs = np.stack([random.permutation(20), random.permutation(20)], axis=1)
print(hashlib.sha256(ssim_pairs(images, pairs).tobytes()).hexdigest())
from gmaug_core.config import Profile
from gmaug_core.scoring import similarity
similarity.measure(images, [0] * 20, ["a"], {"A": ["a"]}, profile=Profile.parse("paper-64"))
print("torch" in sys.modules)
"""


@pytest.fixture(scope="module")
def elsewhere(installed, tmp_path_factory):
    """elsewhere(program, *words): run it in an empty folder; its stdout. The workspace is in that folder."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GMAUG_HOME", "PYTHONPATH")
    }

    def run(program: str, *words: str) -> str:
        done = subprocess.run(
            [installed / program, *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run.folder = folder
    return run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_console_script_and_the_kernels_work_from_any_folder(elsewhere):
    assert elsewhere("gmaug", "--version").strip() == gmaug_core.__version__
    where = elsewhere("python", "-c", "import gmaug_core; print(gmaug_core.__file__)")
    assert "site-packages" in where
    anew = elsewhere("python", "-c", NUMBERS)  # nothing is compiled there yet
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    here = subprocess.run(
        [sys.executable, "-c", NUMBERS], env=environment, capture_output=True, text=True, check=True
    )
    assert anew == here.stdout
    assert anew.splitlines()[1] == "False"
    demo = json.loads(elsewhere("gmaug", "demo", "--json"))["id"]
    assert (elsewhere.folder / "workspace" / "datasets" / demo / "manifest.json").is_file()
    score = json.loads(elsewhere("gmaug", "similarity", demo, "--json"))
    assert 0 < score["ssim_supsubcls"]["value"] < 1
    opened = json.loads(elsewhere("python", "-c", OPEN_PAGES).splitlines()[-1])
    assert [name for name, _, _ in opened] == PAGES
    assert [(name, wrong) for name, wrong, _ in opened if wrong] == []
    assert all(titles == 1 for _, _, titles in opened), opened


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_installed_dashboard_serves_every_page_and_picture_and_ends_when_asked(installed, tmp_path):
    command = [str(installed / "gmaug"), "app", "--no-open", "--json"]
    with serving(command, "--port", cwd=tmp_path, folder=tmp_path) as server:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with pytest.raises(urllib.error.HTTPError, match="401"):
            opener.open(server.url)
        opener.open(server.door).close()
        demo = next((server.home / "datasets").glob("digits-demo-*")).name
        addresses = [f"/{name}" for name in PAGES]
        addresses += ["/fonts/newsreader.woff2", f"/images/dataset/{demo}/0?size=96"]
        for address in addresses:
            with opener.open(server.url + address) as answer:
                assert answer.status == 200
                assert len(answer.read()) > 200, address
        with opener.open(server.url + "/_stcore/host-config") as answer:
            assert json.loads(answer.read())["allowedOrigins"] is not None
    log, port = server.log.read_text(), int(server.url.rsplit(":", 1)[1])
    assert server.door in log
    assert "Traceback" not in log
    # the request to end was no failure, and nobody listens there any more
    assert json.loads(log.splitlines()[-1]) == {"port": port, "home": str(server.home)}
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_windows_is_told_in_one_sentence():
    code = "import runpy, sys; sys.platform = 'win32'; runpy.run_module('gmaug_core', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "GMAug runs on Linux and macOS; on Windows, install and start it inside WSL 2.\n"
