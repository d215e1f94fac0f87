"""The super-class board: panels are super-classes, cards are sub-classes.

Moved by mouse or keyboard, saved at once.

The browser shows an operation at once and sends it; `workspace.groupings` decides what it does, as a
revision of its own, and what it answers is what the browser then shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Conflict, GMAugError
from gmaug_core.ui import ASSETS, visitor
from gmaug_core.ui.operations import Acknowledged, Operation, script
from gmaug_core.ui.routes import images_url
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import IDENTITY, NAME_LENGTH, Grouping

SHOTS = 4  # thumbnails a card
LATE = "Somebody else changed this grouping first. You see the newer version; your last edit was not saved."

_component = st.components.v2.component(
    "gmaug_board",
    html="<div></div>",
    css=(ASSETS / "board.css").read_text("utf-8"),
    js=script("operations.mjs", "elements.mjs", "board_logic.mjs", "board_dialogs.mjs", "board.js"),
)


@dataclass
class State(Acknowledged):
    """What one tab sees of one grouping."""

    dataset: str
    grouping: Grouping
    revision: int


def open_state(data: Dataset, name: str) -> State:
    """The stored grouping, or the import's proposal of that name. Raises InputError when there is neither."""
    return State(data.id, *groupings.current(data, name))


def apply_ops(state: State, sent: object) -> State:
    """Do what the browser has not had acknowledged, one revision an operation. Changes and returns state.

    An operation that cannot be done is dropped and said in state.problem. When somebody else was faster,
    nothing of theirs is overwritten: the rest of the operations is dropped, and the state becomes the newer
    version.
    """
    with state.lock:
        fresh = state.fresh(sent)
        for number, op in fresh:
            state.problem = ""
            try:
                _nothing_between(state, op)
                state.grouping, state.revision = groupings.edit(
                    state.dataset, state.grouping, state.revision, op
                )
            except Conflict:
                _take_over(state)
                state.acknowledge(fresh)
                state.problem = LATE
                break
            except GMAugError as error:
                state.problem = str(error)
            state.acknowledge([(number, op)])
    return state


def _nothing_between(state: State, op: Operation) -> None:
    """Raises Conflict where a page that was reloaded sends what it had no answer to, and somebody else
    changed the grouping after it was done: an undo would take theirs back."""
    after = op.get("after")
    if state.again(op) and isinstance(after, int) and state.revision > after:
        raise Conflict("the grouping was changed meanwhile")


def refresh(state: State) -> State:
    """Take over what is stored when it is newer than what this tab has seen."""
    with state.lock:
        _take_over(state)
    return state


def _take_over(state: State) -> None:
    state.grouping, state.revision = groupings.newer(state.dataset, state.grouping, state.revision)


def board(data: Dataset, name: str) -> State:
    """Draw the board of a grouping and deal with what its person did. Returns the state after that."""
    key = f"board-{data.id}-{name}"
    if key not in st.session_state:
        st.session_state[key] = open_state(data, name)
    state: State = refresh(st.session_state[key])

    def receive() -> None:
        apply_ops(st.session_state[key], (st.session_state.get(f"{key}-view") or {}).get("ops"))

    if (
        f"shots-{data.id}" not in st.session_state
    ):  # not setdefault, which would look through all labels every time
        st.session_state[f"shots-{data.id}"] = pictures.shots(data, SHOTS)
    shots = st.session_state[f"shots-{data.id}"]
    _component(
        key=f"{key}-view",
        data={
            "board": key,
            "log": visitor.own(key),
            "mount": state.mount,
            "ack": state.ack,
            "revision": state.revision,
            "steps": groupings.steps(data.id, name),
            "problem": state.problem,
            "locked": name == IDENTITY,
            "name_length": NAME_LENGTH,
            "pictures": images_url(data.id),
            "groups": [[title, list(subs)] for title, subs in state.grouping.super_classes.items()],
            "classes": {
                sub: [data.counts.get(sub, 0), shots[sub], number]
                for number, sub in enumerate(data.class_names)
            },
        },
        on_ops_change=receive,
    )
    return state
