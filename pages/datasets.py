"""Datasets: import, look, choose."""

from __future__ import annotations

import streamlit as st

from gmaug_core.ui import text
from gmaug_core.ui.choice import chosen

st.title("Datasets", anchor=False)
data = chosen()
st.markdown(text.md(data.name))
