"""Columns that go below one another where there is no room: a sidebar leaves 500 px of an 800 px window.

And pictures that travel inside the page.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def columns(spec: int | Sequence[float], *, key: str, least: float = 20.0) -> list[DeltaGenerator]:
    """st.columns, each at least `least` rem wide. key: letters and '-', unique on the page."""
    st.html(f"<style>.st-key-{key} [data-testid='stColumn'] {{ min-width: min(100%, {least}rem); }}</style>")
    with st.container(key=key):
        return st.columns(spec)


def picture_tag(png: bytes, *, width: int, alt: str) -> str:
    """HTML of a small picture that travels inside the page itself: a rerun cannot take it away before the
    browser asked for it, as it can with st.image. alt: what it shows, as plain text.
    """
    data = base64.b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" width="{width}" alt="{html.escape(alt, quote=True)}">'


def picture(png: bytes, *, alt: str, width: str = "100%") -> None:
    """A picture that travels inside the page, as wide as it is where there is room, at most `width`."""
    data = base64.b64encode(png).decode("ascii")
    st.html(
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt, quote=True)}" '
        f'style="max-width: {width}">'
    )


def image(address: str, *, alt: str) -> None:
    """A picture of one of our own routes, as wide as there is room. alt: what it shows, as plain text."""
    st.html(
        f'<img src="{html.escape(address, quote=True)}" alt="{html.escape(alt, quote=True)}" '
        'style="max-width: 100%">'
    )
