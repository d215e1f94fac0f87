"""Where imported files come from: a zip or tar archive or a folder, scanned for hostile or useless entries
before any is read.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from gmaug_core.data.folders import KNOWN
from gmaug_core.errors import InputError
from gmaug_core.intake import tars, zips
from gmaug_core.intake.directory import FolderSource
from gmaug_core.intake.listing import MAX_FILE, Listing


class Source(Protocol):
    """listing: what is there; size(handle): bytes of a file; read(handle) -> bytes, raises Unreadable, where
    there are more than `limit`, too; safe from several threads."""

    listing: Listing

    def size(self, handle: Any) -> int: ...

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes: ...


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """A zip or tar file or a folder, scanned.

    Raises InputError when it is neither, or when the archive as a whole is hostile.
    """
    if path.is_dir():
        yield FolderSource(path)
    elif path.is_file() and tars.is_tar(path):
        with tars.unpacked(path) as file:
            yield tars.TarSource(file, path)
    elif path.is_file():
        archive = zips.open_zip(path)
        try:
            yield zips.ZipSource(archive, path)
        finally:
            archive.close()
    else:
        raise InputError(f"'{path.name}' is not there", expected=KNOWN, todo="check the path")


def require_space(folder: Path, needed: int) -> None:
    """Raises InputError when the disk that holds `folder` has less than `needed` bytes and a tenth to
    spare.
    """
    free = shutil.disk_usage(folder).free
    if needed * 1.1 > free:
        raise InputError(
            f"the disk has {free / 1e9:.1f} GB free and the images need {needed / 1e9:.1f} GB",
            expected="enough space for a copy of the images",
            todo="free some space, or set GMAUG_HOME to a folder on a larger disk",
        )
