"""Shared fixtures: an empty workspace a test, and the folder of real sample datasets where it exists."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For networks so small that a second thread only waits for the first."""
    import torch  # here: the tests of pages and files do without

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
