"""Imports on screen: those at work, with progress, and what the last ones did.

The work itself is in gmaug_core.intake.jobs.
"""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from gmaug_core.intake import jobs
from gmaug_core.ui import choice, outcome, text
from gmaug_core.workspace import people

FRESH_S = 900.0  # an import that ended this long ago or less is still told about
TICK_S = 1.0


def news() -> list[dict[str, Any]]:
    """Imports to tell about: anybody's at work; one's own that ended a moment ago and was not dismissed."""
    now, me = time.time(), people.name()
    return [
        state
        for state in jobs.recent()
        if state["state"] == "running"
        or (
            state["person"] == me
            and now - state.get("ended", state["started"]) < FRESH_S
            and not jobs.dismissed(state["token"])
        )
    ]


def show() -> None:
    """Draw them; while one is at work this part of the page looks again every second, and the page once when
    it has ended.
    """
    active = any(state["state"] == "running" for state in news())

    @st.fragment(run_every=TICK_S if active else None)
    def live() -> None:
        states = news()
        for state in states:
            _one(state)
        if active and not any(state["state"] == "running" for state in states):
            done = next((state for state in states if state["state"] == "finished"), None)
            if done and done["dataset"]:
                choice.choose(done["dataset"])
            st.rerun()

    live()


def _one(state: dict[str, Any]) -> None:
    name = text.md(state["name"] or state["source"].rsplit("/", 1)[-1])
    if state["state"] == "running":
        total = state["total"]
        words = (
            f"Importing **{name}**: {text.count(state['step'])} of {text.plural(total, 'file')}"
            if total
            else f"Importing **{name}**: reading its list of files"
        )
        st.progress(min(1.0, state["step"] / total) if total else 0.0, text=words)
        return
    told, dismiss = st.columns((8, 1), vertical_alignment="center")
    with told:
        if state["state"] == "finished":
            _finished(state, name)
        else:
            text.error_box(state["error"])
            if ways := state.get("readings"):
                _choice(state["token"], ways)
    with dismiss:
        st.button(
            "Dismiss",
            type="tertiary",
            key=f"dismiss-{state['token']}",
            on_click=outcome.attempt,
            args=(jobs.dismiss, state["token"]),
        )


def _choice(token: str, ways: list[dict[str, Any]]) -> None:
    """The ways in which the labels can be read, and a button that imports in the chosen one."""
    key = f"reading-{token}"
    st.radio(
        "Which one do you mean?",
        range(len(ways)),
        format_func=lambda k: text.md(ways[k]["words"]),
        key=key,
    )
    st.button(
        "Import it so",
        key=f"so-{token}",
        type="primary",
        on_click=outcome.attempt,
        args=(_choose, token, key),
    )


def _choose(token: str, key: str) -> None:
    jobs.choose(token, st.session_state[key])
    jobs.dismiss(token)


def _finished(state: dict[str, Any], name: str) -> None:
    if "run" in state:
        st.success(text.md(state["words"]), icon=":material/unarchive:")
        return
    report = state["report"]
    if not report["created"]:
        st.info(
            f"**{name}** was here already: the same images make the same dataset. Nothing was added.",
            icon=":material/content_copy:",
        )
        return
    words = f"**{name}** is imported: {text.plural(report['accepted'], 'image')}"
    words += f" of {text.plural(len(report['counts']), 'sub-class')}"
    refused = len(report["refused"])
    words += (
        f"; {text.plural(refused, 'file')} refused, each with its reason in its import report."
        if refused
        else "."
    )
    if concerns := len(report.get("warnings", ())):
        words += f" {text.plural(concerns, 'thing')} to look at in its import report."
    if layout := report.get("layout"):
        words += f" Read as {text.md(layout)}."
    st.success(words, icon=":material/check_circle:")
    if state["dataset"] != st.session_state.get(choice.KEY):  # it ended while nobody looked
        st.button(
            "Look at it",
            key=f"imported-{state['token']}",
            on_click=choice.choose,
            args=(state["dataset"],),
        )
