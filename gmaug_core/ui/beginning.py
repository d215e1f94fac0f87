"""Beginning a grouping on screen: a suggestion, the paper's three steps or nothing at all; and the steps."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from gmaug_core.data.dataset import Dataset
from gmaug_core.report import scores
from gmaug_core.ui import outcome, text
from gmaug_core.workspace import groupings, provenance
from gmaug_core.workspace.grouping import NAME_LENGTH, Grouping, identity
from gmaug_core.workspace.provenance import STEPS

WAYS = {
    "steps": "In three steps, as the paper does: species, habitat, details",
    "looks": "From a suggestion: sub-classes that look alike are put together",
    "blank": "From nothing: every sub-class on its own",
}


def form(data: Dataset, opened: Callable[[str], str]) -> None:
    """Ways to begin a grouping of one's own. opened(name): look at it; returns what there is to say."""
    st.markdown("**Begin a grouping of your own**")
    way = st.radio("How", list(WAYS), format_func=WAYS.__getitem__, key="begin-way")
    k = 0
    if way == "looks":
        k = st.number_input(
            "Super-classes (0: as many as hold together best)", 0, len(data.class_names), 0, key="begin-k"
        )
    if "begin-name" not in st.session_state:
        st.session_state["begin-name"] = groupings.free_name(data, "my grouping")

    def started(name: str) -> str:
        del st.session_state["begin-name"]  # in use now: the next one gets a free name
        return name

    def begin() -> str:
        name = st.session_state["begin-name"]
        if way == "looks":
            with st.spinner("Comparing the sub-classes…"):
                made = scores.suggestion(data, k or None)
            return f"{opened(started(provenance.start(data, name, made.grouping, made.words)))} {made.words}."
        how = provenance.GUIDED if way == "steps" else "Begun with every sub-class on its own"
        alone = identity(data.class_names)
        return opened(started(provenance.start(data, name, alone, how, guided=way == "steps")))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name of your grouping", key="begin-name", max_chars=NAME_LENGTH, width=260)
        st.button(
            "Start grouping",
            icon=":material/edit:",
            type="primary",
            on_click=outcome.attempt,
            args=(begin,),
        )


def guide(data: Dataset, current: Grouping, revision: int) -> None:
    """Where a stored grouping came from and, for one that is made in steps, the step and the way on."""
    origin = provenance.origin(data.id, current.name)
    groups = current.without_empty().super_classes
    alone = sum(len(subs) == 1 for subs in groups.values())
    single = f", {alone} of one sub-class only" if alone else ""
    said = [text.plural(len(groups), "super-class", "super-classes") + single]
    if not revision:
        said.append("Proposed with the dataset")
    if origin.how:
        said.append(f"{text.md(origin.how)} · {text.md(origin.person)}, {text.when(origin.time)}")
    if origin.step is None:
        st.caption(" · ".join(said))
        return
    at = STEPS.index(origin.step)
    with st.container(border=True, key="grouping-guide", gap="small"):
        st.markdown(f"**Step {at + 1} of {len(STEPS)}: {origin.step.title}.** {origin.step.asks}")
        with st.container(horizontal=True, vertical_alignment="center"):
            for number, step in enumerate(STEPS):
                st.button(
                    f"{number + 1} {step.title}",
                    key=f"step-{step.key}-{data.id}-{current.name}",
                    type="primary" if number == at else "secondary",
                    on_click=outcome.attempt,
                    args=(lambda key=step.key: go_on(data, current, key, revision),),
                )
        st.caption(" · ".join(said))


def go_on(data: Dataset, current: Grouping, key: str, revision: int) -> None:
    """Take a step of the guide."""
    provenance.take_step(data.id, current.name, key, revision=revision)
