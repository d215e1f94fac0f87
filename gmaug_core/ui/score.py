"""A finished score on screen: the numbers, what makes them high, the law, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gmaug_core.data.dataset import Dataset
from gmaug_core.data.pictures import png
from gmaug_core.report import charts
from gmaug_core.scoring.advice import Advice, few_words, stored_words
from gmaug_core.scoring.law import PAPER_PROFILE, PRINTED_BASE, errors_of, leave_one_out, printed_equation
from gmaug_core.scoring.paper import (
    LOWEST_FAILING,
    MERGE_THRESHOLD,
    SUPSUB_THRESHOLD,
    paper_law,
    paper_points,
)
from gmaug_core.scoring.result import Highest, MostSimilar, MovedOut, NearCopies, SetMean, SimilarityResult
from gmaug_core.ui import drawing, launching, layout, text
from gmaug_core.ui.terms import TERMS

PAIRS_SHOWN = 6


def numbers(result: SimilarityResult, given: Advice) -> None:
    """The two scores with their intervals, and the predicted gain where there is one."""
    found = result.ssim_supsubcls
    both: tuple[tuple[str, SetMean | Highest], ...] = (
        ("SSIM-supSubCls", found),
        ("SSIM-mergeCls", result.ssim_mergecls),
    )
    columns = layout.columns(3, key="score-numbers", least=12)
    for column, (label, score) in zip(columns, both, strict=False):  # the third column is the prediction's
        with column:
            value = "not scored" if score.value is None else f"{score.value:.4f}"
            st.metric(label, value, border=True, help=TERMS[label])
            if score.exact:
                st.caption("exact, all pairs")
            elif score.ci_low is not None and score.ci_high is not None:
                sure = text.interval(score.ci_low, score.ci_high, 4)
                st.caption(f"95 % interval {sure}, {text.count(score.pairs)} pairs")
    label = "Predicted relative gain"
    with columns[2]:
        if given.gain is None or given.low is None or given.high is None:
            st.metric(label, "none", border=True, help=TERMS[label])
            st.caption(f"{given.verdict.capitalize()}: see below.")
        else:
            st.metric(label, text.signed_percent(given.gain), border=True, help=TERMS[label])
            st.caption(f"95 % interval {text.signed_percent(given.low)} to {text.signed_percent(given.high)}")


def early(rows: Sequence[Mapping[str, Any]], profile: str) -> None:
    """The score as soon as it is measured, while its reasons (the matrix, the most similar pairs) still are.

    rows: of metrics.jsonl; the law is asked where the profile is its own.
    """
    found = next((row["headline"] for row in reversed(rows) if row.get("headline")), None)
    if found is None:
        return
    columns = layout.columns(3, key="score-early", least=12)
    columns[0].metric("SSIM-supSubCls", f"{found['value']:.4f}", border=True)
    if found["ci_low"] is not None:
        sure = text.interval(found["ci_low"], found["ci_high"], 4)
        columns[0].caption(f"95 % interval {sure}: {text.md(found['name'])}")
    if found["merge"] is not None:
        columns[1].metric("SSIM-mergeCls", f"{found['merge']:.4f}", border=True)
    if profile == PAPER_PROFILE:
        gain, low, high = paper_law().predict(found["value"])
        columns[2].metric("The law's curve at this score", text.signed_percent(gain), border=True)
        columns[2].caption(
            f"95 % interval {text.signed_percent(low)} to {text.signed_percent(high)}; what makes it high, "
            "and what that means here, follow in a moment."
        )


def prediction(result: SimilarityResult, given: Advice) -> None:
    """What the score says, in words."""
    launching.advice_box(given)
    if result.stopped:
        st.warning(
            "Stopped early: this is the estimate so far, with its wider interval.",
            icon=":material/stop_circle:",
        )


def reading(result: SimilarityResult, grouping: Mapping[str, list[str]]) -> list[str]:
    """What the numbers mean and how sure they are, one Markdown sentence each."""
    found, rows = result.ssim_supsubcls, result.super_classes
    said = [f"The most alike super-class is **{text.md(result.argmax)}**; its mean is the score."]
    if found.runner_up is not None and found.gap is not None:
        ending = (
            "."
            if found.argmax_certain
            else "; that is within the error of measurement, so which of them is the maximum is not certain."
        )
        said.append(f"The runner-up is **{text.md(found.runner_up)}**, {found.gap:.4f} lower{ending}")
    if not found.exact and found.value - found.bias_corrected >= 5e-5:  # else nothing that can be seen
        said.append(
            "The largest of several noisy means comes out a little too high. Corrected for that: "
            f"{found.bias_corrected:.4f}, {found.value - found.bias_corrected:.4f} lower."
        )
    exact = sum(row.exact for row in rows)
    if exact == len(rows):
        said.append(
            "Every super-class was small enough to compare all pairs, so the means are exact: no sampling "
            "error."
        )
    elif exact:
        said.append(
            f"{text.plural(exact, 'super-class', 'super-classes')} small enough to compare all pairs: no "
            "sampling error there."
        )
    rough = sum(row.approximate for row in rows)
    if rough:
        said.append(
            f"{text.plural(rough, 'super-class rests', 'super-classes rest')} on so few pairs that the "
            "interval there is only approximate "
            "(in simulations it held the truth in 93 to 94 % of cases instead of 95 %)."
        )
    if len(grouping.get(result.argmax, ())) == 1:
        said.append(
            "That super-class has one sub-class, so the score says how alike images are *inside a class*, "
            "not how alike classes are. "
            "Little variety inside classes still means that a generator has little to add."
        )
    if result.not_scored:
        said.append(
            "Not scored (fewer than two different images): "
            f"{', '.join(text.md(name) for name in result.not_scored)}."
        )
    if result.stored is not None:
        said.append(f"The images are stored at {stored_words(result.stored)}.")
    copies = result.ssim_mergecls.copies
    if copies:
        said.append(
            f"{text.plural(copies, 'image is a copy', 'images are copies')} of another and counted once."
        )
    if few := few_words(result):
        said.append(text.md(few))
    return said


def thresholds(result: SimilarityResult) -> str:
    """This score beside the paper's thresholds."""
    found, merge = result.ssim_supsubcls.value, result.ssim_mergecls.value

    def side(value: float | None, limit: float) -> str:
        return (
            "not scored" if value is None else f"{value:.4f}, " + ("not above" if value <= limit else "above")
        )

    return (
        f"In the paper augmentation worked up to SSIM-supSubCls {SUPSUB_THRESHOLD} (here "
        f"{side(found, SUPSUB_THRESHOLD)}) and "
        f"SSIM-mergeCls {MERGE_THRESHOLD} (here {side(merge, MERGE_THRESHOLD)}). It failed from "
        f"{LOWEST_FAILING} on; "
        "nothing was measured between."
    )


