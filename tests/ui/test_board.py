"""The board's operations: applied once, in order, each saved as a revision; never over somebody else's
edit.
"""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmaug_core import workspace
from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.ui.board import LATE, State, apply_ops, open_state
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import IDENTITY, Grouping

SUBS = ("a", "b", "c", "d")


def state_of(**groups) -> State:
    return State("set", Grouping("mine", groups or {"x": SUBS[:2], "y": SUBS[2:]}), 0)


def ops(state: State, *items) -> list[dict]:
    return [{"n": state.ack + i, "mount": state.mount, **item} for i, item in enumerate(items, 1)]


def groups(state: State) -> dict:
    return {name: list(subs) for name, subs in state.grouping.super_classes.items()}


def test_each_operation_is_a_revision(home):
    state = state_of()
    sent = ops(
        state,
        {"do": "move", "subs": ["a", "c"], "to": "z"},
        {"do": "add", "name": " w "},
        {"do": "rename", "name": "x", "to": "first"},
        {"do": "remove", "name": "w"},
    )
    apply_ops(state, sent)
    assert groups(state) == {"first": ["b"], "y": ["d"], "z": ["a", "c"]}
    assert (state.ack, state.revision, state.problem) == (4, 4, "")
    assert workspace.groupings.load("set", "mine") == (state.grouping, 4)


def test_operations_that_come_again_are_applied_once(home):
    state = state_of()
    first, second = ops(state, {"do": "add", "name": "p"}, {"do": "move", "subs": ["a"], "to": "p"})
    apply_ops(state, [first])
    apply_ops(state, [first, second])
    apply_ops(state, [first, second])
    assert (state.revision, state.problem) == (2, "")
    assert groups(state)["p"] == ["a"]


def test_two_script_threads_of_one_tab_apply_every_operation_once(home):
    """A quick second event starts a second script run while the first one still saves."""
    state = state_of()
    sent = ops(state, *({"do": "move", "subs": ["a"], "to": "y" if i % 2 == 0 else "x"} for i in range(24)))
    threads = [threading.Thread(target=apply_ops, args=(state, sent[: 4 * k])) for k in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (state.ack, state.revision, state.problem) == (24, 24, "")


def reloaded(state: State) -> State:
    """What the page that comes next knows."""
    return State(state.dataset, *workspace.groupings.load(state.dataset, "mine"))


def test_the_page_after_a_reload_does_what_the_one_before_had_no_answer_to_and_does_it_once(home):
    first = state_of()
    done, lost = (
        {**op, "id": f"{first.mount}-{op['n']}", "after": op["n"] - 1}
        for op in ops(first, {"do": "add", "name": "p"}, {"do": "undo"})
    )
    apply_ops(first, [done])  # the answer never arrived, nor did the second
    then = reloaded(first)
    apply_ops(then, [{**done, "mount": then.mount}, {**lost, "mount": then.mount}])
    assert (then.ack, then.revision, then.problem) == (2, 2, "")
    assert groups(then) == {"x": ["a", "b"], "y": ["c", "d"]}
    apply_ops(last := reloaded(first), [{**lost, "n": 1, "mount": last.mount}])  # again no answer
    assert (last.ack, last.revision) == (1, 2)


def test_a_page_that_comes_back_takes_back_nothing_of_somebody_else(home):
    first = state_of()
    apply_ops(first, ops(first, {"do": "add", "name": "p"}))
    theirs = reloaded(first)
    undo = {**ops(first, {"do": "undo"})[0], "id": f"{first.mount}-2", "after": 1}  # never arrived
    apply_ops(theirs, ops(theirs, {"do": "move", "subs": ["a"], "to": "y"}))
    then = reloaded(first)
    apply_ops(then, [{**undo, "n": 1, "mount": then.mount}])
    assert (then.ack, then.revision, then.problem) == (1, 2, LATE)
    assert "a" in groups(then)["y"]


def test_operations_of_an_earlier_session_are_ignored(home):
    state = state_of()
    apply_ops(state, [{"n": 1, "mount": "other", "do": "add", "name": "p"}])
    assert (state.ack, state.revision) == (0, 0)


def test_undo_and_redo_reach_back_to_the_proposal(home):
    state = state_of()
    before = groups(state)
    apply_ops(state, ops(state, {"do": "move", "subs": ["a"], "to": "y"}))
    after = groups(state)
    apply_ops(state, ops(state, {"do": "undo"}))
    assert groups(state) == before
    apply_ops(state, ops(state, {"do": "redo"}))
    assert groups(state) == after
    apply_ops(state, ops(state, {"do": "redo"}))
    assert "nothing to redo" in state.problem
    assert groups(state) == after


def test_a_second_editor_sees_a_conflict_and_the_newer_version(home):
    mine, theirs = state_of(), state_of()
    apply_ops(theirs, ops(theirs, {"do": "move", "subs": ["a"], "to": "y"}))
    sent = ops(mine, {"do": "move", "subs": ["d"], "to": "x"}, {"do": "add", "name": "late"})
    apply_ops(mine, sent)
    assert "Somebody else" in mine.problem
    assert mine.ack == 2
    assert groups(mine) == groups(theirs)
    assert workspace.groupings.load("set", "mine")[1] == 1
    apply_ops(mine, ops(mine, {"do": "move", "subs": ["d"], "to": "x"}))
    assert (mine.problem, mine.revision) == ("", 2)


@pytest.mark.parametrize(
    "op",
    [
        {"do": "move", "subs": ["nobody"], "to": "x"},
        {"do": "move", "subs": ["a"], "to": "  "},
        {"do": "move", "subs": "a", "to": "x"},
        {"do": "add", "name": "x"},
        {"do": "add", "name": "n" * 81},
        {"do": "rename", "name": "x", "to": "y"},
        {"do": "rename", "name": "nobody", "to": "z"},
        {"do": "remove", "name": "x"},
        {"do": "undo"},
        {"do": "launch rockets"},
        {},
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(home, op):
    state = state_of()
    before = groups(state)
    apply_ops(state, ops(state, op))
    assert state.problem
    assert groups(state) == before
    assert state.ack == 1
    assert workspace.groupings.load("set", "mine") is None


@pytest.mark.parametrize("sent", [None, {}, "x", [None], [3], [{"n": "1"}], [{"n": 1}]])
def test_nonsense_from_the_browser_is_ignored(home, sent):
    state = state_of()
    apply_ops(state, sent)
    assert (state.ack, state.revision, state.problem) == (0, 0, "")


def test_the_identity_grouping_is_not_edited(demo):
    data = dataset.load(demo)
    state = open_state(data, IDENTITY)
    apply_ops(state, ops(state, {"do": "move", "subs": ["1"], "to": "0"}))
    assert "copy" in state.problem
    assert workspace.groupings.load(data.id, IDENTITY) is None


names = st.sampled_from(["x", "y", "z", " w ", ""])
subs = st.lists(st.sampled_from([*SUBS, "nobody"]), min_size=1, max_size=3)
edits = st.one_of(
    st.builds(lambda s, t: {"do": "move", "subs": s, "to": t}, subs, names),
    st.builds(lambda n: {"do": "add", "name": n}, names),
    st.builds(lambda n, t: {"do": "rename", "name": n, "to": t}, names, names),
    st.builds(lambda n: {"do": "remove", "name": n}, names),
)


@given(st.lists(edits, max_size=30))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_edits_keep_the_partition(items):
    grouping = state_of().grouping
    for item in items:
        try:
            grouping = groupings.apply(grouping, item)
        except InputError:
            continue
        grouping.validate(SUBS)
