"""Deleting on screen: a button that moves something to the bin, and the bin."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from gmaug_core.errors import InputError
from gmaug_core.runs import bin as bins
from gmaug_core.runs.bin import DAYS, Binned
from gmaug_core.ui import address, outcome, text


def delete_button(what: str, action: Callable[[], Binned], *, key: str, also: str = "") -> None:
    """A button behind a second one, which says what will happen. what: 'this run'; also: what goes too."""

    def deleted() -> str:
        entry = action()
        address.forget(entry.subject)
        return f"Moved {text.md(entry.name)} to the bin, where it stays for {DAYS} days: see page Datasets."

    with st.popover("Delete", icon=":material/delete:", key=f"{key}-asked"):
        st.markdown(f"Move {what} to the bin?{also} It can be restored for {DAYS} days.")
        st.button("Move to the bin", key=key, on_click=outcome.attempt, args=(deleted,))


def instead(subject: str) -> str:
    """Where a dataset or run that an address names is, where it is in the bin; else empty. A sentence."""
    try:
        entry = bins.find(subject)
    except InputError:
        return ""
    return f" It is in the bin, for {entry.days_left:.0f} days more: restore it on page Datasets."


def contents() -> None:
    """The bin, where there is anything in it."""
    entries = bins.listed()
    if not entries:
        return
    with st.expander(f"Bin ({len(entries)})", icon=":material/delete:", key="bin"):
        for entry in entries:
            _one(entry)
        st.button(
            f"Empty the bin ({text.size(sum(entry.size for entry in entries))})",
            key="bin-empty",
            on_click=outcome.attempt,
            args=(lambda: f"{text.size(bins.empty(entries))} are free again.",),
            help="Deletes all of it for good.",
        )


def _one(entry: Binned) -> None:
    def restored() -> str:
        if entry.id not in {each.id for each in bins.listed()}:
            return f"{text.md(entry.name)} is no longer in the bin: somebody was faster."
        return f"{text.md(bins.restore(entry.id).name)} is back."

    runs = f" with {text.plural(len(entry.runs), 'run')}" if entry.runs else ""
    with st.container(horizontal=True, vertical_alignment="center", key=f"binned-{entry.id}"):
        st.markdown(
            f"{entry.kind.capitalize()} **{text.md(entry.name)}**{runs} · {text.size(entry.size)} · deleted "
            f"{text.when(entry.deleted)} by {text.md(entry.person)} · {entry.days_left:.0f} days left"
        )
        st.button("Restore", key=f"restore-{entry.id}", on_click=outcome.attempt, args=(restored,))
