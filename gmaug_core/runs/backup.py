"""The whole workspace as one file: a tar whose last entry lists every file with its SHA-256. `restoring`
brings it back.

Runs may be at work meanwhile. Their files are replaced whole, never changed, so hard links made in one go pin
what a kill at that moment would have left, from which a run resumes. The database is read inside one of its
own transactions. Sessions, locks, unfinished uploads and half-written files are left out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from gmaug_core import __version__
from gmaug_core.config.documents import Document, Part
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import TEMPORARY, encoded, sync_folder
from gmaug_core.home import home, room
from gmaug_core.hooks import Report, no_report
from gmaug_core.locks import holder, locked
from gmaug_core.runs import folder
from gmaug_core.workspace import audit, database, roles

LIST = "backup.json"
SUFFIX = ".tar"
GROWING = ("metrics.jsonl", "log.txt")  # appended to; all other files are replaced whole
LEFT_OUT = ("sessions", "uploads")  # whoever is signed in signs in again; an upload goes on from its browser
STAGING = ".backup-"  # a folder in the data root while a backup is made or restored
PATIENCE_S = 60.0  # with a run that changes while it is linked
PAUSE_S = 0.02
BLOCK = 1 << 20  # bytes
List = TypeVar("List", bound=Document)  # what an archive's last entry is


class BackedUp(Part):
    """One file of a backup."""

    path: str
    """Below the data root, with / between its parts."""
    size: int
    """Bytes."""
    sha256: str
    """Of its content, 64 hex digits."""


class Backup(Document):
    """What a backup holds."""

    TITLE = "list of a backup"
    FILE = LIST
    SCHEMA = 1
    INDENT = None

    version: str
    """Of the program that wrote it."""
    made: float
    """When, in seconds since 1970."""
    files: tuple[BackedUp, ...]
    """Every file, in the order in which they lie in the archive."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@roles.guarded("back up workspace")
def write(out: Path, *, report: Report = no_report) -> Backup:
    """Write the whole workspace into a new file `out`, for its owner alone; there whole or not at all.

    Raises InputError where `out` is there already, lies in the workspace or is no .tar.
    """
    check_target(out)
    root, part = home(), out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with (
            locked(room("bin") / ".lock", wait=True),
            staged(root) as staging,
        ):  # nothing is deleted meanwhile
            audit.record("workspace backed up", out.name)
            _stage_database(staging)
            moving = [paths.id for paths in folder.list_runs() if holder(paths.lock) is not None]
            for run in moving:
                link_run(folder.root() / run, staging / "runs" / run)
            sources = _sources(root, staging, set(moving))
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                made = archive(file, sources, report, _listed)
                file.flush()
                os.fsync(file.fileno())
        check_target(out)  # that may be there by now
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)
    return made


def _listed(files: tuple[BackedUp, ...]) -> Backup:
    return Backup.new(version=__version__, made=time.time(), files=files)


def check_target(out: Path) -> None:
    """Raises InputError where `out` is no name of a new .tar outside of the workspace."""
    if out.suffix != SUFFIX:
        raise InputError(f"'{out.name}' does not end with {SUFFIX}", expected=f"a new file like home{SUFFIX}")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder '{out.parent.name}' for it", expected="a folder that is there")
    if out.resolve().is_relative_to(home()):
        raise InputError("a copy inside the workspace is lost with it", expected="a place outside of it")
    if out.exists():
        raise InputError(f"'{out.name}' is there already", expected="the name of a new file")


@contextmanager
def staged(root: Path) -> Iterator[Path]:
    """A folder of the data root that is gone at the end."""
    for old in root.glob(f"{STAGING}*"):  # of a backup that was killed: this one holds the lock
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=root) as made:
        yield Path(made)


