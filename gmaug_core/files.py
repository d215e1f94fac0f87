"""Files that are there whole or not at all: write beside, fsync, rename, fsync the folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from gmaug_core import seals

TEMPORARY = ".tmp"


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file, then rename it to `path`.

    A kill at any moment leaves old or new, never half.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data`, atomically."""
    atomic_write(path, lambda file: file.write(data))


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, atomically; an object gets its checksum as its last key. NaN and infinity are
    refused (they are not JSON).
    """
    write_bytes(path, encoded(value))


def encoded(value: Any, indent: int | None = 1) -> bytes:
    """The bytes that `write_json` writes."""
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if key != seals.KEY}
        value[seals.KEY] = seals.PLACE.decode()
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False).encode()
    return seals.sealed(text) if isinstance(value, dict) else text


def read_json(path: Path) -> Any:
    """The JSON document in `path`, without its checksum; one of before checksums as it is.

    Raises FileNotFoundError, or Damaged where it is no JSON, or not what was written.
    """
    return decoded(path.read_bytes(), path.name)


def decoded(data: bytes, name: str) -> Any:
    """What `encoded` was given. name: of the file, for the error. Raises Damaged."""
    try:
        value = json.loads(data.decode("utf-8"))
    except ValueError as error:
        raise seals.broken(name, f"it is no JSON ({error})") from error
    whole = seals.intact(data)
    if isinstance(value, dict) and (whole is not None or seals.KEY in value):
        if not whole:
            raise seals.broken(
                name, "its bytes are not those that were written (after an edit by hand, take 'checksum' out)"
            )
        del value[seals.KEY]
    return value


def sweep_temporary(folder: Path) -> None:
    """Delete what a killed writer left behind."""
    for orphan in folder.rglob(f".*{TEMPORARY}"):
        orphan.unlink(missing_ok=True)
