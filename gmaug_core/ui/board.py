"""The super-class board: panels are super-classes, cards are sub-classes. Moved by mouse or keyboard, saved at once.

Component events are lossy (queued reruns merge, the newest value wins), so the browser keeps a log of operations and sends
all that are not acknowledged; here each is applied once, in order, as a revision of its own. What reaches the database is
decided by apply_ops, a plain function.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from gmaug_core import workspace
from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Conflict, GMAugError, InputError
from gmaug_core.runs import launch
from gmaug_core.ui import ASSETS
from gmaug_core.ui.routes import images_url
from gmaug_core.workspace.grouping import IDENTITY, Grouping

SHOTS = 4  # thumbnails a card
NAME_LENGTH = 80

_component = st.components.v2.component(
    "gmaug_board",
    html="<div></div>",
    css=(ASSETS / "board.css").read_text("utf-8"),
    js=(ASSETS / "board.js").read_text("utf-8"),
)


@dataclass
class State:
    """What one tab sees of one grouping. ack: the last operation of this mount that was dealt with."""

    dataset: str
    grouping: Grouping
    revision: int
    mount: str = field(default_factory=lambda: secrets.token_hex(4))
    ack: int = 0
    problem: str = ""
    # a quick second event starts a second script thread of the same tab while the first one still saves
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)


def open_state(dataset_id: str, name: str) -> State:
    """The stored grouping, or the import's proposal of that name. Raises InputError when there is neither."""
    grouping, revision = launch.grouping_of(dataset_id, name)
    return State(dataset_id, grouping, revision)


def apply_ops(state: State, ops: Any) -> State:
    """Apply what the browser has not had acknowledged, one revision an operation, and acknowledge it. Changes and returns state.

    An operation that cannot be done is dropped and said in state.problem. When somebody else was faster, nothing of theirs
    is overwritten: the rest of the operations is dropped, and the state becomes the newer version.
    """
    with state.lock:
        for op in ops if isinstance(ops, list) else []:
            if (
                not isinstance(op, Mapping)
                or op.get("mount") != state.mount
                or not isinstance(op.get("n"), int)
                or op["n"] <= state.ack
            ):
                continue  # of an earlier session of this page, or dealt with already
            state.problem = ""
            try:
                _apply(state, op)
            except Conflict:
                _take_over(state)
                op = {
                    "n": max(
                        item["n"]
                        for item in ops
                        if isinstance(item, Mapping) and isinstance(item.get("n"), int)
                    )
                }
                state.problem = "Somebody else changed this grouping first. You see the newer version; your last edit was not saved."
            except GMAugError as error:
                state.problem = str(error)
            state.ack = op["n"]
    return state


def refresh(state: State) -> State:
    """Take over what is stored when it is newer than what this tab has seen."""
    with state.lock:
        _take_over(state)
    return state


def _take_over(state: State) -> None:
    stored = workspace.load_grouping(state.dataset, state.grouping.name)
    if stored and stored[1] != state.revision:
        state.grouping, state.revision = stored


def _apply(state: State, op: Mapping[str, Any]) -> None:
    if state.grouping.name == IDENTITY:
        raise InputError("the identity grouping stays as it is", todo="make a copy and edit that")
    if op.get("do") in ("undo", "redo"):
        step = workspace.undo_grouping if op["do"] == "undo" else workspace.redo_grouping
        step(state.dataset, state.grouping.name, revision=state.revision)
        _take_over(state)
        return
    edited = edit(state.grouping, op)
    if list(edited.super_classes.items()) != list(state.grouping.super_classes.items()):
        base = state.grouping if state.revision == 0 else None
        state.revision = workspace.save_grouping(state.dataset, edited, revision=state.revision, base=base)
        state.grouping = edited


def edit(grouping: Grouping, op: Mapping[str, Any]) -> Grouping:
    """The grouping after one operation: move {subs, to}, add {name}, rename {name, to}, remove {name} (an empty one).

    Raises InputError for what cannot be done; the partition invariant holds by construction.
    """
    match op:
        case {"do": "move", "subs": list(subs), "to": str(to)}:
            for sub in subs:
                if grouping.super_of.get(sub) != to.strip():
                    grouping = grouping.move(sub, _short(to))
            return grouping
        case {"do": "add", "name": str(name)}:
            return grouping.add(_short(name))
        case {"do": "rename", "name": str(name), "to": str(to)}:
            return grouping.rename(name, _short(to))
        case {"do": "remove", "name": str(name)}:
            if grouping.super_classes.get(name) != ():
                raise InputError(
                    f"super-class '{name}' cannot be removed",
                    expected="an empty super-class",
                    todo="move its sub-classes first",
                )
            return Grouping(
                grouping.name, {key: subs for key, subs in grouping.super_classes.items() if key != name}
            )
    raise InputError("the board sent an edit that is not known", todo="reload the page")


def _short(name: str) -> str:
    if len(name.strip()) > NAME_LENGTH:
        raise InputError(
            f"'{name.strip()[:20]}…' is too long for a name", expected=f"at most {NAME_LENGTH} characters"
        )
    return name


def board(data: Dataset, name: str) -> State:
    """Draw the board of a grouping and deal with what its person did. Returns the state after that."""
    key = f"board-{data.id}-{name}"
    if key not in st.session_state:
        st.session_state[key] = open_state(data.id, name)
    state: State = refresh(st.session_state[key])

    def receive() -> None:
        apply_ops(st.session_state[key], (st.session_state.get(f"{key}-view") or {}).get("ops"))

    shots = st.session_state.setdefault(f"shots-{data.id}", pictures.shots(data, SHOTS))
    _component(
        key=f"{key}-view",
        data={
            "board": key,
            "mount": state.mount,
            "ack": state.ack,
            "revision": state.revision,
            "problem": state.problem,
            "locked": name == IDENTITY,
            "pictures": images_url(data.id),
            "groups": [[title, list(subs)] for title, subs in state.grouping.super_classes.items()],
            "classes": {sub: [data.counts.get(sub, 0), shots[sub]] for sub in data.class_names},
        },
        on_ops_change=receive,
    )
    return state
