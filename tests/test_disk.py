"""Writes that fail: one sentence that names the disk, nothing half-written believed, no success said."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gmaug_core import disk
from gmaug_core.children import environment
from gmaug_core.cli.main import main
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from gmaug_core.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def small_files():
    """No file of this process may grow beyond 20,000 bytes: what a full disk does, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_failed_write_is_said_in_words(home, number):
    problem = disk.explained(OSError(number, "x", "/some/where/status.json"))
    assert problem
    assert problem.todo
    assert "/some/where" not in str(problem)
    assert disk.explained(OSError(errno.ENOENT, "x")) is None


def test_a_map_is_on_the_disk_before_it_is_written(home, demo, small_files):
    with pytest.raises(GMAugError, match=r"is full: .* are free and .* MB are needed"):
        dataset.load(demo).images("128-rgb")
    assert not list((dataset.load(demo).folder / "cache").glob("*128-rgb.npy.part"))


def test_a_reserved_map_is_an_array(home, demo):
    images = dataset.load(demo).images("8-grey")
    assert images.shape == (len(dataset.load(demo)), 8, 8)
    assert int(np.asarray(images).max()) > 0


def test_an_import_on_a_full_disk_fails_as_a_whole(home, tmp_path):
    noise = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for k, side in enumerate((8, 200)):  # the second one does not fit
            pixels = noise.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{k}.png")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "import", str(tmp_path / "pictures")],
        env=environment({"GMAUG_HOME": str(home)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert dataset.list_datasets() == []
    assert not [path for path in (home / "datasets").iterdir() if path.is_dir()]


def test_the_command_line_has_no_traceback_on_a_read_only_disk(home, monkeypatch, capsys):
    def refuse(*_: object) -> Path:
        raise OSError(errno.EROFS, "Read-only file system", "/mnt/x/datasets")

    monkeypatch.setattr(dataset.store, "datasets_folder", refuse)
    assert main(["datasets"]) == 1
    assert "read-only" in capsys.readouterr().err
