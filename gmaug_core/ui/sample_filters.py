"""What the Samples page shows: its filters, kept in the address; a threshold and its recount; counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
import streamlit as st

from gmaug_core import workspace
from gmaug_core.config.selection import Mode
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.report import acceptance, browsing, export
from gmaug_core.report.browsing import Filter
from gmaug_core.runs import RunPaths
from gmaug_core.ui import items, map_view, text
from gmaug_core.ui.sample_views import ALL

T = TypeVar("T")
FULL = (0.0, 1.0)
USUAL = {  # what each key of the address means when it is not there
    "verdict": ALL,
    "class": ALL,
    "reason": ALL,
    "judged-as": ALL,
    "step": ALL,
    "decision": "any",
    "order": "drawn",
    "near": "any",
    "score": FULL,
}
MAP_HELP = (
    "Real images, accepted and rejected samples; draw around some to see them in the grid. Places are t-SNE "
    "(van der Maaten & Hinton 2008) of the features that the run's first judge has before its last layer: "
    "near means alike to the judge, distances across the map mean nothing."
)
NEAR_HELP = (
    "Nearer in pixels (root mean square difference) to a training image, or to another sample, than 95 % of "
    "the real training images are to another one of them."
)
THRESHOLD_HELP: dict[Mode, str] = {  # of each mode, with its formula
    "logit": "An image is accepted when its class is the judge's first choice and logit > threshold. Logit: "
    "what the judge's last layer gives the class that an image was drawn for, before the softmax.",
    "probability": "An image is accepted when its class is the judge's first choice and "
    "probability = exp(logit) / sum of exp over all classes > threshold.",
    "calibrated": "As with the probability, of logits divided by a temperature that makes the probabilities "
    "of real validation images right.",
    "real_share": "An image is accepted when its class is the judge's first choice and its probability "
    "exceeds what this share of the correctly classified real validation images of its class exceed.",
    "none": "",
}


def filters(paths: RunPaths, table: pd.DataFrame, class_names: Sequence[str]) -> Filter:
    """One row of widgets; what they ask for. table: samples.table of the run."""
    seeds = sorted(table["seed"].unique().tolist())
    present = sorted(table["label"].unique().tolist())
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="sample-filters"):
        verdict = _one("Verdict", browsing.VERDICTS, "verdict", width=122, every="All verdicts")
        name = _one(
            "Class", [ALL, *(class_names[k] for k in present)], "class", width=130, every="All classes"
        )
        with st.popover(_more_label(), key="more-filters"):
            order = _one("Order", browsing.ORDERS, "order")
            low, high = st.slider(
                "Probability of its own class",
                0.0,
                1.0,
                FULL,
                0.01,
                key="score",
                bind="query-params",
                help="exp(logit) divided by the sum of exp over all classes.",
            )
            reason = _one("Reason", [ALL, *sorted(table["reason"].unique())], "reason")
            taken_for = _one("Judged as", [ALL, *class_names], "judged-as")
            decision = _one("People's decision", browsing.DECISIONS, "decision")
            near = _one("Copies (needs the map)", browsing.NEAR, "near", help=NEAR_HELP)
            step = _one("Step", [ALL, *sorted(table["step"].unique().tolist())], "step")
            seed = _one("Judge", seeds, "judge", form=lambda n: f"seed {n}")
            st.button("Clear all filters", icon=":material/filter_list_off:", on_click=_clear, key="clear")
        with st.popover(_threshold_label(paths), key="threshold-box"):
            threshold = _threshold(paths, int(seed), class_names)
    return Filter(
        seed=int(seed),
        verdict=verdict,
        name="" if name == ALL else name,
        predicted=None if taken_for == ALL else list(class_names).index(taken_for),
        reason="" if reason == ALL else reason,
        step=None if step == ALL else int(step),
        decision=decision,
        order=order,
        near=near,
        area=_area(),
        low=low,
        high=high,
        threshold=threshold,
    )


def _one(
    label: str,
    options: Sequence[T],
    key: str,
    *,
    width: int | Literal["stretch"] = "stretch",
    every: str = "",
    form: Callable[[T], str] = text.plain,
    help: str | None = None,
) -> T:
    """A choice that is kept in the address under `key`. every: how ALL is shown, in place of a label."""
    return st.selectbox(
        label,
        options,
        key=key,
        width=width,
        bind="query-params",
        format_func=lambda option: every if every and option == ALL else form(option),
        label_visibility="collapsed" if every else "visible",
        help=help,
    )


def _more_label() -> str:
    """How many of the filters behind the button are set."""
    hidden = [key for key in USUAL if key not in ("verdict", "class")]
    n = sum(st.session_state.get(key, USUAL[key]) != USUAL[key] for key in hidden)
    return f"More ({n})" if n else "More"


def _threshold_label(paths: RunPaths) -> str:
    """The threshold, where it is not the run's own."""
    own = items.rule(paths.config).threshold
    asked = st.session_state.get("threshold", own)
    return "Threshold" if np.isclose(asked, own) else f"Threshold {asked:g}"


