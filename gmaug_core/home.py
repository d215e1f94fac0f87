"""Where everything lives: the data root, from the environment alone."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from gmaug_core.errors import InputError

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OURS = ("datasets", "runs", "workspace.db")  # by which a data root is known


def home() -> Path:
    """The data root: $GMAUG_HOME, else ./workspace. Created with mode 0700 when it is not there; one that
    was there before is closed to others too.
    """
    folder = Path(os.environ.get("GMAUG_HOME", "workspace")).resolve()
    if not folder.is_dir():
        try:
            folder.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise InputError(
                f"the data root '{folder.name}' is no folder and cannot be made ({error.strerror})",
                expected="a folder that can be written",
                todo="set GMAUG_HOME to another one",
            ) from error
    elif folder.stat().st_mode & OTHERS:
        _close(folder)
    return folder


def _close(folder: Path) -> None:
    """Take others' rights off, where the folder is a data root of ours: never off /tmp, or off somebody's
    project that GMAUG_HOME names by mistake."""
    mode = folder.stat().st_mode
    known = any((folder / name).exists() for name in OURS) or not any(folder.iterdir())
    if known and not mode & stat.S_ISVTX:
        with contextlib.suppress(OSError):  # another's, or on a read-only disk
            folder.chmod(stat.S_IMODE(mode) & ~OTHERS)


def room(name: str) -> Path:
    """The folder `name` of the data root, created with mode 0700 when it is not there."""
    folder = home() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
