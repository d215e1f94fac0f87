"""Who is signed in, at the foot of the sidebar, and the way out."""

from __future__ import annotations

import streamlit as st

from gmaug_core.ui import text
from gmaug_core.workspace import people, sharing


def draw() -> None:
    """The person and their role, in shared mode; the link that signs out, always."""
    actor = people.current()
    if actor is not None and sharing.load() is not None:
        st.caption(f"{text.md(actor.name or actor.id)}, {actor.role}")
    st.markdown("[Sign out](/access/sign-out)")