def _area() -> str:
    """The area of the map in the address; nothing where it is none."""
    area = st.query_params.get(map_view.AREA, "")
    try:
        return Filter(area=area).area
    except InputError:
        return ""


def _clear() -> None:
    st.query_params.pop(map_view.AREA, None)
    for key, value in USUAL.items():
        st.session_state[key] = value


def _threshold(paths: RunPaths, seed: int, class_names: Sequence[str]) -> float | None:
    """A slider over the run's own rule, and what it would accept of each class. None: the run's threshold."""
    rule, own = items.rule(paths.config), items.of_judge(paths, seed)
    if rule.mode == "none":
        st.caption(acceptance.NO_FILTER)
        return None
    least, most, step = browsing.thresholds(own, rule)
    asked = st.slider(
        f"Threshold on the {rule.mode.replace('_', ' ')}",
        least,
        most,
        rule.threshold,
        step,
        key="threshold",
        bind="query-params",
        help=THRESHOLD_HELP[rule.mode],
    )
    threshold = None if np.isclose(asked, rule.threshold) else float(asked)
    try:
        rows = items.of_judge(paths, seed, threshold)
    except GMAugError as error:
        text.error_box(error)
        return None
    kept = samples.decided(rows, workspace.reviews.load(paths.id))
    table = browsing.per_class(rows, own, kept, tuple(class_names))
    st.dataframe(table, hide_index=True, height=min(320, 37 * (len(table) + 1)))
    st.caption(
        f"The run's own threshold is {rule.threshold:g}. Another one changes what you see here, not the run: "
        "to train with it, launch a run with that threshold."
    )
    return threshold


def counters(
    paths: RunPaths, found: pd.DataFrame, total: int, reviews: dict[int, str], views: Callable[[], None]
) -> bool:
    """Of what the filters find: accepted, rejected, decided by people, kept; what an export would hold.

    views: draws the saved views beside them. Returns whether the map is asked for.
    """
    accepted = int(found["accepted"].sum())
    shown = (
        f"**{text.count(len(found))}** of {text.count(total)}"
        if len(found) < total
        else f"**{text.count(total)}**"
    )
    decided, kept = int(found["sample"].isin(list(reviews)).sum()), int(samples.decided(found, reviews).sum())
    parts = [
        f"{shown} samples",
        f":green-badge[:material/check: {text.count(accepted)} accepted]",
        f":orange-badge[:material/close: {text.count(len(found) - accepted)} rejected]",
        # before the first decision too: a line that grows with it would move the grid
        f":blue-badge[:material/person: {text.count(decided)} decided by people]",
        f"so **{text.count(kept)}** are kept",
    ]
    if paths.result.exists() and (told := exported(paths)) is not None:
        parts.append(f"· the export holds **{text.count(int(told['exported'].sum()))}** of all")
    with st.container(horizontal=True, vertical_alignment="center", key="sample-counters"):
        with st.container(width="stretch", key="sample-counted"):  # a longer line wraps in it
            _counted(" ".join(parts))
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            views()
            return st.toggle(
                "Map", key="map", bind="query-params", help="Real images, accepted and rejected samples."
            )


def _counted(words: str) -> None:
    st.markdown(
        words,
        width="stretch",
        help="The export takes kept samples of each class, those that people kept first, up to what the "
        "class is short of times the amount that the run chose on validation. The table is below.",
    )


def exported(paths: RunPaths) -> pd.DataFrame | None:
    """What an export would hold now (export.counted); None where it cannot be made."""
    try:
        return _exported(paths.id, workspace.reviews.revision(paths.id))
    except GMAugError:
        return None


@lru_cache(maxsize=16)
def _exported(run_id: str, _: int) -> pd.DataFrame:
    return export.counted(run_id)
