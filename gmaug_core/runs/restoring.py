"""A whole workspace, back from the file that `backup` wrote: checked before any of it is in place."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import sync_folder
from gmaug_core.home import home
from gmaug_core.hooks import Report, no_report
from gmaug_core.runs.backup import BLOCK, LIST, STAGING, Backup, staged
from gmaug_core.workspace import roles

ARRIVED = ".restored"  # what was unpacked and checked, while it moves to its place


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
            _extract(source, staging / "all", report)
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


def _extract(source: Path, target: Path, report: Report) -> None:
    """Unpack and check. Raises InputError."""
    target.mkdir(mode=0o700)
    found: dict[str, tuple[int, str]] = {}
    try:
        if shutil.disk_usage(target).free < source.stat().st_size:
            raise InputError(
                "the disk of the data root has too little room for this backup",
                todo="free some, then restore",
            )
        with tarfile.open(source, "r:") as archive:
            for number, info in enumerate(archive):
                report("restore", number, 0)
                found[info.name] = _one(archive, info, target)
        made = Backup.read(target / LIST)
    except (tarfile.TarError, FileNotFoundError, EOFError, GMAugError) as error:
        if isinstance(error, InputError):
            raise
        raise _damaged(source, "it does not end as one does") from error
    found.pop(LIST)
    listed = {file.path: (file.size, file.sha256) for file in made.files}
    if found != listed:
        wrong = sorted({*found, *listed} - {name for name in found if found[name] == listed.get(name)})
        raise _damaged(source, f"'{wrong[0]}' is not what its list says")


def _one(archive: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> tuple[int, str]:
    place = PurePosixPath(info.name)
    if not info.isreg() or place.is_absolute() or ".." in place.parts or "\0" in info.name:
        raise InputError(
            "this archive holds what no backup does: a link, or a path out of the data root",
            expected="a file that 'backup' wrote",
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


def _damaged(source: Path, why: str) -> InputError:
    return InputError(
        f"'{source.name}' is no whole backup: {why}",
        expected="a file that 'backup' wrote, unchanged",
        todo="use another backup; nothing was put in place",
    )
