"""A dataset from the browser: drag and drop, in slices, straight to disk through our own route (never through
memory).
"""

from __future__ import annotations

import streamlit as st

from gmaug_core.intake import jobs
from gmaug_core.ui import ASSETS
from gmaug_core.ui.routes import MAX_UPLOAD, upload_ticket

SLICE = 8_000_000  # bytes; what is lost when a connection breaks
TOKEN = "upload-token"

_component = st.components.v2.component(
    "gmaug_uploader",
    html="<div></div>",
    css=(ASSETS / "uploader.css").read_text("utf-8"),
    js=(ASSETS / "uploader.js").read_text("utf-8"),
)


def uploader() -> None:
    """Draw the drop zone.

    The server starts the import itself when the last slice is there; the page is told, and reruns.
    """
    token = st.session_state.get(TOKEN)
    if token is None or jobs.status(token):
        token = st.session_state[TOKEN] = jobs.new_token()
    _component(
        key="uploader",
        data={
            "address": f"/uploads/{token}",
            "ticket": upload_ticket(token),
            "slice": SLICE,
            "limit": MAX_UPLOAD,
        },
        on_done_change=lambda: None,
    )
