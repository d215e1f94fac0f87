"""The gallery of a run's synthetic images: thousands at once, reviewed by keyboard, every decision saved.

The pictures and the list come from our own routes: a rerun carries only decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import samples, splits
from gmaug_core.data.nearest import nearest
from gmaug_core.data.pictures import png
from gmaug_core.data.samples import Filter
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.report.theme import COLOURS
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.ui import ASSETS, items, layout, text
from gmaug_core.ui.operations import Acknowledged, script
from gmaug_core.ui.routes import open_dataset, samples_url
from gmaug_core.workspace import reviews

NEAREST = 4  # real images beside a sample
WORDS = {"keep": "kept", "reject": "rejected"}

_component = st.components.v2.component(
    "gmaug_gallery",
    html="<div></div>",
    css=(ASSETS / "gallery.css").read_text("utf-8"),
    js=script("operations.mjs", "gallery_logic.mjs", "gallery.js"),
)


@dataclass
class State(Acknowledged):
    """What one tab sees of one run's reviews."""

    run: str
    count: int  # samples are 0 .. count - 1
    decisions: dict[int, str]


def apply_ops(state: State, sent: object) -> State:
    """Save what the browser has not had acknowledged, in order, and acknowledge it.

    Changes and returns state.

    An operation is {n, mount, sample, decision: "keep" | "reject" | null}. One that cannot be done is
    dropped and said in state.problem; one that could not be saved is not acknowledged, so the browser sends
    it again.
    """
    with state.lock:
        fresh = state.fresh(sent)
        if not fresh:
            return state
        edits: dict[int, str | None] = {}
        state.problem = ""
        for _, op in fresh:
            try:
                sample, decision = reviews.check(op.get("sample"), op.get("decision"), count=state.count)
            except InputError as error:
                state.problem = str(error)
            else:
                edits[sample] = decision
        if edits:
            try:
                reviews.save(state.run, edits)
            except GMAugError as error:
                state.problem = str(error)
                return state
            state.decisions = {k: v for k, v in {**state.decisions, **edits}.items() if v is not None}
        state.ack = fresh[-1][0]
    return state


def gallery(paths: RunPaths, want: Filter, *, shown: int, count: int) -> int | None:
    """Draw the gallery; deal with what its person did.

    shown: how many the filter finds; count: samples of the run.

    Returns the sample that the person looks at, None before the first.
    """
    key = f"gallery-{paths.id}"
    if key not in st.session_state:
        st.session_state[key] = State(paths.id, count, {})
    state: State = st.session_state[key]
    with state.lock:  # what is acknowledged below must be in these decisions
        state.count, state.decisions = count, reviews.load(paths.id)
        ack, decisions = state.ack, dict(state.decisions)

    def receive() -> None:
        apply_ops(st.session_state[key], (st.session_state.get(f"{key}-view") or {}).get("ops"))

    result = _component(
        key=f"{key}-view",
        data={
            "mount": state.mount,
            "ack": ack,
            "items": items.url(paths.id, want, str(samples.steps(paths.samples))),
            "pictures": samples_url(paths.id),
            "decisions": {str(sample): decision for sample, decision in decisions.items()},
            "expected": shown,
            "colours": {name: COLOURS[name] for name in ("accepted", "rejected")},
        },
        on_ops_change=receive,
        on_selected_change=lambda: None,
    )
    if state.problem:
        st.warning(text.md(state.problem), icon=":material/warning:")
    selected = result.get("selected")
    return selected if isinstance(selected, int) and 0 <= selected < count else None


# --- the inspector ---


def inspector(paths: RunPaths, sample: int, seed: int) -> None:
    """One sample large, what judges and people said of it, and the real images nearest to it."""
    rows = items.table(paths.samples)
    rows = rows[rows["sample"] == sample].sort_values("seed")
    judged = rows[rows["seed"] == seed]
    first = (judged if len(judged) else rows).iloc[0]
    data = open_dataset(RunConfigFile.read(paths.config).settings.dataset)
    pixels = samples.image(paths.samples, sample)
    layout.picture(png(pixels, least=224), width=224, alt=f"Sample {sample}, drawn as {first['class']}")
    accepted = bool(first["accepted"])
    verdict = (
        ":green-badge[:material/check: accepted]" if accepted else ":orange-badge[:material/close: rejected]"
    )
    st.markdown(f"**Sample {sample}**, drawn as **{text.md(first['class'])}** {verdict}")
    review = reviews.newest(paths.id).get(sample)
    if review and review.decision:
        st.markdown(f":blue-badge[:material/person: {WORDS[review.decision]} by {text.md(review.person)}]")
    st.markdown(
        f"Reason: {text.md(first['reason'])}  \n"
        f"Predicted class: {text.md(data.class_names[int(first['predicted'])])}  \n"
        f"Probability of its own class: {first['probability']:.4f}  \n"
        f"Logit of its own class: {first['logit']:.2f}  \n"
        f"Step {first['step']}, draw seed {first['draw_seed']}"
    )
    if len(rows) > 1:
        _every_judge(rows, data.class_names)
    _nearest_real(paths, pixels, int(first["label"]))


def _every_judge(rows: pd.DataFrame, class_names: Sequence[str]) -> None:
    marks = {True: ":green[:material/check:]", False: ":orange[:material/close:]"}
    judges = rows[["seed", "predicted", "probability", "accepted"]].itertuples(index=False)
    lines = [
        f"{marks[bool(ok)]} seed {number}: {text.md(class_names[int(k)])}, p {p:.3f}"
        for number, k, p, ok in judges
    ]
    st.markdown("**Every judge**  \n" + "  \n".join(lines))


def _nearest_real(paths: RunPaths, pixels: NDArray[np.uint8], label: int) -> None:
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    data = open_dataset(settings.dataset)
    real = data.images(image_format(settings.generator.resolution, settings.generator.colour))
    train = _train(paths, data.id, settings.seed)
    st.markdown("**Nearest real training images**, by pixels")
    with st.container(horizontal=True, key=f"nearest-{paths.id}"):
        for row, distance in nearest(pixels, real, train, data.labels, label, most=NEAREST):
            name = data.class_names[data.labels[row]]
            with st.container(width=84):
                layout.picture(png(np.array(real[row]), least=72), width=72, alt=f"Real image of {name}")
                st.caption(f"{text.md(name)} · {distance:.1f}")
    st.caption(
        "Root mean square difference in grey levels. Near 0: the generator may have copied this image."
    )


@lru_cache(maxsize=4)
def _train(paths: RunPaths, dataset_id: str, seed: int) -> NDArray[np.int64]:
    return splits.read(paths.split, open_dataset(dataset_id), seed)["train"]
