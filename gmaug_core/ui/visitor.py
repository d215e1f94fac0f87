"""Who acts in a page's script: the visitor whose session its websocket belongs to."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gmaug_core.ui import gate
from gmaug_core.workspace import people, sessions, sharing
from gmaug_core.workspace.people import Actor


def known() -> Actor | None:
    """The visitor of the page that runs in this thread, with the role that they have now; None once their
    session has ended. Where no page runs, the server does its own work."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return people.local()
    key = st.context.headers.get(gate.SESSION, "")
    return gate.actor_of(sessions.find(key), sharing.load())


def own(name: str) -> str:
    """A name of something in the browser that is nobody else's, whoever signs in next in the same tab."""
    actor = known()
    return f"{name}-{actor.id if actor else ''}"
