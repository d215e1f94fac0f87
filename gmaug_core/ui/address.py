"""The address of a page, where it has the word: after the browser's own back and forward buttons."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def turned() -> bool:
    """Whether a person has just gone back or forward: the page then shows what the address names, whatever
    the session looked at last."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def forget(name: str) -> None:
    """Name something no longer, wherever the address does: it is gone, and its person has been told."""
    for key, value in list(st.query_params.items()):
        if value == name:
            del st.query_params[key]
