"""Stored groupings: revisions, conflicts, undo and redo; the rules of an edit; what there is to choose
from.
"""

from __future__ import annotations

import multiprocessing
import random

import pytest

from gmaug_core.data import dataset
from gmaug_core.errors import Conflict, InputError
from gmaug_core.workspace import database, groupings
from gmaug_core.workspace.grouping import IDENTITY, Grouping

A, B, C = (Grouping("g", {name: ["x", "y"]}) for name in "abc")


def names(dataset: str = "d") -> list[str]:
    stored = groupings.load(dataset, "g")
    assert stored
    return list(stored[0].super_classes)


def test_save_load_and_revisions(home):
    assert groupings.load("d", "g") is None
    assert groupings.save("d", A, revision=0) == 1
    assert groupings.save("d", B, revision=1) == 2
    assert groupings.load("d", "g") == (B, 2)
    assert groupings.stored("d") == ["g"]


def test_a_stale_edit_is_a_conflict_and_changes_nothing(home):
    groupings.save("d", A, revision=0)
    groupings.save("d", B, revision=1)
    with pytest.raises(Conflict, match="changed by somebody else"):
        groupings.save("d", C, revision=1)
    assert names() == ["b"]


def test_undo_and_redo_across_sessions(home):
    revision = groupings.save("d", B, revision=0, base=A)
    revision = groupings.save("d", C, revision=revision)
    revision = groupings.undo("d", "g", revision=revision)
    assert names() == ["b"]
    revision = groupings.undo("d", "g", revision=revision)
    assert names() == ["a"]
    with pytest.raises(InputError, match="nothing to undo"):
        groupings.undo("d", "g", revision=revision)
    revision = groupings.redo("d", "g", revision=revision)
    revision = groupings.redo("d", "g", revision=revision)
    assert names() == ["c"]
    with pytest.raises(InputError, match="nothing to redo"):
        groupings.redo("d", "g", revision=revision)


def _edit(folder: str, worker: int, edits: int, done: multiprocessing.Queue) -> None:
    import os

    os.environ["GMAUG_HOME"] = folder
    rng = random.Random(worker)
    acknowledged = []
    for edit in range(edits):
        while True:
            stored = groupings.load("d", "g")
            groups, revision = stored or (Grouping("g", {"all": []}), 0)
            name = f"{worker}-{edit}"
            try:
                groupings.save(
                    "d", Grouping("g", {**groups.super_classes, name: [str(rng.random())]}), revision=revision
                )
            except Conflict:
                continue
            acknowledged.append(name)
            break
    done.put(acknowledged)


def test_no_update_is_lost_between_editors(home):
    database.path()  # the folder is made
    queue: multiprocessing.Queue = multiprocessing.Queue()
    editors = [
        multiprocessing.Process(target=_edit, args=(str(home), worker, 10, queue)) for worker in range(4)
    ]
    for editor in editors:
        editor.start()
    acknowledged = [name for _ in editors for name in queue.get(timeout=120)]
    for editor in editors:
        editor.join()
    assert set(names()) == {"all", *acknowledged}
    assert len(acknowledged) == 40


def test_history_says_who_made_what_and_where_the_grouping_stands(home):
    revision = groupings.save("d", B, revision=0, base=A, person="ada")
    revision = groupings.save("d", C, revision=revision, person="ben")
    groupings.undo("d", "g", revision=revision, person="cleo")
    made = groupings.history("d", "g")
    assert [(list(item.grouping.super_classes), item.person) for item in made] == [
        (["a"], "ada"),
        (["b"], "ada"),
        (["c"], "ben"),
    ]
    assert [item.current for item in made] == [False, True, False]
    assert [item.parent for item in made] == [0, made[0].number, made[1].number]
    assert groupings.history("d", "never stored") == []


