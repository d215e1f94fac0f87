"""Super-classes."""

from __future__ import annotations

import streamlit as st

st.title("Super-classes", anchor=False)
