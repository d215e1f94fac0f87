"""Shared fixtures: an empty workspace a test, and the folder of real sample datasets where it exists."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty workspace that this test alone uses."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("GMAUG_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder with flowers_128.zip, cifar10_lt.zip and grocery_64.zip, or skip."""
    folder = Path(os.environ.get("GMAUG_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "flowers_128.zip").exists():
        pytest.skip(
            "sample datasets are not here: set GMAUG_TEST_DATA to the folder that has flowers_128.zip"
        )
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory) -> Path:
    """The bin folder of an environment outside the checkout where GMAug's own wheel is installed.

    What GMAug needs is lent by the environment that runs the tests: nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("gmaug-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For networks so small that a second thread only waits for the first."""
    import torch  # here: the tests of pages and files do without

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
