"""Checksums of drawn images, one an image, so that one can be shown without reading the others.

step-K.sums.npy: uint64 [m], the first 8 bytes of the sha256 of each image's pixels, sealed.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core import seals
from gmaug_core.files import write_bytes

SUFFIX = ".sums.npy"
Sums = NDArray[np.uint64]
ODD = (ValueError, TypeError, SyntaxError, EOFError, OverflowError)  # of numpy, over a damaged header


def of(images: NDArray[np.uint8]) -> Sums:
    """Of uint8 [m, ...]: uint64 [m]."""
    digests = b"".join(hashlib.sha256(np.ascontiguousarray(each).data).digest()[:8] for each in images)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def write(path: Path, array: NDArray[Any]) -> None:
    """Store an array, these or another, sealed and atomically."""
    file = io.BytesIO()
    np.save(file, array)
    write_bytes(path, seals.sealed(file.getvalue()))


def read(path: Path) -> NDArray[Any] | None:
    """What `write` stored; None where there is no such file. Raises Damaged."""
    try:
        data = seals.read(path)
    except FileNotFoundError:
        return None
    try:
        found: NDArray[Any] = np.load(io.BytesIO(data))
    except ODD as error:
        raise seals.broken(path.name, "it holds no array") from error
    return found


def mapped(path: Path, sums: Sums | None) -> NDArray[np.uint8]:
    """The images in a .npy file, memory-mapped and not looked at. Raises Damaged where the file does not hold
    as many as it has checksums."""
    try:
        images: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    except ODD as error:
        raise seals.broken(path.name, "it holds no images") from error
    expected = len(images) if sums is None else len(sums)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or len(images) != expected:
        raise seals.broken(path.name, "it does not hold the images that were drawn")
    return images


def checked(images: NDArray[np.uint8], sums: Sums | None, name: str, first: int = 0) -> NDArray[np.uint8]:
    """The same images. name: of their file; first: the number of the first one there. Raises Damaged that
    names those that are not what was drawn."""
    wrong = np.flatnonzero(of(images) != sums) if sums is not None else ()
    if len(wrong):
        listed = ", ".join(str(first + number) for number in wrong[:5]) + ", ..." * (len(wrong) > 5)
        raise seals.broken(name, f"{len(wrong)} of its images are not those that were drawn ({listed})")
    return images


def whole(path: Path) -> NDArray[np.uint8]:
    """All images in a step's .npy file, memory-mapped, each checked. Raises Damaged."""
    sums = read(path.with_suffix(SUFFIX))
    return checked(mapped(path, sums), sums, path.name)


def one(path: Path, number: int) -> NDArray[np.uint8]:
    """One image, checked. Raises Damaged, IndexError."""
    sums = read(path.with_suffix(SUFFIX))
    image = mapped(path, sums)[number : number + 1]
    own = None if sums is None else sums[number : number + 1]
    return np.array(checked(image, own, path.name, number)[0])


def length(path: Path) -> int:
    """How many images the file holds, by its checksums where it has any. Raises Damaged."""
    sums = read(path.with_suffix(SUFFIX))
    return len(mapped(path, None) if sums is None else sums)
