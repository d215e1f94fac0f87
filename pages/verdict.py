"""Verdict: before a generator is trained, what can be gained, what can be seen, what is free."""

from __future__ import annotations

import streamlit as st

from gmaug_core import config, runs
from gmaug_core.errors import InputError
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.ui import launching, layout, live, record, text, verdict
from gmaug_core.ui.choice import chosen, grouping_of
from gmaug_core.workspace import groupings

st.title("Verdict", anchor=False)
data = chosen()
st.markdown(
    "Is a generator worth training for these images? Measured on the images themselves, without looking at a "
    "test image: what more images would add, what a run could see, and what costs nothing."
)
known = runs.list_runs("verdict", data.id)
answer = st.container(key="verdict-head")  # before the form and the run picker: it is what one comes for

with st.expander("New verdict", icon=":material/add_circle:", expanded=not known):
    left, right = layout.columns(2, key="verdict-settings", least=18)
    with left:
        reading = st.radio(
            "Reading",
            ["full", "fast"],
            format_func={"full": "Full", "fast": "Fast"}.__getitem__,
            horizontal=True,
            key="verdict-reading",
        )
        st.caption(
            "**Full** trains the run's own classifier within the minutes. **Fast** is the first half minute "
            "of it: random patches and ridge regression, no network."
        )
        minutes = st.number_input(
            "Minutes", 0.2, 1440.0, 6.0, key="verdict-minutes", disabled=reading == "fast"
        )
    with right:
        preset = st.radio(
            "About a run of the preset",
            list(config.PRESETS),
            format_func=str.capitalize,
            horizontal=True,
            key="verdict-preset",
        )
        st.caption(config.PRESETS[preset].words)
        seeds = st.number_input(
            "Seeds of that run",
            1,
            100,
            3,
            key="verdict-seeds",
            help="With more seeds a smaller gain can be told from luck.",
        )
        names = groupings.names(data)
        grouping = st.selectbox(
            "Grouping, for the score",
            names,
            index=grouping_of(data, names),
            format_func=text.grouping,
            key=f"verdict-grouping-{data.id}",
        )
    if st.button("Measure", type="primary", icon=":material/balance:", key="verdict-start"):
        overrides = {"grouping": grouping, "seeds": seeds}
        try:
            about = launching.resolve(data, preset, config.PRESETS[preset].generator, overrides)
            wanted = config.VerdictConfig.about(about, minutes=minutes, fast=reading == "fast")
        except InputError as error:
            text.error_box(error)
        else:
            launching.start(wanted, data)

if not known:
    launching.name_damaged("verdict")
    text.empty(
        "No verdict yet",
        "Press **Measure**. It works in the background: you can close this page, and come back.",
    )
    st.stop()

paths = live.finished("verdict", data.id)
found = Verdict.read(paths.result)
with answer:
    verdict.answer(found)
    verdict.numbers(found)
verdict.witnesses(found)
record.show()
live.show(paths.id)
text.what_next(
    ("augmentation", "To the augmentation run", "play_circle"),
    ("equivalence", "What one synthetic image is worth", "swap_horiz"),
    ("super_classes", "Change the super-classes", "account_tree"),
)
