"""The groupings of a dataset: which there are to choose from, the stored ones, and how a person edits one.

Every edit is one transaction with a revision: a second editor gets a Conflict to resolve, never a silent
overwrite.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Conflict, InputError
from gmaug_core.workspace import audit, database, people, roles
from gmaug_core.workspace.grouping import IDENTITY, NAME_LENGTH, Grouping, identity

# --- what there is to choose from ---


def proposed(data: Dataset) -> list[str]:
    """The names of what the import proposes: the folders' own hierarchy where there is one, and identity."""
    return [*(name for name, _ in data.suggested_groupings if name != IDENTITY), IDENTITY]


def proposal(data: Dataset, name: str) -> Grouping:
    """One of the proposed."""
    if name == IDENTITY:
        return identity(data.class_names)
    return Grouping(name, dict(data.suggested_groupings)[name])


def names(data: Dataset) -> list[str]:
    """Names to choose from, the most sensible first: stored ones, then the import's proposals."""
    known = stored(data.id)
    return [*known, *(name for name in proposed(data) if name not in known)]


def current(data: Dataset, name: str) -> tuple[Grouping, int]:
    """A grouping by name with its revision: stored, or suggested by the import (revision 0: never edited).

    Raises InputError when there is neither.
    """
    found = load(data.id, name)
    if found:
        return found
    if name not in proposed(data):
        known = sorted({*proposed(data), *stored(data.id)})
        raise InputError(
            f"dataset '{data.id}' has no grouping '{name}'", expected="one of " + ", ".join(known)
        )
    return proposal(data, name), 0


def super_classes(data: Dataset, name: str) -> dict[str, list[str]]:
    """super-class -> its sub-classes, as they are scored now: those that hold something.

    Raises InputError.
    """
    groups = current(data, name)[0].without_empty()
    return {title: list(subs) for title, subs in groups.super_classes.items()}


# --- editing ---


def apply(grouping: Grouping, op: Mapping[str, object]) -> Grouping:
    """The grouping after one operation.

    Operations: move {subs, to}, alone {subs}, add {name}, rename {name, to}, remove {name} (an empty one),
    place {name, before}, sort {by}. A super-class that a move empties goes.

    Raises InputError for what cannot be done; the partition invariant holds by construction.
    """
    match op:
        case {"do": "move", "subs": list(subs), "to": str(to)} if all(isinstance(sub, str) for sub in subs):
            edited = grouping
            for sub in subs:
                if edited.super_of.get(sub) != to.strip():
                    edited = edited.move(sub, to)
            return _without_emptied(grouping, edited)
        case {"do": "alone", "subs": list(subs)} if all(isinstance(sub, str) for sub in subs):
            edited = grouping
            for sub in subs:
                if len(edited.super_classes.get(edited.super_of.get(sub, ""), ())) != 1:
                    edited = edited.alone(sub)
            return _without_emptied(grouping, edited)
        case {"do": "place", "name": str(name), "before": str(before)}:
            return grouping.place(name, before)
        case {"do": "sort", "by": str(by)}:
            return grouping.sort(by)
        case {"do": "add", "name": str(name)}:
            return grouping.add(name)
        case {"do": "rename", "name": str(name), "to": str(to)}:
            return grouping.rename(name, to)
        case {"do": "remove", "name": str(name)}:
            return grouping.remove(name)
    raise InputError("this edit of a grouping is not known", todo="reload the page")


def _without_emptied(before: Grouping, after: Grouping) -> Grouping:
    """Without the super-classes that held something before and hold nothing now."""
    return Grouping(
        after.name,
        {
            title: subs
            for title, subs in after.super_classes.items()
            if subs or not before.super_classes.get(title, ())
        },
    )


def edit(
    dataset: str, grouping: Grouping, revision: int, op: Mapping[str, object], *, person: str | None = None
) -> tuple[Grouping, int]:
    """One operation of `apply`, or {"do": "undo" | "redo"}, done to what a person sees and stored.

    What is there after it.

    grouping, revision: what the person sees (0: a proposal, which the first edit stores). Raises InputError
    for what cannot be done, Conflict when somebody else was faster (then `newer` has what they made).
    """
    if grouping.name == IDENTITY:
        raise InputError("the identity grouping stays as it is", todo="make a copy and edit that")
    if op.get("do") in ("undo", "redo"):
        step = undo if op["do"] == "undo" else redo
        step(dataset, grouping.name, revision=revision, person=person)
        return newer(dataset, grouping, revision)
    edited = apply(grouping, op)
    if list(edited.super_classes.items()) == list(grouping.super_classes.items()):
        return grouping, revision
    base = grouping if revision == 0 else None
    return edited, save(dataset, edited, revision=revision, base=base, person=person)


