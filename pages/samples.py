"""Samples: look through accepted and rejected synthetic images, and overrule the filter."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from gmaug_core import runs, workspace
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunPaths, retraining
from gmaug_core.ui import gallery, items, launching, layout, text
from gmaug_core.ui.choice import chosen

ALL = "all"
ORIGINS = {  # what the generator had seen
    "closed-set": ":gray-badge[:material/lock: closed-set] The generator saw this dataset's training images "
    "and nothing else.",
    "open-set": ":violet-badge[:material/public: open-set] The generator had seen images from elsewhere.",
    "unknown": ":violet-badge[:material/help: open-set or unknown] These images were made elsewhere; what "
    "their generator had seen is not known.",
}


def view(run_id: str) -> None:
    """The part that runs again at every key press."""
    paths = runs.find(run_id)
    table = items.table(paths.samples)
    want = filters(table)
    reviews = workspace.reviews.load(paths.id)
    found = samples.chosen(table, want, reviews)
    counts(table[table["seed"] == want.seed], reviews)
    left, right = layout.columns([5, 2], key="sample-view", least=17)
    with left:
        selected = gallery.gallery(paths, want, shown=len(found), count=int(table["sample"].max()) + 1)
    with right, st.container(border=True):
        if selected is None or selected not in set(table["sample"]):
            st.caption("Choose a sample: click it, or move with the arrow keys.")
        else:
            gallery.inspector(paths, selected, want.seed)


def filters(table: pd.DataFrame) -> samples.Filter:
    """What to show."""
    seeds = sorted(table["seed"].unique().tolist())
    with st.container(horizontal=True, vertical_alignment="bottom", key="sample-filters"):
        verdict = st.segmented_control(
            "Filter's verdict", samples.VERDICTS, default="all", key="f-verdict", required=True
        )
        name = st.selectbox(
            "Class", [ALL, *table["class"].unique()], format_func=text.plain, key="f-class", width=170
        )
        reason = st.selectbox("Reason", [ALL, *table["reason"].unique()], key="f-reason", width=220)
        seed = st.selectbox("Judge", seeds, format_func=lambda n: f"seed {n}", key="f-seed", width=120)
        step = st.selectbox("Step", [ALL, *sorted(table["step"].unique().tolist())], key="f-step", width=100)
        decision = st.selectbox("People's decision", samples.DECISIONS, key="f-decision", width=150)
        order = st.selectbox("Order", samples.ORDERS, key="f-order", width=170)
    return samples.Filter(
        seed=int(seed),
        verdict=verdict or ALL,
        name="" if name == ALL else name,
        reason="" if reason == ALL else reason,
        step=None if step == ALL else int(step),
        decision=decision,
        order=order,
    )


def counts(table: pd.DataFrame, reviews: dict[int, str]) -> None:
    """How many were drawn, accepted, rejected, decided by people."""
    accepted = int(table["accepted"].astype(bool).sum())
    kept = int(samples.decided(table, reviews).sum())
    parts = [
        f"**{text.count(len(table))}** judged",
        f":green-badge[:material/check: {text.count(accepted)} accepted]",
    ]
    parts.append(f":orange-badge[:material/close: {text.count(len(table) - accepted)} rejected]")
    if reviews:
        parts.append(f":blue-badge[:material/person: {text.count(len(reviews))} decided by people]")
        parts.append(f"so **{text.count(kept)}** are kept")
    st.markdown(" ".join(parts))


def provenance(paths: RunPaths) -> None:
    """Closed-set, open-set or unknown: what the generator, and the classifier that judged, had seen."""
    if not paths.result.exists():
        st.caption("The run is still working; more samples may come.")
        return
    result = AugmentationResult.read(paths.result)
    st.markdown(ORIGINS[result.generator.origin])
    if not result.classifier.closed_set:
        st.markdown(
            ":violet-badge[:material/public: open-set judge] The classifier that judged had also seen images "
            "from elsewhere."
        )


st.title("Samples", anchor=False)
data = chosen()
paths = launching.pick("augmentation", data.id)
if paths is None or not samples.steps(paths.samples):
    text.empty(
        "No synthetic images yet",
        "They appear here as soon as an augmentation run has drawn its first batch and the classifier has "
        "judged it."
        if paths is None
        else "This run has not drawn any yet. They appear when its generator is trained, or when it is "
        "resumed.",
        page="augmentation",
        label="Go to augmentation",
    )
    st.stop()
st.markdown(
    "Every image that was drawn is kept, with what each judge said of it. Your decision wins over the filter "
    "in the report and the export; the measured gain stays what it was, "
    "until you retrain with your decisions."
)
provenance(paths)
if paths.result.exists() and st.button(
    "Retrain with my decisions",
    icon=":material/model_training:",
    key="retrain",
    help="A new run that re-uses this one's generator, draws and baseline; your decisions win.",
):
    try:
        launching.start(retraining.with_decisions(paths.id), data)
    except GMAugError as error:
        text.error_box(error)
st.fragment(view)(paths.id)
