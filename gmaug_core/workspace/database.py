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
from contextlib import contextmanager
from pathlib import Path

from gmaug_core.errors import GMAugError
from gmaug_core.home import home

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
)  # step n brings version n to n + 1; a step that was released is never changed
SCHEMA_VERSION = len(MIGRATIONS)
WAIT_S = 20  # for another writer


def path() -> Path:
    """Where the database of this workspace is."""
    return home() / "workspace.db"


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """One edit, durable when it returns.

    BEGIN IMMEDIATE: a read-then-write never meets another writer half-way.

    An older file is migrated first. Raises GMAugError when the file is damaged, or of a newer version.
    """
    _close(path())
    connection = sqlite3.connect(path(), timeout=WAIT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # not WAL: it does not work on network disks
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        while (version := _version(connection)) < SCHEMA_VERSION:
            for statement in MIGRATIONS[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
        if version > SCHEMA_VERSION:
            raise GMAugError(
                "the workspace was written by a newer version of this program",
                expected=f"workspace.db of version {SCHEMA_VERSION} or older, not {version}",
                todo="update the program; nothing was changed",
            )
        yield connection
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise GMAugError(
            f"the workspace database cannot be used ({error})",
            todo="look at free disk space; if it is damaged, move workspace.db aside and start again: "
            "datasets and runs are kept",
        ) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


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
