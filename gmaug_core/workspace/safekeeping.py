"""The database kept safe: a checksum of all of it beside it, backups, and the newest one in the place of a
file that cannot be used.

workspace.db.seal       the sha256 of the database before and after the last edit, written just before its
                        commit: a kill on either side leaves a database that one of the two is of
backups/workspace-T-D.db  a copy, made with an edit when the last one is BACKUP_S old; T when, D its sha256
backups/restored.json   what was put in whose place, until a person has seen it
set-aside/              databases that could not be used; never deleted by the program
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmaug_core.errors import Damaged, GMAugError, InputError
from gmaug_core.files import read_json, sync_folder, write_bytes, write_json
from gmaug_core.home import home, room

BACKUP_S = 60.0  # between two backups: no more edits than these seconds' are lost
NEWEST, DAYS = 10, 14  # backups that are kept: the last ones, and the last one of each of so many days
LISTED = 50  # lost edits that are named
COUNTER, VERSION = slice(24, 28), slice(60, 64)  # in the header of an SQLite file
# written with the commit itself: counter, and what repeats it
BY_COMMIT = (COUNTER, slice(92, 100))
DIGITS = 16  # of a checksum, in a backup's name

_seen: dict[Path, tuple[int, int, int]] = {}  # databases that this process has found whole, as they were


class Unusable(Exception):
    """The database cannot be used: its text says why."""


@dataclass(frozen=True)
class Backup:
    """A copy of the database. time: seconds since 1970; size: bytes."""

    name: str
    time: float
    size: int

    @property
    def version(self) -> int:
        """Of its tables."""
        with (room("backups") / self.name).open("rb") as file:
            return int.from_bytes(file.read(VERSION.stop)[VERSION], "big")


@dataclass(frozen=True)
class Restored:
    """What happened to a database that could not be used. time, backup_time: seconds since 1970.

    lost: the edits since the backup, as far as the file still told them: (time, person, action, subject);
    None where it could not be read.
    """

    time: float
    why: str
    aside: str
    backup: str
    backup_time: float
    lost: list[list[Any]] | None

    @property
    def words(self) -> str:
        """For the person: what happened, what is lost, where the file is."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.backup_time))
        if self.lost is None:
            lost = (
                "what people edited since then (groupings, reviews, notes) is lost, and could not be listed"
            )
        elif self.lost:
            named = "; ".join(f"{action} ({subject}) by {who}" for _, who, action, subject in self.lost[:5])
            more = f" and {len(self.lost) - 5} more" if len(self.lost) > 5 else ""
            lost = f"lost since then: {named}{more}"
        else:
            lost = "no edit is known to be lost"
        return (
            f"The workspace database {self.why}. It was moved aside ({self.aside}), and the backup of {when} "
            f"is in its place: {lost}. Datasets and runs are untouched."
        )


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Look at the whole database, inside a transaction, unless this process did since it last changed.

    One that another program changed has no checksum: SQLite's own look at it has to do. Raises Unusable.
    """
    stamp = _stamp(path)
    if _seen.get(path) == stamp:
        return
    data = connection.serialize()
    known = _states(path).get(_counter(data))
    if known is None:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise Unusable(f"is damaged ({found})")
    elif known != _digest(data):
        raise Unusable("is damaged (its bytes are not those that were written)")
    _seen[path] = stamp


def seal(connection: sqlite3.Connection, path: Path, *, backup: bool = True) -> None:
    """Note what the database will be, just before its commit; and keep a copy where it is time for one."""
    data = connection.serialize()
    counter, digest = _counter(data), _digest(data)
    before = {number: known for number, known in _states(path).items() if number == counter}
    states = {**before, (counter + 1) % 2**32: digest}
    write_json(_seal(path), {"states": {str(number): known for number, known in states.items()}})
    if backup:
        _keep(data, digest)


def keep(connection: sqlite3.Connection) -> None:
    """Make a backup now, whenever the last one was made."""
    data = connection.serialize()
    _keep(data, _digest(data), every=0.0)


def backups() -> list[Backup]:
    """The newest first."""
    found = [
        Backup(path.name, int(path.name.split("-")[1]) / 1000, path.stat().st_size)
        for path in room("backups").glob("workspace-*-*.db")
    ]
    return sorted(found, key=lambda each: each.time, reverse=True)


def replace(path: Path, why: str, newest_version: int, *, wanted: str | None = None) -> Restored | None:
    """Move a database aside and put the newest whole backup that this version can read, or `wanted`, in its
    place. None, and nothing is moved, where there is no such backup.
    """
    for backup in backups():
        data = (room("backups") / backup.name).read_bytes()
        if wanted not in (None, backup.name) or backup.version > newest_version:
            continue
        if _digest(data)[:DIGITS] != backup.name.split("-")[2].removesuffix(".db"):
            continue  # damaged itself
        aside = _put_aside(path)
        write_json(_seal(path), {"states": {str(_counter(data)): _digest(data)}})
        write_bytes(path, data)
        lost = _edits_beyond(path, aside)
        about = Restored(
            time.time(), why, f"{aside.parent.name}/{aside.name}", backup.name, backup.time, lost
        )
        write_json(room("backups") / "restored.json", asdict(about))
        return about
    return None


def notice() -> Restored | None:
    """What was restored and nobody has seen yet."""
    path = home() / "backups" / "restored.json"
    if not path.exists():
        return None
    try:
        return Restored(**read_json(path))
    except (Damaged, TypeError):
        return None


def seen() -> None:
    """A person has read the notice."""
    (home() / "backups" / "restored.json").unlink(missing_ok=True)


def find(name: str) -> Backup:
    """A backup by its name. Raises InputError."""
    known = {each.name: each for each in backups()}
    if name not in known:
        raise InputError(
            f"there is no backup '{name}'",
            expected="one of " + ", ".join(list(known)[:3]) if known else "a backup",
            todo="list them with: python -m gmaug_core database",
        )
    return known[name]


def _stamp(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_ino, about.st_mtime_ns, about.st_size


def _seal(path: Path) -> Path:
    return path.with_name(path.name + ".seal")


def _states(path: Path) -> dict[int, str]:
    """change counter -> sha256, of the database before and after the last edit; empty where it is not
    known."""
    try:
        return {int(number): str(digest) for number, digest in read_json(_seal(path))["states"].items()}
    except (FileNotFoundError, Damaged, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _counter(data: bytes) -> int:
    return int.from_bytes(data[COUNTER], "big")


def _digest(data: bytes) -> str:
    """Of all but what a commit itself writes."""
    found, at = hashlib.sha256(), 0
    for part in BY_COMMIT:
        found.update(data[at : part.start])
        at = part.stop
    found.update(data[at:])
    return found.hexdigest()


def _keep(data: bytes, digest: str, every: float = BACKUP_S) -> None:
    known, now = backups(), time.time()
    if known and 0 <= now - known[0].time < every:
        return
    write_bytes(room("backups") / f"workspace-{int(now * 1000):013d}-{digest[:DIGITS]}.db", data)
    days: dict[int, Backup] = {}
    for each in backups():
        days.setdefault(int(each.time // 86_400), each)
    kept = {each.name for each in [*backups()[:NEWEST], *list(days.values())[:DAYS]]}
    for each in backups():
        if each.name not in kept:
            (room("backups") / each.name).unlink(missing_ok=True)


def _put_aside(path: Path) -> Path:
    """Move the database and its journal away. Returns where it is."""
    aside = room("set-aside") / f"workspace-{int(time.time() * 1000):013d}.db"
    for end in ("-journal", ""):
        source = path.with_name(path.name + end)
        if source.exists():
            source.replace(aside.with_name(aside.name + end))
    sync_folder(aside.parent)
    sync_folder(path.parent)
    return aside


def _edits_beyond(backup: Path, aside: Path) -> list[list[Any]] | None:
    """The trail of a database that was put aside, beyond the backup's, as far as it can be read. By the rows'
    numbers: an edit and the backup made with it may be of the same moment."""
    with suppress(sqlite3.Error, OSError, ValueError, TypeError):
        ((known,),) = _read(backup, "SELECT COALESCE(MAX(id), 0) FROM audit")
        rows = _read(
            aside,
            "SELECT time, person, action, subject FROM audit WHERE id > ? ORDER BY id LIMIT ?",
            known,
            LISTED,
        )
        return [[float(at), *(str(word) for word in words)] for at, *words in rows]
    return None


def _read(path: Path, query: str, *given: object) -> list[Any]:
    """Rows of a database file that nobody writes."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(query, given).fetchall()


def refusal(why: str, newer: bool) -> GMAugError:
    """What is said where there is no backup to put in the place."""
    if newer:
        return GMAugError(
            "the workspace was written by a newer version of this program",
            expected=f"a workspace.db of this version or older: it {why}",
            todo="update the program; nothing was changed",
        )
    return GMAugError(
        f"the workspace database cannot be used (it {why}), and there is no backup of it",
        todo="restore workspace.db from a copy of your own, or move it aside and start again: datasets and "
        "runs are kept",
    )
