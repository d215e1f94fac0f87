"""Images made elsewhere on the Augmentation page: where they lie, and a run that measures them."""

from __future__ import annotations

import streamlit as st

from gmaug_core.config import PRESETS, SOURCES
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.intake import jobs
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.ui import launching, method_fields, text

SHOWN = "edm"  # whose preset says what the rule is at first: the same for every generator


def form(data: Dataset) -> None:
    """Ask for a folder or zip, and start the run that measures it. Says what was wrong in words."""
    st.markdown(SOURCES["folder"].words)
    path = st.text_input(
        "Folder or zip on this machine",
        key="elsewhere-path",
        placeholder="~/pictures/synthetic",
        help="One folder a class, named as the dataset names it.",
    )
    one, two = st.columns(2)
    preset = one.selectbox("Preset", list(PRESETS), format_func=str.capitalize, key="elsewhere-preset")
    seeds = two.number_input("Seeds", 1, 100, 3, key="elsewhere-seeds")
    with st.expander("Acceptance rule", icon=":material/tune:"):
        rule = method_fields.selection(launching.resolve(data, preset, SHOWN), f"elsewhere-{preset}")
    if not st.button("Measure them", icon=":material/balance:", key="elsewhere-start"):
        return
    try:
        with st.spinner("Looking through the images…"):
            given = take_in(jobs.allowed_path(path), data)
        overrides = {"generator": given.settings, "seeds": seeds, "selection": rule}
        config = launching.resolve(data, preset, "folder", overrides)
    except GMAugError as error:
        text.error_box(error)
        return
    launching.start(config, data)
