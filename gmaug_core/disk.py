"""The disk that holds the workspace: room taken before it is needed, and what a write that failed says."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from gmaug_core.errors import GMAugError
from gmaug_core.home import home

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes, all of them on the disk already: writing into a memory map can then not
    meet a full one, which would end the process without a word. Raises GMAugError that says what is needed.
    """
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            else:  # macOS
                block = bytes(1 << 20)
                for start in range(0, size, len(block)):
                    file.write(block[: size - start])
    except OSError as error:
        path.unlink(missing_ok=True)
        raise explained(error, needed=size) or error from error


def explained(error: BaseException, *, needed: int = 0) -> GMAugError | None:
    """What a failed write means for a person, with the disk and its room; None for another error.

    needed: bytes that were to be written, where known.
    """
    if not isinstance(error, OSError):
        return None
    if error.errno in FULL:
        free = _megabytes(shutil.disk_usage(_existing(home())).free)
        asked = f" and {_megabytes(needed)} are needed" if needed else ""
        return GMAugError(
            f"the disk that holds the workspace ({mount(home())}) is full: {free} are free{asked}",
            todo="free some space, then do it again or resume the run: nothing finished was lost",
        )
    if error.errno in FORBIDDEN:
        name = Path(os.fsdecode(error.filename)).name if error.filename else "a file"
        return GMAugError(
            f"'{name}' cannot be written or read ({os.strerror(error.errno or 0).lower()})",
            expected="a workspace that you may read and write",
            todo="look at the rights of the folder, and whether its disk is mounted read-only; or set "
            "GMAUG_HOME to another folder",
        )
    return None


def mount(path: Path) -> str:
    """Where the disk that holds `path` is mounted."""
    place = _existing(path)
    while not os.path.ismount(place):
        place = place.parent
    return str(place)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
