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

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Conflict, GMAugError
from gmaug_core.ui import ASSETS
from gmaug_core.ui.routes import images_url
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import IDENTITY, Grouping

SHOTS = 4  # thumbnails a card

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


def open_state(data: Dataset, name: str) -> State:
    """The stored grouping, or the import's proposal of that name. Raises InputError when there is neither."""
    return State(data.id, *groupings.current(data, name))


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
                state.grouping, state.revision = groupings.edit(
                    state.dataset, state.grouping, state.revision, op
                )
            except Conflict:
                state.grouping, state.revision = groupings.newer(
                    state.dataset, state.grouping, state.revision
                )
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
        state.grouping, state.revision = groupings.newer(state.dataset, state.grouping, state.revision)
    return state


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