def _stage_database(staging: Path) -> None:
    """The database as it is inside one transaction, which has looked whether it is whole, with its seal."""
    kept = database.path()
    seal = kept.with_name(f"{kept.name}.seal")
    with database.transaction() as connection:
        (staging / kept.name).write_bytes(connection.serialize())
        if seal.exists():
            shutil.copyfile(seal, staging / seal.name)


def link_run(source: Path, target: Path) -> None:
    """What a run that is at work holds at one moment."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        before = _look(source)
        shutil.rmtree(target, ignore_errors=True)
        try:
            for path in before:
                place = target / path.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                _pin(path, place)
        except FileNotFoundError:
            continue
        if _look(source) == before:
            return
        time.sleep(PAUSE_S)
    raise GMAugError(
        f"run '{source.name}' changes too quickly to be backed up",
        expected=f"a moment in {PATIENCE_S:.0f} s in which none of its files is replaced",
        todo="do it again, or stop the run first",
    )


def _pin(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except FileNotFoundError:
        raise
    except OSError:  # a disk without hard links
        shutil.copyfile(path, place)


def _look(source: Path) -> dict[Path, tuple[int, int]]:
    """Its files with what changes when one is replaced."""
    found = {}
    for path in files_of(source):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (about.st_ino, 0 if path.name in GROWING else about.st_mtime_ns)
    return found


def files_of(place: Path) -> Iterator[Path]:
    """The regular files below a folder that belong into a backup."""
    for where, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith(STAGING))
        for name in sorted(names):
            path = Path(where, name)
            unfinished = name.endswith((".lock", TEMPORARY, ".part")) or name == ".lock"
            if not unfinished and path.is_file() and not path.is_symlink():
                yield path


def _sources(root: Path, staging: Path, moving: set[str]) -> list[tuple[Path, PurePosixPath]]:
    """(file, its path in the backup): what was staged in the place of what moves."""
    staged = [(path, path.relative_to(staging)) for path in files_of(staging)]
    db = database.path().name
    rest = [
        (path, place)
        for path in files_of(root)
        if not _elsewhere(place := path.relative_to(root), moving) and not place.name.startswith(db)
    ]
    return [(path, PurePosixPath(place.as_posix())) for path, place in [*staged, *rest]]


def _elsewhere(place: Path, moving: set[str]) -> bool:
    """Whether a file is left out, or was staged."""
    parts = place.parts
    return parts[0] in LEFT_OUT or (len(parts) > 2 and parts[0] == "runs" and parts[1] in moving)


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def archive(
    file: BinaryIO,
    sources: Sequence[tuple[Path, PurePosixPath]],
    report: Report,
    about: Callable[[tuple[BackedUp, ...]], List],
) -> List:
    """Write files and their places into a tar; its last entry is what `about` makes of the list of them."""
    kept: list[BackedUp] = []
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number, (path, place) in enumerate(sources):
            report("backup", number, len(sources))
            try:
                opened = path.open("rb")
            except FileNotFoundError:  # a run began, or a cache was made anew, after the list was made
                continue
            with opened:
                info = _entry(str(place), _whole_lines(opened) if path.name in GROWING else _length(opened))
                hashing = _Hashing(opened)
                tar.addfile(info, hashing)
            kept.append(BackedUp(path=str(place), size=info.size, sha256=hashing.digest.hexdigest()))
        made = about(tuple(kept))
        text = encoded(made.to_dict(), made.INDENT)
        with tempfile.TemporaryFile() as listing:
            listing.write(text)
            listing.seek(0)
            tar.addfile(_entry(made.FILE, len(text)), listing)
    report("backup", len(sources), len(sources))
    return made


def _entry(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(time.time())
    return info


def _length(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _whole_lines(file: BinaryIO) -> int:
    """The length up to the end of the last whole line: the next one may be on its way."""
    size = _length(file)
    while size > 0:
        start = max(0, size - BLOCK)
        file.seek(start)
        at = file.read(size - start).rfind(b"\n")
        if at >= 0:
            size = start + at + 1
            break
        size = start
    file.seek(0)
    return size
