"""What people note about runs: a line of text, tags, and which run the others are held against."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from gmaug_core.errors import InputError
from gmaug_core.workspace import audit, database, people, roles

LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 500, 40, 20


@dataclass(frozen=True)
class Mark:
    """pinned: the other runs of its kind on its dataset are held against it."""

    note: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False


def load() -> dict[str, Mark]:
    """run -> what is noted about it; a run without a note is not there."""
    with database.transaction() as connection:
        rows = connection.execute("SELECT run, note, tags, pinned FROM run_marks").fetchall()
    return {run: Mark(note, tuple(json.loads(tags)), bool(pinned)) for run, note, tags, pinned in rows}


@roles.guarded("mark run")
def note(run: str, text: str, tags: Iterable[str]) -> None:
    """Put a note and tags in the place of those that a run had. Raises InputError where they are too long."""
    clean = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(text) > LONGEST_NOTE or len(clean) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in clean):
        raise InputError(
            "the note or a tag is too long",
            expected=f"{LONGEST_NOTE} characters, {MOST_TAGS} tags of {LONGEST_TAG} characters",
        )
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO run_marks (run, note, tags, person, time) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run)"
            " DO UPDATE SET note=excluded.note, tags=excluded.tags, person=excluded.person,"
            " time=excluded.time",
            (run, text.strip(), json.dumps(clean, ensure_ascii=False), people.name(), time.time()),
        )
        audit.add(connection, "run noted", run, people.name(), note=text.strip(), tags=", ".join(clean))


@roles.guarded("mark run")
def pin(run: str, among: Iterable[str]) -> None:
    """Hold the runs of `among` against this one, or against none when it was the one already."""
    with database.transaction() as connection:
        was = connection.execute("SELECT pinned FROM run_marks WHERE run=?", (run,)).fetchone()
        connection.executemany(
            "UPDATE run_marks SET pinned=0 WHERE run=?", [(each,) for each in (run, *among)]
        )
        if not (was and was[0]):
            connection.execute(
                "INSERT INTO run_marks (run, pinned, person, time) VALUES (?, 1, ?, ?) ON CONFLICT (run)"
                " DO UPDATE SET pinned=1",
                (run, people.name(), time.time()),
            )
        audit.add(connection, "run unpinned" if was and was[0] else "run pinned", run, people.name())