def newer(dataset: str, grouping: Grouping, revision: int) -> tuple[Grouping, int]:
    """What is stored, when it is another revision than the one that a person sees; else what they see."""
    found = load(dataset, grouping.name)
    return found if found and found[1] != revision else (grouping, revision)


def add(data: Dataset, name: str, groups: Grouping, *, person: str | None = None) -> str:
    """Store a grouping under a name that is not in use yet; returns the name as it was stored.

    Raises InputError when the name is empty or taken, or the grouping does not fit the dataset.
    """
    clean = name.strip()[:NAME_LENGTH]
    if not clean or clean in names(data):
        raise InputError(
            f"a grouping cannot be called '{clean}' here",
            expected="a name that is not in use yet",
            todo="choose another name",
        )
    groups.validate(data.class_names)
    save(data.id, Grouping(clean, groups.super_classes), revision=0, person=person)
    return clean


def free_name(data: Dataset, wanted: str) -> str:
    """The name that is wanted, or with a number behind it where it is in use."""
    taken = names(data)
    numbered = (f"{wanted[: NAME_LENGTH - 5]} {k}" for k in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


# --- the stored ones, by the id of their dataset ---


def stored(dataset: str) -> list[str]:
    """Names of the stored groupings of a dataset."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT name FROM groupings WHERE dataset=? AND deleted IS NULL ORDER BY name", (dataset,)
        )
        return [row[0] for row in rows]


def load(dataset: str, name: str) -> tuple[Grouping, int] | None:
    """(grouping, revision), or None when it was never stored."""
    with database.transaction() as connection:
        revision, at = _current(connection, dataset, name)
        if revision == 0:
            return None
        row = connection.execute("SELECT content FROM grouping_history WHERE id=?", (at,)).fetchone()
    return Grouping(name, json.loads(row[0])), revision


@roles.guarded("edit grouping")
def save(
    dataset: str,
    grouping: Grouping,
    *,
    revision: int,
    base: Grouping | None = None,
    person: str | None = None,
) -> int:
    """Store a grouping as the next revision and return its number.

    revision: the one that was edited (0: new).

    base: what a new grouping started from, so that its first edit can be undone. person: who edited, by
    default the actor. Raises Conflict when somebody was faster.
    """
    who = person or people.name()
    with database.transaction() as connection:
        now, at = _current(connection, dataset, grouping.name)
        _check(revision, now, grouping.name)
        if at == 0 and base is not None:
            at = _insert(connection, dataset, grouping.name, 0, base, who)
        row = _insert(connection, dataset, grouping.name, at, grouping, who)
        audit.add(connection, "grouping saved", dataset, who, name=grouping.name, revision=now + 1)
        return _point(connection, dataset, grouping.name, now, row)


@roles.guarded("edit grouping")
def undo(dataset: str, name: str, *, revision: int, person: str | None = None) -> int:
    """Back to what the grouping was before its last edit, as a new revision.

    Raises InputError at the beginning.
    """
    query = "SELECT parent FROM grouping_history WHERE id=? AND parent>0"
    return _step(dataset, name, revision, query, "undo", person)


@roles.guarded("edit grouping")
def redo(dataset: str, name: str, *, revision: int, person: str | None = None) -> int:
    """Forward again after an undo, as a new revision. Raises InputError when there is nothing to redo."""
    return _step(
        dataset, name, revision, "SELECT max(id) FROM grouping_history WHERE parent=?", "redo", person
    )


def steps(dataset: str, name: str) -> tuple[bool, bool]:
    """Whether there is an edit to undo, and one to redo; both outlive the tab that they were made in."""
    with database.transaction() as connection:
        _, at = _current(connection, dataset, name)
        found = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM grouping_history WHERE id=? AND parent>0),"
            " EXISTS (SELECT 1 FROM grouping_history WHERE parent=?)",
            (at, at or -1),
        ).fetchone()
    return bool(found[0]), bool(found[1])


@roles.guarded("delete grouping")
def delete(dataset: str, name: str, *, revision: int, person: str | None = None) -> None:
    """Take a stored grouping off the list; `restore` brings it back as it was.

    Raises InputError where it was never stored, Conflict when somebody changed it meanwhile.
    """
    with database.transaction() as connection:
        now, _ = _current(connection, dataset, name)
        if now == 0:
            raise InputError(
                f"there is no stored grouping '{name}'", expected="one that somebody made or edited"
            )
        _check(revision, now, name)
        connection.execute(
            "UPDATE groupings SET deleted=?, revision=revision + 1 WHERE dataset=? AND name=?",
            (time.time(), dataset, name),
        )
        audit.add(connection, "grouping deleted", dataset, person, name=name)


def deleted(dataset: str) -> list[str]:
    """Names of the groupings that were deleted, the last one first."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT name FROM groupings WHERE dataset=? AND deleted IS NOT NULL ORDER BY deleted DESC",
            (dataset,),
        )
        return [row[0] for row in rows]


