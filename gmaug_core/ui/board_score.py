"""The score above the board, after every edit: what it is now, and what the edit did."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.numbers import signed
from gmaug_core.report import live_score, scores
from gmaug_core.ui import text
from gmaug_core.workspace.grouping import Grouping

LEAST = 5e-5  # a change that four decimals show
HELP = (
    "SSIM-supSubCls: the highest mean SSIM inside any super-class, of the training images. An edit measures "
    "the super-classes that it touched, with the pairs that a similarity run would draw: the same number. "
    "Group by what belongs together, not for a low score: it describes the images, it does not make them "
    "better."
)


@dataclass
class _Seen:
    """The score of one revision, and of the two to hold it against."""

    revision: int
    value: float
    words: str
    first: float
    before: float | None = None


def show(data: Dataset, grouping: Grouping, revision: int) -> None:
    """One line. Measures what the last edit touched; nothing where the grouping is what it was."""
    if not live_score.possible(data):
        st.caption(
            "Measure similarity once, and the score follows every edit from then on.",
            help=HELP,
            width="content",
        )
        return
    key = f"board-score-{data.id}-{grouping.name}"
    seen: _Seen | None = st.session_state.get(key)
    if seen is None or seen.revision != revision:
        try:
            found = live_score.of(data, grouping.without_empty().super_classes)
        except InputError as error:
            st.caption(f"No score: {text.md(error.what)}.", help=HELP)
            return
        if found is None:
            st.caption("No score within a moment: measure it on the page Similarity.", help=HELP)
            return
        best, gain = found.ssim_supsubcls, scores.advice(found, data).gain
        said = f"**SSIM-supSubCls {best.value:.4f}**, of {text.md(best.name)}"
        if not best.exact:
            said += f" ({text.interval(best.ci_low, best.ci_high, 4)}{', so far' if found.stopped else ''})"
        if gain is not None:
            said += f" · the law: {text.signed_percent(gain)}"
        before = None if seen is None else seen.value
        seen = _Seen(revision, best.value, said, seen.first if seen else best.value, before)
        st.session_state[key] = seen
    parts = [seen.words]
    if seen.before is not None:
        parts.append(f"the last edit: {_change(seen.value - seen.before)}")
        if abs(seen.first - seen.before) > LEAST:
            parts.append(f"since you came: {_change(seen.value - seen.first)}")
    st.markdown(" · ".join(parts), help=HELP, width="content")


def _change(value: float) -> str:
    """Neither is good or bad: no colour."""
    return "no change" if abs(value) < LEAST else signed(value, digits=4)
