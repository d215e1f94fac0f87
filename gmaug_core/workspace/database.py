"""The database of what PEOPLE edit, `workspace.db`: groupings, reviews, audit. Workers never write it.

One edit is one transaction. The file carries its version (`user_version`); MIGRATIONS says how it came to
each.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.home import home, room
from gmaug_core.locks import locked
from gmaug_core.workspace import safekeeping

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 0 -> 1: a new file
    (
        "CREATE TABLE groupings (dataset TEXT, name TEXT, revision INTEGER NOT NULL, at INTEGER NOT NULL,"
        " PRIMARY KEY (dataset, name))",
        "CREATE TABLE grouping_history (id INTEGER PRIMARY KEY, dataset TEXT, name TEXT, parent INTEGER,"
        " content TEXT NOT NULL, time REAL NOT NULL)",
        "CREATE INDEX grouping_parent ON grouping_history (parent)",
        "CREATE TABLE reviews (run TEXT, sample INTEGER, decision TEXT NOT NULL, time REAL NOT NULL,"
        " PRIMARY KEY (run, sample))",
        "CREATE TABLE audit (id INTEGER PRIMARY KEY, time REAL NOT NULL, action TEXT NOT NULL,"
        " subject TEXT NOT NULL, detail TEXT NOT NULL)",
    ),
    # 1 -> 2: who decided; a decision no longer erases the one before it. Until now nobody was named: 'local'
    (
        "ALTER TABLE grouping_history ADD COLUMN person TEXT NOT NULL DEFAULT 'local'",
        "ALTER TABLE audit ADD COLUMN person TEXT NOT NULL DEFAULT 'local'",
        "ALTER TABLE reviews RENAME TO reviews_before",
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY, run TEXT NOT NULL, sample INTEGER NOT NULL,"
        " decision TEXT, person TEXT NOT NULL, time REAL NOT NULL)",
        "CREATE INDEX reviews_of ON reviews (run, sample)",
        "INSERT INTO reviews (run, sample, decision, person, time)"
        " SELECT run, sample, decision, 'local', time FROM reviews_before ORDER BY time, run, sample",
        "DROP TABLE reviews_before",
    ),
    # 2 -> 3: a grouping that was deleted keeps its row, so that it can come back
    ("ALTER TABLE groupings ADD COLUMN deleted REAL",),
    # 3 -> 4: what people note about runs, and which one the others are held against
    (
        "CREATE TABLE run_marks (run TEXT PRIMARY KEY, note TEXT NOT NULL DEFAULT '',"
        " tags TEXT NOT NULL DEFAULT '[]', pinned INTEGER NOT NULL DEFAULT 0, person TEXT NOT NULL,"
        " time REAL NOT NULL)",
    ),
    # 4 -> 5: filters of a run's samples that people gave a name
    (
        "CREATE TABLE sample_views (run TEXT NOT NULL, name TEXT NOT NULL, given TEXT NOT NULL,"
        " person TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (run, name))",
    ),
)  # step n brings version n to n + 1; a step that was released is never changed
SCHEMA_VERSION = len(MIGRATIONS)
WAIT_S = 20  # for another writer
NEWER = "is of a newer version"
ELSEWHERE = (  # errors that say nothing against the file: another writer, the disk, rights, memory
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
)


def path() -> Path:
    """Where the database of this workspace is."""
    return home() / "workspace.db"


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """One edit, durable when it returns.

    BEGIN IMMEDIATE: a read-then-write never meets another writer half-way.

    An older file is migrated first. A file that is damaged, empty or of a newer version is moved aside and
    the newest backup takes its place: see safekeeping. Raises GMAugError where there is none, or somebody
    else writes for too long.
    """
    _close(path())
    try:
        with closing(_usable()) as connection:
            before = connection.total_changes
            try:
                yield connection
                if connection.total_changes != before:
                    safekeeping.seal(connection, path())
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        raise _explained(error) from error


def restore(name: str) -> safekeeping.Restored:
    """Put a backup in the place of the database, which is moved aside. Raises InputError for an unknown
    one."""
    backup = safekeeping.find(name)
    with locked(room("backups") / ".lock", wait=True):
        about = safekeeping.replace(path(), "was replaced by a person", SCHEMA_VERSION, wanted=backup.name)
    if about is None:
        raise InputError(
            f"backup '{name}' cannot be used", expected="one that is whole, and of this version or older"
        )
    return about


def _usable() -> sqlite3.Connection:
    """A connection inside a transaction, to a file that was looked at and has the newest tables."""
    try:
        return _begun()
    except safekeeping.Unusable:
        with locked(room("backups") / ".lock", wait=True):
            try:
                return _begun()  # somebody else put a backup in its place meanwhile
            except safekeeping.Unusable as error:
                why = str(error)
                if safekeeping.replace(path(), why, SCHEMA_VERSION) is None:
                    raise safekeeping.refusal(why, NEWER in why) from error
        return _begun()


def _begun() -> sqlite3.Connection:
    """A connection as `_usable` gives it. Raises safekeeping.Unusable."""
    connection = sqlite3.connect(path(), timeout=WAIT_S, isolation_level=None)
    try:
        _migrate(connection, _looked_at(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _looked_at(connection: sqlite3.Connection) -> int:
    """Begin a transaction; the version of the file. Raises safekeeping.Unusable."""
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # not WAL: it does not work on network disks
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version == 0 and not path().stat().st_size and safekeeping.backups():
            raise safekeeping.Unusable("was empty, or gone")
        safekeeping.check(connection, path())
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in ELSEWHERE:
            raise
        raise safekeeping.Unusable(f"is damaged ({error})") from error
    except UnicodeDecodeError as error:  # sqlite3, over the letters of a damaged table
        raise safekeeping.Unusable("is damaged (its tables cannot be read)") from error
    if version > SCHEMA_VERSION:
        raise safekeeping.Unusable(f"{NEWER} ({version}, here {SCHEMA_VERSION})")
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables to the newest form, inside and after the transaction that was begun."""
    if 0 < version < SCHEMA_VERSION:
        safekeeping.keep(connection)
    while version < SCHEMA_VERSION:
        for statement in MIGRATIONS[version]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version + 1}")
        safekeeping.seal(connection, path(), backup=False)
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)


def _explained(error: sqlite3.DatabaseError) -> GMAugError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return GMAugError(
            f"somebody else has been writing to the workspace database for {WAIT_S} seconds",
            todo="do it again in a moment",
        )
    return GMAugError(
        f"the workspace database cannot be used ({error})",
        todo="look at free disk space and at the rights of the folder, then do it again",
    )


def _close(file: Path) -> None:
    """For its owner alone, from the first byte on; one that others could read is closed to them."""
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            with contextlib.suppress(
                OSError
            ):  # another's file, or a read-only disk: what follows will say so
                file.chmod(0o600)
    except FileNotFoundError:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
