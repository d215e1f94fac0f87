"""A file that notices when its bytes are not those that were written: its own sha256 stands in it.

The 64 digits follow MARK, and are of the whole file with zeros in their place. Where a format has room for a
remark (JSON, safetensors, parquet), the writer puts PLACE there; else it follows the content on a line of its
own, where numpy does not look. A file of before seals has no mark, and is read as it is.
"""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

from gmaug_core.errors import Damaged

MARK = b"gmaug-sha256:"
DIGITS = 64
PLACE = MARK + b"0" * DIGITS
KEY = "checksum"  # of the remark, in JSON, safetensors and parquet


def sealed(data: bytes) -> bytes:
    """The same with its sha256: in the last PLACE, or behind it where it has none."""
    at = data.rfind(PLACE)
    if at < 0:
        data, at = data + b"\n" + PLACE + b"\n", len(data) + 1
    digits = at + len(MARK)
    return data[:digits] + hashlib.sha256(data).hexdigest().encode() + data[digits + DIGITS :]


def intact(data: bytes | mmap.mmap) -> bool | None:
    """Whether these are the bytes that were sealed; None where there is no seal."""
    at = data.rfind(MARK)
    if at < 0:
        return None
    digits = at + len(MARK)
    found = hashlib.sha256()
    with memoryview(data) as view:
        found.update(view[:digits])
        found.update(b"0" * len(view[digits : digits + DIGITS]))
        found.update(view[digits + DIGITS :])
    return found.hexdigest().encode() == data[digits : digits + DIGITS]


def content(data: bytes) -> bytes:
    """What was sealed with nothing but the seal behind it."""
    at = data.rfind(MARK)
    return data if at < 0 else data[: at - 1]


def check(path: Path) -> bool:
    """Whether the file has a seal. Raises Damaged where that is broken, FileNotFoundError."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            whole = intact(data)
    if whole is False:
        raise broken(path.name)
    return whole is True


def read(path: Path) -> bytes:
    """The bytes of a file. Raises Damaged where they are not those that were sealed, FileNotFoundError."""
    data = path.read_bytes()
    if intact(data) is False:
        raise broken(path.name)
    return data


def broken(name: str, why: str = "its bytes are not those that were written") -> Damaged:
    """The error that names a damaged file."""
    return Damaged(
        f"'{name}' is damaged: {why}",
        expected="the file as this program wrote it",
        todo="resume the run that it belongs to: what is damaged is made again; or restore the file",
    )