@roles.guarded("restore grouping")
def restore(dataset: str, name: str, *, person: str | None = None) -> int:
    """Bring a deleted grouping back as it was; returns its new revision. Raises InputError."""
    with database.transaction() as connection:
        found = connection.execute(
            "UPDATE groupings SET deleted=NULL, revision=revision + 1"
            " WHERE dataset=? AND name=? AND deleted IS NOT NULL RETURNING revision",
            (dataset, name),
        ).fetchone()
        if not found:
            raise InputError(f"no grouping '{name}' was deleted here")
        audit.add(connection, "grouping restored", dataset, person, name=name)
        return int(found[0])


@dataclass(frozen=True)
class Version:
    """One content that a grouping had. current: it is what the grouping is now; undo and redo move that mark.

    number counts all edits of the workspace; parent: the version that was edited, 0 for the first. time:
    seconds since 1970.
    """

    number: int
    parent: int
    person: str
    time: float
    current: bool
    grouping: Grouping


def history(dataset: str, name: str) -> list[Version]:
    """Every content that a stored grouping had, in the order in which they were made.

    Empty when it was never stored.
    """
    with database.transaction() as connection:
        _, at = _current(connection, dataset, name)
        rows = connection.execute(
            "SELECT id, parent, person, time, content FROM grouping_history"
            " WHERE dataset=? AND name=? ORDER BY id",
            (dataset, name),
        ).fetchall()
    return [
        Version(number, parent, person, when, number == at, Grouping(name, json.loads(content)))
        for number, parent, person, when, content in rows
    ]


def _step(dataset: str, name: str, revision: int, query: str, what: str, person: str | None) -> int:
    with database.transaction() as connection:
        now, at = _current(connection, dataset, name)
        _check(revision, now, name)
        row = connection.execute(query, (at,)).fetchone() if at else None
        if not row or not row[0]:
            raise InputError(f"there is nothing to {what} in grouping '{name}'")
        audit.add(connection, f"grouping {what}", dataset, person, name=name, revision=now + 1)
        return _point(connection, dataset, name, now, row[0])


def _current(connection: sqlite3.Connection, dataset: str, name: str) -> tuple[int, int]:
    """(revision, row of the history); zeros when it was never stored, or was deleted."""
    row = connection.execute(
        "SELECT revision, at FROM groupings WHERE dataset=? AND name=? AND deleted IS NULL", (dataset, name)
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _check(revision: int, now: int, name: str) -> None:
    if revision != now:
        raise Conflict(
            f"grouping '{name}' was changed by somebody else (revision {now}, you edited {revision})",
            todo="look at the newer version and make your edit again",
        )


def _insert(
    connection: sqlite3.Connection, dataset: str, name: str, parent: int, grouping: Grouping, person: str
) -> int:
    content = {title: list(subs) for title, subs in grouping.super_classes.items()}
    cursor = connection.execute(
        "INSERT INTO grouping_history (dataset, name, parent, content, time, person)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (dataset, name, parent, json.dumps(content, ensure_ascii=False), time.time(), person),
    )
    return cursor.lastrowid or 0


def _point(connection: sqlite3.Connection, dataset: str, name: str, revision: int, at: int) -> int:
    # one that takes the name of a deleted one counts on from it: nobody can mistake the two
    row = connection.execute(
        "INSERT INTO groupings (dataset, name, revision, at) VALUES (?, ?, ?, ?) ON CONFLICT (dataset, name)"
        " DO UPDATE SET revision=revision + 1, at=excluded.at, deleted=NULL RETURNING revision",
        (dataset, name, revision + 1, at),
    ).fetchone()
    return int(row[0])