def test_an_edit_is_stored_and_undone_like_on_the_board(home):
    seen, revision = Grouping("mine", {"x": ["a", "b"], "y": []}), 0
    seen, revision = groupings.edit("d", seen, revision, {"do": "move", "subs": ["a"], "to": " y "})
    assert (dict(seen.super_classes), revision) == ({"x": ("b",), "y": ("a",)}, 1)
    assert groupings.edit("d", seen, revision, {"do": "move", "subs": ["a"], "to": "y"}) == (seen, 1)
    before, revision = groupings.edit("d", seen, revision, {"do": "undo"})
    assert dict(before.super_classes) == {"x": ("a", "b"), "y": ()}
    assert revision == 2
    assert groupings.edit("d", before, revision, {"do": "redo"})[0] == seen
    with pytest.raises(Conflict):
        groupings.edit("d", before, revision, {"do": "add", "name": "late"})
    assert groupings.newer("d", before, revision) == (seen, 3)
    with pytest.raises(InputError, match="stays as it is"):
        groupings.edit("d", Grouping(IDENTITY, {"a": ["a"]}), 0, {"do": "add", "name": "z"})


def test_a_name_is_checked_where_it_is_new():
    groups = Grouping("g", {"long" * 30: ["a"], "y": ["b"]})
    assert groups.move("b", "long" * 30).super_of["b"] == "long" * 30
    for bad in ("", "  ", "n" * 81):
        for act in (lambda name: groups.move("a", name), groups.add, lambda name: groups.rename("y", name)):
            with pytest.raises(InputError):
                act(bad)
    with pytest.raises(InputError, match="already"):
        groups.add(" y ")
    with pytest.raises(InputError, match="cannot be removed"):
        groups.remove("y")
    assert list(groups.move("b", "z").remove("y").super_classes) == ["long" * 30, "z"]


def test_what_there_is_to_choose_from_comes_from_the_open_dataset(demo, monkeypatch):
    data = dataset.load(demo)
    monkeypatch.setattr(dataset, "load", None)  # nothing may open it again
    assert groupings.names(data) == ["shape", IDENTITY]
    assert groupings.current(data, "shape")[1] == 0
    name = groupings.add(data, " mine ", Grouping("x", {"all": list(data.class_names), "none": []}))
    assert groupings.names(data) == ["mine", "shape", IDENTITY]
    assert name == "mine"
    assert groupings.super_classes(data, "mine") == {"all": list(data.class_names)}
    with pytest.raises(InputError, match="no grouping 'nope'"):
        groupings.current(data, "nope")
    for taken in ("mine", "shape", " "):
        with pytest.raises(InputError, match="cannot be called"):
            groupings.add(data, taken, groupings.current(data, "shape")[0])
    with pytest.raises(InputError, match="in no super-class"):
        groupings.add(data, "half", Grouping("half", {"all": ["0"]}))


def test_what_there_is_to_undo_and_redo_is_known_beyond_the_tab(home):
    assert groupings.steps("d", "g") == (False, False)
    groupings.save("d", B, revision=0, base=A)
    assert groupings.steps("d", "g") == (True, False)
    groupings.undo("d", "g", revision=1)
    assert groupings.steps("d", "g") == (False, True)


def test_a_super_class_that_a_move_empties_goes_and_an_empty_one_stays():
    edited = Grouping("g", {"a": ["x"], "b": ["y", "z"], "new": []})
    edited = groupings.apply(edited, {"do": "move", "subs": ["x", "y"], "to": "b"})
    assert edited.super_classes == {"b": ("y", "z", "x"), "new": ()}
    edited = groupings.apply(edited, {"do": "alone", "subs": ["z", "x"]})
    assert edited.super_classes == {"b": ("y",), "new": (), "z": ("z",), "x": ("x",)}
    assert groupings.apply(edited, {"do": "alone", "subs": ["x"]}) == edited


def test_one_alone_does_not_take_a_name_that_is_in_use():
    edited = groupings.apply(Grouping("g", {"x": ["x", "y"]}), {"do": "alone", "subs": ["x"]})
    assert edited.super_classes == {"x": ("y",), "x 2": ("x",)}


def test_super_classes_are_put_in_order():
    before = Grouping("g", {"b": ["1"], "C": ["2", "3"], "a": []})
    order = lambda op: list(groupings.apply(before, op).super_classes)  # noqa: E731
    assert order({"do": "place", "name": "a", "before": "b"}) == ["a", "b", "C"]
    assert order({"do": "place", "name": "b", "before": ""}) == ["C", "a", "b"]
    assert order({"do": "sort", "by": "name"}) == ["a", "b", "C"]
    assert order({"do": "sort", "by": "size"}) == ["C", "b", "a"]
    for wrong in ({"do": "place", "name": "z", "before": ""}, {"do": "sort", "by": "luck"}):
        with pytest.raises(InputError):
            groupings.apply(before, wrong)
