"""The trail of who did what, and when. Rows are added, never changed."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from gmaug_core.workspace import database, people

Detail = str | int | None


@dataclass(frozen=True)
class Entry:
    """One row of the trail. time: seconds since 1970. subject: the id of a dataset or a run."""

    time: float
    person: str
    action: str
    subject: str
    detail: dict[str, Detail]


def add(
    connection: sqlite3.Connection, action: str, subject: str, person: str | None, **detail: Detail
) -> None:
    """Add a row inside a transaction of somebody else's."""
    connection.execute(
        "INSERT INTO audit (time, action, subject, detail, person) VALUES (?, ?, ?, ?, ?)",
        (time.time(), action, subject, json.dumps(detail, ensure_ascii=False), person or people.name()),
    )


def record(action: str, subject: str, *, person: str | None = None, **detail: Detail) -> None:
    """Add a row. person: who did it, by default whoever acts."""
    with database.transaction() as connection:
        add(connection, action, subject, person, **detail)


def trail(limit: int = 200, *, subject: str | None = None) -> list[Entry]:
    """The newest rows first, at most `limit`; those of one dataset or run when subject is given."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT time, person, action, subject, detail FROM audit WHERE subject = ifnull(?, subject)"
            " ORDER BY id DESC LIMIT ?",
            (subject, limit),
        ).fetchall()
    return [Entry(at, who, action, what, json.loads(detail)) for at, who, action, what, detail in rows]
