"""Datasets and a finished run, made once for all tests of a session; a test gets a copy of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gmaug_core.locks import locked


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of this session share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def template(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """The workspace that `fill` fills: by the first process of this session that asks for it."""
    folder = session_folder(factory) / f"template-{name}"
    with locked(folder.with_suffix(".lock"), wait=True):
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("GMAUG_HOME", str(part))
                fill(part)
            part.rename(folder)
    return folder


def lend(made: Path, home: Path) -> None:
    """Copy a template into a workspace. Originals are linked: whoever damages one replaces its file."""
    shutil.copytree(made, home, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(source: str, target: str) -> None:
    (os.link if "originals" in Path(source).parts else shutil.copy2)(source, target)
