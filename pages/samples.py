"""Samples: look through accepted and rejected synthetic images, and overrule the filter."""

from __future__ import annotations

from functools import partial

import streamlit as st

from gmaug_core import workspace
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunPaths, retraining
from gmaug_core.ui import (
    gallery,
    items,
    launching,
    layout,
    live,
    map_view,
    sample_filters,
    sample_views,
    text,
)
from gmaug_core.ui.choice import chosen

ORIGINS = {  # what the generator had seen
    "closed-set": ":gray-badge[:material/lock: closed-set] The generator saw this dataset's training images "
    "and nothing else.",
    "open-set": ":violet-badge[:material/public: open-set] The generator had seen images from elsewhere.",
    "unknown": ":violet-badge[:material/help: open-set or unknown] These images were made elsewhere; what "
    "their generator had seen is not known.",
}


def view(run_id: str, class_names: tuple[str, ...]) -> None:
    """The part that runs again at every key press."""
    paths = launching.still(run_id)
    table = items.table(paths.samples)
    want = sample_filters.filters(paths, table, class_names)
    reviews = workspace.reviews.load(paths.id)
    found = items.found(paths, want, reviews)
    total = len(items.of_judge(paths, want.seed))
    views = partial(sample_views.draw, paths, want, table, class_names)
    mapped = sample_filters.counters(paths, found, total, reviews, views)
    count = int(table["sample"].max()) + 1
    left, right = layout.columns([2, 1], key="sample-view", least=8)
    with left:
        if mapped:
            map_view.show(paths, want)
        asked = gallery.asked_for(paths.id)
        if asked is not None and asked >= count:
            st.warning(f"This run has no sample {asked}.", icon=":material/link_off:")
        first = items.beginning(found, asked)
        selected = gallery.gallery(paths, want, shown=len(found), count=count, first=first, under=mapped)
    with right:
        if selected is not None:
            gallery.inspector(paths, selected, want)


def provenance(result: AugmentationResult | None) -> None:
    """Closed-set, open-set or unknown: what the generator, and the classifier that judged, had seen."""
    if result is None:
        st.caption("The run is still working; more samples may come.")
        return
    st.markdown(ORIGINS[result.generator.origin])
    if result.folds:
        st.caption(f"These are the images of the first of {len(result.folds)} folds.")
    if not result.classifier.closed_set:
        st.markdown(
            ":violet-badge[:material/public: open-set judge] The classifier that judged had also seen images "
            "from elsewhere."
        )


def what_next(paths: RunPaths) -> None:
    """Retrain with what people decided, and what an export would hold."""
    st.header("What comes next", anchor=False)
    st.markdown(
        "Your decision wins over the filter in the report and the export; the measured gain stays what it "
        "was, until you retrain with your decisions: a new run that re-uses this one's generator, draws and "
        "baseline."
    )
    with st.container(horizontal=True):
        if st.button(
            "Retrain with my decisions",
            icon=":material/model_training:",
            key="retrain",
        ):
            try:
                launching.start(retraining.with_decisions(paths.id), data)
            except GMAugError as error:
                text.error_box(error)
        text.link("gains", "Gains, report and export")
    if (told := sample_filters.exported(paths)) is not None:
        with st.expander("What the export holds, a class", icon=":material/folder_zip:"):
            st.dataframe(told, hide_index=True)


title, picker = layout.columns([2, 5], key="samples-head", least=7)
title.title("Samples", anchor=False)
data = chosen()
with picker:
    paths = launching.pick("augmentation", data.id)
if paths is None or not samples.steps(paths.samples):
    if paths:
        live.wait(paths)
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
st.fragment(view)(paths.id, data.class_names)
provenance(AugmentationResult.read(paths.result) if paths.result.exists() else None)
if paths.result.exists():
    what_next(paths)
