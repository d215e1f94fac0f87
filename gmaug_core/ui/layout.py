"""Columns that go below one another where there is no room: a sidebar leaves 500 px of an 800 px window."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def columns(spec: int | Sequence[float], *, key: str, least: float = 20.0) -> list[DeltaGenerator]:
    """st.columns, each at least `least` rem wide. key: letters and '-', unique on the page."""
    st.html(f"<style>.st-key-{key} [data-testid='stColumn'] {{ min-width: min(100%, {least}rem); }}</style>")
    with st.container(key=key):
        return st.columns(spec)
