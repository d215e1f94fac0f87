from __future__ import annotations

from gmaug_core.home import home

import multiprocessing
import random

import pytest

from gmaug_core import workspace
from gmaug_core.errors import Conflict, GMAugError, InputError
from gmaug_core.workspace.grouping import Grouping

A, B, C = (Grouping("g", {name: ["x", "y"]}) for name in "abc")


def names(dataset: str = "d") -> list[str]:
    stored = workspace.load_grouping(dataset, "g")
    assert stored
    return list(stored[0].super_classes)


def test_save_load_and_revisions(home):
    assert workspace.load_grouping("d", "g") is None
    assert workspace.save_grouping("d", A, revision=0) == 1
    assert workspace.save_grouping("d", B, revision=1) == 2
    assert workspace.load_grouping("d", "g") == (B, 2)
    assert workspace.grouping_names("d") == ["g"]


def test_a_stale_edit_is_a_conflict_and_changes_nothing(home):
    workspace.save_grouping("d", A, revision=0)
    workspace.save_grouping("d", B, revision=1)
    with pytest.raises(Conflict, match="changed by somebody else"):
        workspace.save_grouping("d", C, revision=1)
    assert names() == ["b"]


def test_undo_and_redo_across_sessions(home):
    revision = workspace.save_grouping("d", B, revision=0, base=A)
    revision = workspace.save_grouping("d", C, revision=revision)
    revision = workspace.undo_grouping("d", "g", revision=revision)
    assert names() == ["b"]
    revision = workspace.undo_grouping("d", "g", revision=revision)
    assert names() == ["a"]
    with pytest.raises(InputError, match="nothing to undo"):
        workspace.undo_grouping("d", "g", revision=revision)
    revision = workspace.redo_grouping("d", "g", revision=revision)
    revision = workspace.redo_grouping("d", "g", revision=revision)
    assert names() == ["c"]
    with pytest.raises(InputError, match="nothing to redo"):
        workspace.redo_grouping("d", "g", revision=revision)


def _edit(folder: str, worker: int, edits: int, done: multiprocessing.Queue) -> None:
    import os

    os.environ["GMAUG_HOME"] = folder
    rng = random.Random(worker)
    acknowledged = []
    for edit in range(edits):
        while True:
            stored = workspace.load_grouping("d", "g")
            groups, revision = stored or (Grouping("g", {"all": []}), 0)
            name = f"{worker}-{edit}"
            try:
                workspace.save_grouping(
                    "d", Grouping("g", {**groups.super_classes, name: [str(rng.random())]}), revision=revision
                )
            except Conflict:
                continue
            acknowledged.append(name)
            break
    done.put(acknowledged)


def test_no_update_is_lost_between_editors(home):
    home()
    queue: multiprocessing.Queue = multiprocessing.Queue()
    editors = [
        multiprocessing.Process(target=_edit, args=(str(home), worker, 10, queue)) for worker in range(4)
    ]
    for editor in editors:
        editor.start()
    acknowledged = [name for _ in editors for name in queue.get(timeout=120)]
    for editor in editors:
        editor.join()
    assert set(names()) == {"all", *acknowledged} and len(acknowledged) == 40


def test_reviews_and_audit(home):
    workspace.save_reviews("r", {1: "keep", 2: "reject"})
    workspace.save_reviews("r", {1: None})
    assert workspace.load_reviews("r") == {2: "reject"}
    with pytest.raises(InputError):
        workspace.save_reviews("r", {1: "maybe"})
    assert [row["action"] for row in workspace.audit_trail()] == ["sample reviewed"] * 3


def test_a_damaged_database_is_named_and_left_alone(home):
    home()
    (home / "workspace.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(GMAugError, match="cannot be used"):
        workspace.load_grouping("d", "g")
    assert (home / "workspace.db").read_bytes().startswith(b"not a database")


def test_a_newer_database_is_refused(home):
    import sqlite3

    workspace.audit("x", "y")
    connection = sqlite3.connect(home / "workspace.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(GMAugError, match="newer version"):
        workspace.audit("x", "y")