def what_makes_it_high(result: SimilarityResult, data: Dataset) -> None:
    """The most similar pairs as pictures, the matrix, and what taking one sub-class out would do: where the
    result explains itself.
    """
    why = result.explanation
    if why is None:
        return
    st.header("What makes it high", anchor=False)
    if why.most_similar.pairs:
        _pairs(why.most_similar, result.profile, data)
    if why.near_copies is not None and why.near_copies.found:
        _copies(why.near_copies, data)
    many = len(why.matrix.classes) > charts.MANY_NAMES
    left, right = (
        layout.columns([3, 2], key="score-why") if not many else (st.container(), st.container(width=680))
    )
    with left:
        st.markdown("**Mean SSIM between sub-classes**")
        drawn = drawing.once(("matrix", drawing.content(why.matrix)), lambda: charts.matrix(why.matrix))
        st.plotly_chart(drawn, key="matrix")
    if why.leave_one_out:
        with right:
            _moves(why.leave_one_out, result.ssim_supsubcls.value)


def _pairs(found: MostSimilar, profile: str, data: Dataset) -> None:
    """The most similar pairs, side by side, with their classes."""
    exact = "" if found.exact else " that a search among likely candidates found"
    st.markdown(f"**The most similar pairs of images**{exact}, in the most alike super-class")
    pictures = data.images(profile)
    with st.container(horizontal=True, key="similar-pairs"):
        for pair in found.pairs[:PAIRS_SHOWN]:
            with st.container(width=196, border=True):
                first, second = (data.class_names[data.labels[image]] for image in (pair.i, pair.j))
                both = [(pair.i, first), (pair.j, second)]
                of = ("pair", data.id, data.version, profile, pair.i, pair.j)
                st.html(drawing.once(of, partial(_side_by_side, pictures, both)))
                first, second = text.md(first), text.md(second)
                which = f"both {first}" if first == second else f"{first} and {second}"
                st.caption(f"{pair.value:.3f}: {which}")


