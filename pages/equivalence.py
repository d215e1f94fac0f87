"""Equivalence: what synthetic images are worth in real ones, measured on the user's own."""

from __future__ import annotations

import streamlit as st

from gmaug_core import runs
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.ui import equivalence, launching, live, text
from gmaug_core.ui.choice import chosen

st.title("Equivalence", anchor=False)
data = chosen()
st.markdown(
    "How many real images are your synthetic ones worth? Real images that were held back are the scale: "
    "classifiers with real ones added, and with accepted synthetic ones, from generators that saw the same "
    "base alone."
)
known = runs.list_runs("equivalence", data.id)

with st.expander("New measurement", icon=":material/add_circle:", expanded=not known):
    equivalence.form(data)

if not known:
    launching.name_damaged("equivalence")
    text.empty(
        "Nothing measured yet",
        "Press **Measure**. It works in the background: you can close this page, and come back.",
        page="verdict",
        label="See first whether more images would help at all",
    )
    st.stop()

paths = live.finished("equivalence", data.id)
found = EquivalenceResult.read(paths.result)
equivalence.answer(found)
equivalence.pictures(found)
equivalence.price(found)
equivalence.downloads(found)
live.show(paths.id)
text.what_next(
    ("verdict", "What more images could add at all", "balance"),
    ("augmentation", "To the augmentation run", "play_circle"),
)
