"""Where new runs compute: asked once a session, in the sidebar, where the server's settings name a cluster.

Only they do: whoever may name an address could send programs to it.
"""

from __future__ import annotations

import streamlit as st

from gmaug_core.runs import cluster
from gmaug_core.runs.backends import Backend, backend
from gmaug_core.ui import text

KEY = "place-of-runs"


def picker() -> None:
    """The choice, where there is one."""
    address = cluster.offered()
    if address is None:
        return
    st.radio(
        "New runs compute on",
        ["local", "ray"],
        format_func={"local": "this machine", "ray": f"the cluster {text.plain(address)}"}.__getitem__,
        key=KEY,
        persist_state="session",
    )


def key() -> str:
    """What this session chose, as a name of a backend."""
    return st.session_state.get(KEY) or "local" if cluster.offered() else "local"


def chosen() -> Backend:
    """The same. Raises InputError for an address of the server's settings that is none."""
    return backend(key())
