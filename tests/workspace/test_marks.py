"""Notes, tags and the pinned run: kept, replaced, and one pin among the runs of a dataset."""

from __future__ import annotations

import pytest

from gmaug_core.errors import InputError
from gmaug_core.workspace import marks
from gmaug_core.workspace.marks import Mark


def test_a_note_takes_the_place_of_the_one_before(home):
    assert marks.load() == {}
    marks.note("a", " first ", ["x", " x ", "", "y"])
    assert marks.load() == {"a": Mark("first", ("x", "y"))}
    marks.note("a", "second", [])
    assert marks.load() == {"a": Mark("second")}
    with pytest.raises(InputError, match="too long"):
        marks.note("a", "n" * 501, [])


def test_one_run_of_many_is_pinned_and_unpinned(home):
    marks.note("a", "kept", [])
    marks.pin("a", ["a", "b", "c"])
    marks.pin("b", ["a", "b", "c"])
    assert {run: mark.pinned for run, mark in marks.load().items()} == {"a": False, "b": True}
    marks.pin("b", ["a", "b", "c"])
    assert not any(mark.pinned for mark in marks.load().values())
    assert marks.load()["a"].note == "kept"
