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

# What the kernels of SSIM give, bit by bit, and whether torch was needed.
NUMBERS = """
import hashlib
import sys
import numpy as np
from gmaug_core.scoring.ssim import ssim_pairs
random = np.random.default_rng(0)
images = np.kron(random.integers(0, 256, (20, 16, 16), dtype=np.uint8), np.ones((1, 4, 4), np.uint8))
pairs = np.stack([random.permutation(20), random.permutation(20)], axis=1)
numbers = hashlib.sha256(ssim_pairs(images, pairs).tobytes()).hexdigest()
from gmaug_core.config import Profile
from gmaug_core.scoring import similarity
similarity.measure(images, [0] * 20, ["a"], {"A": ["a"]}, profile=Profile.parse("paper-64"))
found = {"numbers": numbers, "torch": "torch" in sys.modules}
"""
# Two verbs, and then every page as Streamlit would run it: [page, what went wrong, titles]; in one process.
REST = """
import contextlib
import io
import json
import gmaug_core
from gmaug_core.cli.main import main
from gmaug_core.ui import FRAME, ROOT
from streamlit.testing.v1 import AppTest
def said(*words):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([*words, "--json"]) == 0
    return json.loads(out.getvalue())
found["where"] = gmaug_core.__file__
found["demo"] = said("demo")["id"]
found["score"] = said("similarity", found["demo"])["ssim_supsubcls"]["value"]
app = AppTest.from_file(str(FRAME), default_timeout=120).run()
found["pages"] = []
for page in sorted((ROOT / "pages").glob("*.py")):
    app.switch_page(str(page)).run()
    wrong = [error.value for error in (*app.exception, *app.error)]
    found["pages"].append([page.stem, wrong, len(app.title)])
"""
TELL = "import json; print(json.dumps(found))"


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
    anew = json.loads(elsewhere("python", "-c", NUMBERS + REST + TELL).splitlines()[-1])  # compiles there
    assert "site-packages" in anew["where"]
    here = subprocess.run(
        [sys.executable, "-c", NUMBERS + TELL],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(here.stdout) == {"numbers": anew["numbers"], "torch": False}
    assert anew["torch"] is False
    assert (elsewhere.folder / "workspace" / "datasets" / anew["demo"] / "manifest.json").is_file()
    assert 0 < anew["score"] < 1
    assert [name for name, _, _ in anew["pages"]] == PAGES
    assert [(name, wrong) for name, wrong, _ in anew["pages"] if wrong] == []
    assert all(titles == 1 for _, _, titles in anew["pages"]), anew["pages"]


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
