"""Where everything lives, and the database of what PEOPLE edit: groupings, reviews, audit. Workers never write it.

Every edit is one transaction with a revision: a second editor gets a Conflict to resolve, never a silent overwrite.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gmaug_core.errors import Conflict, GMAugError, InputError
from gmaug_core.home import home
from gmaug_core.workspace.grouping import Grouping

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE groupings (dataset TEXT, name TEXT, revision INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (dataset, name));
CREATE TABLE grouping_history (id INTEGER PRIMARY KEY, dataset TEXT, name TEXT, parent INTEGER, content TEXT NOT NULL, time REAL NOT NULL);
CREATE INDEX grouping_parent ON grouping_history (parent);
CREATE TABLE reviews (run TEXT, sample INTEGER, decision TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (run, sample));
CREATE TABLE audit (id INTEGER PRIMARY KEY, time REAL NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL);
"""
DECISIONS = ("keep", "reject")


@contextmanager
def _transaction() -> Iterator[sqlite3.Connection]:
    """One edit, durable when it returns. BEGIN IMMEDIATE: a read-then-write never meets another writer half-way."""
    path = home() / "workspace.db"
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")  # not WAL: it does not work on network disks
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise GMAugError(
                "the workspace was written by a newer version of this program",
                todo="update the program; nothing was changed",
            )
        yield connection
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise GMAugError(
            f"the workspace database cannot be used ({error})",
            todo="look at free disk space; if it is damaged, move workspace.db aside and start again: datasets and runs are kept",
        ) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def _audit(connection: sqlite3.Connection, action: str, subject: str, **detail: Any) -> None:
    connection.execute(
        "INSERT INTO audit (time, action, subject, detail) VALUES (?, ?, ?, ?)",
        (time.time(), action, subject, json.dumps(detail, ensure_ascii=False)),
    )


def audit(action: str, subject: str, **detail: Any) -> None:
    """Add a row to the audit trail."""
    with _transaction() as connection:
        _audit(connection, action, subject, **detail)


def audit_trail(limit: int = 200) -> list[dict[str, Any]]:
    """The newest rows first: time, action, subject, detail."""
    with _transaction() as connection:
        rows = connection.execute(
            "SELECT time, action, subject, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,)
        ).fetchall()
    return [
        {"time": row[0], "action": row[1], "subject": row[2], "detail": json.loads(row[3])} for row in rows
    ]


# --- groupings ---


def _encode(grouping: Grouping) -> str:
    return json.dumps({name: list(subs) for name, subs in grouping.super_classes.items()}, ensure_ascii=False)


def _current(connection: sqlite3.Connection, dataset: str, name: str) -> tuple[int, int]:
    row = connection.execute(
        "SELECT revision, at FROM groupings WHERE dataset=? AND name=?", (dataset, name)
    ).fetchone()
    return row or (0, 0)


def _check(revision: int, current: int, name: str) -> None:
    if revision != current:
        raise Conflict(
            f"grouping '{name}' was changed by somebody else (revision {current}, you edited {revision})",
            todo="look at the newer version and make your edit again",
        )


def _point(connection: sqlite3.Connection, dataset: str, name: str, revision: int, at: int) -> int:
    connection.execute(
        "REPLACE INTO groupings (dataset, name, revision, at) VALUES (?, ?, ?, ?)",
        (dataset, name, revision + 1, at),
    )
    return revision + 1


def save_grouping(dataset: str, grouping: Grouping, *, revision: int, base: Grouping | None = None) -> int:
    """Store a grouping as the next revision and return its number. revision: the one that was edited (0: new).

    base: what a new grouping started from, so that its first edit can be undone. Raises Conflict when somebody was faster.
    """
    with _transaction() as connection:
        current, at = _current(connection, dataset, grouping.name)
        _check(revision, current, grouping.name)
        insert = "INSERT INTO grouping_history (dataset, name, parent, content, time) VALUES (?, ?, ?, ?, ?)"
        if at == 0 and base is not None:
            at = (
                connection.execute(insert, (dataset, grouping.name, 0, _encode(base), time.time())).lastrowid
                or 0
            )
        row = (
            connection.execute(insert, (dataset, grouping.name, at, _encode(grouping), time.time())).lastrowid
            or 0
        )
        _audit(connection, "grouping saved", dataset, name=grouping.name, revision=current + 1)
        return _point(connection, dataset, grouping.name, current, row)


def load_grouping(dataset: str, name: str) -> tuple[Grouping, int] | None:
    """(grouping, revision), or None when it was never stored."""
    with _transaction() as connection:
        revision, at = _current(connection, dataset, name)
        if revision == 0:
            return None
        content = connection.execute("SELECT content FROM grouping_history WHERE id=?", (at,)).fetchone()[0]
    return Grouping(name, json.loads(content)), revision


def grouping_names(dataset: str) -> list[str]:
    """Names of the stored groupings of a dataset."""
    with _transaction() as connection:
        return [
            row[0]
            for row in connection.execute(
                "SELECT name FROM groupings WHERE dataset=? ORDER BY name", (dataset,)
            )
        ]


def undo_grouping(dataset: str, name: str, *, revision: int) -> int:
    """Back to what the grouping was before its last edit, as a new revision. Raises InputError when there is nothing before."""
    return _step(
        dataset, name, revision, "SELECT parent FROM grouping_history WHERE id=? AND parent>0", "undo"
    )


def redo_grouping(dataset: str, name: str, *, revision: int) -> int:
    """Forward again after an undo. Raises InputError when there is nothing to redo."""
    return _step(dataset, name, revision, "SELECT max(id) FROM grouping_history WHERE parent=?", "redo")


def _step(dataset: str, name: str, revision: int, query: str, what: str) -> int:
    with _transaction() as connection:
        current, at = _current(connection, dataset, name)
        _check(revision, current, name)
        row = connection.execute(query, (at,)).fetchone() if at else None
        if not row or not row[0]:
            raise InputError(f"there is nothing to {what} in grouping '{name}'")
        _audit(connection, f"grouping {what}", dataset, name=name, revision=current + 1)
        return _point(connection, dataset, name, current, row[0])


# --- reviews of synthetic samples ---


def save_reviews(run: str, decisions: dict[int, str | None]) -> None:
    """Store what a person decided about samples of a run: keep, reject, or None to follow the filter again."""
    for decision in decisions.values():
        if decision is not None and decision not in DECISIONS:
            raise InputError(f"'{decision}' is not a decision", expected="keep or reject")
    with _transaction() as connection:
        for sample, decision in decisions.items():
            if decision is None:
                connection.execute("DELETE FROM reviews WHERE run=? AND sample=?", (run, sample))
            else:
                connection.execute(
                    "REPLACE INTO reviews VALUES (?, ?, ?, ?)", (run, sample, decision, time.time())
                )
            _audit(connection, "sample reviewed", run, sample=sample, decision=decision)


def load_reviews(run: str) -> dict[int, str]:
    """sample -> keep | reject, for the samples that a person decided about."""
    with _transaction() as connection:
        return dict(connection.execute("SELECT sample, decision FROM reviews WHERE run=?", (run,)).fetchall())
