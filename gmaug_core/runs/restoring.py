"""A whole workspace, back from the file that `backup` wrote: checked before any of it is in place."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from gmaug_core.errors import GMAugError, InputError, TooNew
from gmaug_core.files import sync_folder
from gmaug_core.home import home
from gmaug_core.hooks import Report, no_report
from gmaug_core.runs.backup import BLOCK, LIST, STAGING, BackedUp, Backup, staged
from gmaug_core.workspace import roles

ARRIVED = ".restored"  # what was unpacked and checked, while it moves to its place


class _List(Protocol):
    """The last entry of an archive."""

    @property
    def files(self) -> tuple[BackedUp, ...]: ...


Listed = TypeVar("Listed", bound=_List)


def restore(source: Path, *, report: Report = no_report) -> Backup:
    """Fill an empty data root from a backup. Every file is checked against the list before one is in place.

    Raises Forbidden, and InputError where the data root is not empty or the file is no whole backup; then the
    data root is as empty as before.
    """
    roles.require("restore workspace")
    root = home()
    arrived = root / ARRIVED
    if not arrived.is_dir():  # else an earlier one was checked and killed while it moved in
        _require_empty(root)
        with staged(root) as staging:
            extract(source, staging / "all", report, LIST, Backup.read)
            os.sync()  # once: a hundred thousand files, each on its own, would take an hour
            (staging / "all").rename(arrived)
    made = Backup.read(arrived / LIST)
    for place in sorted(arrived.iterdir(), key=lambda place: place.name == LIST):
        if place.name != LIST:
            place.rename(root / place.name)
    (arrived / LIST).unlink()
    arrived.rmdir()
    sync_folder(root)
    return made


def _require_empty(root: Path) -> None:
    there = sorted(path.name for path in root.iterdir() if not path.name.startswith(STAGING))
    if there:
        raise InputError(
            f"the data root '{root.name}' is not empty: it has {', '.join(there[:3])}",
            expected="an empty one, so that nothing is overwritten or mixed",
            todo="set GMAUG_HOME to a new folder, or move this one aside",
        )


def extract(source: Path, target: Path, report: Report, name: str, read: Callable[[Path], Listed]) -> Listed:
    """Unpack an archive and check every file against its list, the last entry, which is returned. name, read:
    of that entry. Raises InputError where it is none, or not whole; TooNew."""
    target.mkdir(mode=0o700)
    found: dict[str, tuple[int, str]] = {}
    try:
        if shutil.disk_usage(target).free < source.stat().st_size:
            raise InputError(
                "the disk of the data root has too little room for this file",
                todo="free some, then do it again",
            )
        with tarfile.open(source, "r:") as archive:
            for number, info in enumerate(archive):
                report("restore", number, 0)
                found[info.name] = _one(archive, info, target)
        made = read(target / name)
    except (tarfile.TarError, FileNotFoundError, FileExistsError, EOFError, GMAugError) as error:
        if isinstance(error, InputError | TooNew):
            raise
        raise not_whole(source, "it does not end as one does") from error
    found.pop(name)
    listed = {file.path: (file.size, file.sha256) for file in made.files}
    if found != listed:
        wrong = sorted({*found, *listed} - {name for name in found if found[name] == listed.get(name)})
        raise not_whole(source, f"'{wrong[0]}' is not what its list says")
    return made


def _one(archive: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> tuple[int, str]:
    place = PurePosixPath(info.name)
    if not info.isreg() or info.issparse() or place.is_absolute() or ".." in place.parts or "\0" in info.name:
        raise InputError(
            "this archive holds what none of ours does: a link, a hole, or a path out of its folder",
            expected="a file that 'backup' or 'pack' wrote",
        )
    path = target / place
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    content, digest = archive.extractfile(info), hashlib.sha256()
    assert content is not None, "a regular file has a content"
    with content, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := content.read(BLOCK):
            digest.update(block)
            file.write(block)
    return path.stat().st_size, digest.hexdigest()


def not_whole(source: Path, why: str) -> InputError:
    """The refusal of an archive."""
    return InputError(
        f"'{source.name}' is no whole archive of ours: {why}",
        expected="a file that 'backup' or 'pack' wrote, unchanged",
        todo="use another copy of it; nothing was put in place",
    )
