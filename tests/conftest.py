"""Shared fixtures: an empty workspace a test, what can be in it (the demo, the bars, a finished run), and the
folder of real sample datasets where it exists.

What a fixture needs it imports itself: the process that hands the tests out would wait seconds for nothing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from templates import lend, session_folder, template

from gmaug_core.locks import locked

if TYPE_CHECKING:
    from forked import Forks

    from gmaug_core.data.dataset import Dataset
    from gmaug_core.method.result import AugmentationResult
    from gmaug_core.runs import RunPaths

ROOT = Path(__file__).resolve().parent.parent
# What one process has compiled the others read, whatever the environment says: else each process that runs
# tests, and each that a test starts, would compile every module anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" in os.environ:  # every core has a worker: further threads would only wait and spin
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Several processes would each compile the kernels of a fresh checkout, 13 s of a core each: one does,
    while they come up."""
    if getattr(session.config.option, "numprocesses", None):  # in none of these processes itself
        compiles = "from gmaug_core.scoring.ssim import ssim_pairs; import numpy as np; " + "; ".join(
            f"ssim_pairs(np.zeros((2, 16, 16), np.uint8), np.array([[0, 1]]), window='{window}')"
            for window in ("gaussian11", "uniform7")
        )
        subprocess.Popen([sys.executable, "-c", compiles], cwd=ROOT)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """One more than there are cores where a browser is driven: who drives one waits most of the time. Two
    more were slower: each has its own imports, server and browser."""
    cores = yield
    return cores + ("not browser" not in config.option.markexpr)


@pytest.fixture(scope="session", autouse=True)
def no_power_is_lost() -> Iterator[None]:
    """Nothing waits for the disk in this process: that saves what was written from a loss of power alone, a
    killed process leaves the same files without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr(os, "sync", lambda: None)
        yield


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty workspace that this test alone uses."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("GMAUG_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory) -> Iterator[Path]:
    from gmaug_core.data import dataset
    from gmaug_core.data.demo import make_demo

    def fill(home: Path) -> None:
        dataset.load(make_demo()).images("16-grey")

    folder = template(tmp_path_factory, "demo", fill)
    yield folder
    for path in folder.glob("datasets/*/originals/*/*"):
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found == path.name, "a test wrote into an original that it shares with others"


@pytest.fixture(scope="session")
def run_template(tmp_path_factory, demo_template) -> Path:
    import run_fixture

    from gmaug_core.data.demo import make_demo

    def fill(home: Path) -> None:
        lend(demo_template, home)
        run_fixture.make_run(make_demo(), token="finished")

    return template(tmp_path_factory, "run", fill)


@pytest.fixture(scope="session")
def bars_template(tmp_path_factory) -> Path:
    import tiny

    return template(tmp_path_factory, "bars", lambda home: tiny.make_dataset(home / "given"))


@pytest.fixture
def demo(home, demo_template) -> str:
    """The id of the demo dataset, the only one in this test's workspace; its 16 px images are decoded."""
    from gmaug_core.data.demo import make_demo

    lend(demo_template, home)
    return make_demo()


@pytest.fixture
def finished_run(home, run_template) -> RunPaths:
    """A finished augmentation run of the demo dataset, the only one in this test's workspace."""
    from gmaug_core import runs

    lend(run_template, home)
    return runs.find("augmentation-finished")


@pytest.fixture
def bars(home, bars_template) -> Dataset:
    """The 16 px bars of tiny.make_dataset, the only dataset in this test's workspace."""
    from gmaug_core.data import dataset

    lend(bars_template, home)
    (summary,) = dataset.list_datasets()
    return dataset.load(summary.id)


@pytest.fixture(scope="session")
def finished_result(run_template) -> AugmentationResult:
    """What the finished run found: for tests that only read it."""
    from gmaug_core.method.result import AugmentationResult

    return AugmentationResult.read(run_template / "runs" / "augmentation-finished" / "result.json")


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Workers without the seconds of an import each."""
    from forked import Forks

    with Forks() as server:
        yield server


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
    folder = session_folder(tmp_path_factory) / "installed"
    with locked(folder.with_suffix(".lock"), wait=True):
        if not (folder / "whole").exists():
            _install(folder)
            (folder / "whole").touch()
    return folder / "venv" / "bin"


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *build, str(ROOT)], check=True)
    (wheel,) = folder.glob("gmaug-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For networks so small that a second thread only waits for the first."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
