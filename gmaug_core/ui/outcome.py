"""What the last action of a page did, said once at the page's next run: a callback cannot write on it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from gmaug_core.errors import GMAugError
from gmaug_core.ui import text

_KEY = "outcome"


def attempt(action: Callable[..., str | None], *given: object) -> None:
    """Do something as a callback, with what is given. It returns what there is to say, in Markdown; what goes
    wrong is said instead, and what was stored before is unchanged."""
    try:
        st.session_state[_KEY] = action(*given)
    except GMAugError as error:
        st.session_state[_KEY] = error


def said() -> None:
    """Say it, where there is anything to say: the frame does, above every page."""
    match st.session_state.pop(_KEY, None):
        case GMAugError() as error:
            text.error_box(error)
        case str(words):
            st.success(words, icon=":material/check_circle:")
