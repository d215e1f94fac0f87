"""Whether decoded images on disk are those that were decoded: a checksum for each CHUNK of them, beside them.

cache/<size>-<colour>.npy, .sums.json: {"sha256": [one a chunk]}. One of before checksums is taken as it is.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmaug_core.errors import Damaged
from gmaug_core.files import read_json

CHUNK = 1024  # images between two progress marks
Stamp = tuple[int, int, int]

_seen: dict[Path, Stamp] = {}  # files that this process has found intact, as they were then


def sums_of(path: Path) -> Path:
    """Where the checksums of a cache stand."""
    return path.with_suffix(".sums.json")


def header(shape: Sequence[int]) -> bytes:
    """What numpy writes before the values of a uint8 array."""
    file = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


def digest(images: NDArray[np.uint8]) -> str:
    """Of a chunk."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


def begun(part: Path, mark: Path) -> list[str]:
    """Checksums of the chunks that an interrupted decoding finished."""
    try:
        found = read_json(mark)
    except (FileNotFoundError, Damaged):
        return []
    return list(found["sha256"]) if isinstance(found, dict) and part.exists() else []


def intact(path: Path, shape: Sequence[int]) -> bool:
    """Whether a cache holds what was decoded. Reads all of it, once a process."""
    about = path.stat()
    stamp = (about.st_ino, about.st_mtime_ns, about.st_size)
    if _seen.get(path) == stamp:
        return True
    if not _as_written(path, shape):
        return False
    _seen[path] = stamp
    return True


def _as_written(path: Path, shape: Sequence[int]) -> bool:
    start = header(shape)
    with path.open("rb") as file:
        if file.read(len(start)) != start or path.stat().st_size != len(start) + math.prod(shape):
            return False
    try:
        known = read_json(sums_of(path))["sha256"]
    except FileNotFoundError:
        return True
    except (Damaged, KeyError, TypeError):
        return False
    images = np.memmap(path, np.uint8, "r", len(start), tuple(shape))
    chunks = [images[first : first + CHUNK] for first in range(0, len(images), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(digest, chunks)) == list(known)
