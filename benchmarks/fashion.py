"""fashion-mnist as the Debian package dataset-fashion-mnist installs it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path("/usr/share/datasets/fashion-mnist")
STEMS = {"train": "train", "test": "t10k"}


def parts() -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]] | None:
    """train and test: uint8 [n, 28, 28] and labels [n]; None where it is not installed."""
    if not FOLDER.exists():
        return None
    return {
        part: (_idx(f"{stem}-images-idx3-ubyte.gz"), _idx(f"{stem}-labels-idx1-ubyte.gz"))
        for part, stem in STEMS.items()
    }


def _idx(name: str) -> NDArray[np.uint8]:
    raw = gzip.decompress((FOLDER / name).read_bytes())
    sizes = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)
