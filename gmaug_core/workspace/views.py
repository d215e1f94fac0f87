"""Views of a run's samples that people saved: a name for a filter. Everybody who may look sees them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from gmaug_core.errors import InputError
from gmaug_core.workspace import audit, database, people, roles

NAME_LENGTH, MOST = 60, 50
Value = str | int | float


@dataclass(frozen=True)
class View:
    """given: what its filter asks for, by the names of report.browsing.Filter; time: seconds since 1970."""

    name: str
    given: Mapping[str, Value]
    person: str
    time: float


def load(run: str) -> list[View]:
    """The saved views of a run by name."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT name, given, person, time FROM sample_views WHERE run=? ORDER BY name", (run,)
        ).fetchall()
    return [View(name, json.loads(given), person, when) for name, given, person, when in rows]


def find(run: str, name: str) -> View:
    """The view of a name. Raises InputError where there is none."""
    known = load(run)
    for view in known:
        if view.name == name:
            return view
    raise InputError(
        f"run '{run}' has no saved view '{name}'",
        expected="one of " + ", ".join(view.name for view in known) if known else "one that somebody saved",
    )


@roles.guarded("review samples")
def save(run: str, name: str, given: Mapping[str, Value]) -> str:
    """Save a filter under a name, in the place of the one that had it; returns the name as it was stored.
    Raises InputError for an empty or too long name, and beyond MOST views."""
    clean = name.strip()
    if not 0 < len(clean) <= NAME_LENGTH:
        raise InputError("a view needs a name", expected=f"1 to {NAME_LENGTH} characters")
    others = [view.name for view in load(run) if view.name != clean]
    if len(others) >= MOST:
        raise InputError(f"there are {MOST} saved views already", todo="delete one that nobody needs")
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO sample_views (run, name, given, person, time) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (run, name) DO UPDATE SET given=excluded.given, person=excluded.person,"
            " time=excluded.time",
            (run, clean, json.dumps(dict(given), ensure_ascii=False), people.name(), time.time()),
        )
        audit.add(connection, "view saved", run, people.name(), name=clean)
    return clean


@roles.guarded("review samples")
def delete(run: str, name: str) -> None:
    """Take a view off the list. Raises InputError where there is none."""
    find(run, name)
    with database.transaction() as connection:
        connection.execute("DELETE FROM sample_views WHERE run=? AND name=?", (run, name))
        audit.add(connection, "view deleted", run, people.name(), name=name)
