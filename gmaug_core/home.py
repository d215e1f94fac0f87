"""Where everything lives: the data root, from the environment alone."""

from __future__ import annotations

import os
from pathlib import Path

from gmaug_core.errors import InputError


def home() -> Path:
    """The data root: $GMAUG_HOME, else ./workspace. Created with mode 0700 when it is not there."""
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
    return folder


def room(name: str) -> Path:
    """The folder `name` of the data root, created with mode 0700 when it is not there."""
    folder = home() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