def _side_by_side(pictures: NDArray[np.uint8], both: Sequence[tuple[int, str]]) -> str:
    return " ".join(
        layout.picture_tag(png(pictures[i]), width=76, alt=f"An image of {name}") for i, name in both
    )


def _copies(found: NearCopies, data: Dataset) -> None:
    """Which images are practically one, by their files."""
    pairs = text.plural(found.found, "pair of images is", "pairs of images are")
    said = f"{pairs} practically one image (SSIM over {found.above})"
    with st.expander(said, icon=":material/content_copy:"):
        file, label = data.manifest.images.file, data.labels
        st.dataframe(
            [
                {
                    "image": text.plain(file[pair.i]),
                    "class": text.plain(data.class_names[label[pair.i]]),
                    "and": text.plain(file[pair.j]),
                    "its class": text.plain(data.class_names[label[pair.j]]),
                    "SSIM": pair.value,
                }
                for pair in found.pairs
            ],
            column_config={"SSIM": st.column_config.NumberColumn(format="%.3f")},
            hide_index=True,
        )
        st.caption(
            "Equal pixels (1.000) count once in the score. The others count as different images: where they "
            "are the same photograph, take one of each out and import again."
            + ("" if found.exact else " Searched among likely candidates: there may be more.")
        )


def _moves(moves: Sequence[MovedOut], score: float) -> None:
    """What the score would be if one sub-class stood alone."""
    st.markdown("**If one sub-class stood alone**")
    st.dataframe(
        {
            "sub-class taken out": [text.plain(row.name) for row in moves],
            "score then": [None if row.change is None else score + row.change for row in moves],
            "change": [row.change for row in moves],
        },
        column_config={
            "score then": st.column_config.NumberColumn(format="%.4f"),
            "change": st.column_config.NumberColumn(format="%+.4f"),
        },
        hide_index=True,
    )
    st.caption("The change is estimated from the matrix; measure again after an edit of the super-classes.")


def why_the_equation_differs() -> None:
    """The shipped law beside the printed equation, in one paragraph."""
    with st.expander("The law, and why the printed equation differs", icon=":material/function:"):
        st.markdown(_equation_words())


@cache
def _equation_words() -> str:
    law = paper_law()
    printed = errors_of(
        [printed_equation(p.supsub) for p in paper_points()], [p.gain for p in paper_points()]
    )
    loo = leave_one_out([p.supsub for p in paper_points()], [p.gain for p in paper_points()])
    miss = sum(abs(row["error"]) for row in loo) / len(loo)
    return (
        f"The law used here is the least-squares fit of the paper's eight points, unrounded: "
        f"gain % = {law.amplitude:.1f} · exp(−{law.rate:.3f} · x), which is {law.base:.4f} to the power "
        "of (202.74 x − 79.92). "
        f"The paper prints the same equation with its base rounded to {PRINTED_BASE}. "
        "Rounding the base moves predictions by up to 21 points where the curve is steep, so the printed "
        "form fits its own points "
        f"less well: R² {printed['r2']:.4f} and mean error "
        f"{printed['mae']:.2f} points, against R² {law.r2:.4f} and {law.mae:.2f} for the unrounded one. "
        "(The paper's table calls "
        f"{law.median_ae:.3f} the mean absolute error; it is the median.) Predicting each dataset from "
        "the other seven misses by "
        f"{miss:.1f} points on average: that is why every prediction here comes with an interval."
    )
