"""Images, folders and archives for the import tests, good and hostile, made in code."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, size: tuple[int, int] = (12, 12), channels: int = 3) -> np.ndarray:
    """Random uint8 [height, width, channels], or [height, width] for one channel."""
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def encode(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def png(seed: int, **options) -> bytes:
    """A small random PNG; another seed is another image."""
    return encode(pixels(seed, **options))


def files(*paths: str) -> dict[str, bytes]:
    """A distinct small image at each path."""
    return {path: png(i) for i, path in enumerate(paths)}


def make_folder(root: Path, contents: Mapping[str, bytes]) -> Path:
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def make_zip(
    path: Path, contents: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, level: int | None = None
) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(raw_entry(name, method), data, compresslevel=level)
    return path


def raw_entry(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """An entry with exactly this name, whatever zipfile thinks of it."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.compress_type = method
    info.external_attr = 0o100644 << 16
    return info


def bomb(path: Path, entries: int, *, overlapping: bool, size: int = 2**20) -> Path:
    """A zip of `entries` images of `size` zeros, compressed once: each with bytes of its own, or all with
    the same ones, a few KiB that inflate to `entries` x `size` bytes.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(bytes(size)) + packer.flush()
    crc = zlib.crc32(bytes(size))
    names = [b"a/%d.png" % i for i in range(entries)]
    known = (crc, len(kernel), size)
    local, central = b"", b""
    for i, name in enumerate(names):
        at = 0 if overlapping else len(local)
        central += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, *known, len(name), 0, 0, 0, 0, 0, at
        )
        central += name
        if i == 0 or not overlapping:
            local += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, *known, len(name), 0)
            local += name + kernel
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, entries, entries, len(central), len(local), 0)
    path.write_bytes(local + central + end)
    return path
