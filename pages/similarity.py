"""Similarity: measure SSIM-supSubCls, watch it converge, read what the law predicts from it."""

from __future__ import annotations

import streamlit as st

from gmaug_core import runs
from gmaug_core.config import SimilarityConfig, validate
from gmaug_core.errors import InputError
from gmaug_core.report import charts, gain_charts, scores
from gmaug_core.scoring.paper import paper_law, paper_points
from gmaug_core.scoring.result import SimilarityResult
from gmaug_core.ui import drawing, launching, layout, live, record, score, text
from gmaug_core.ui.choice import chosen, grouping_of
from gmaug_core.workspace import groupings

PROFILES = {
    "paper": "paper: 128 px, grey, Gaussian window",
    "paper-64": "paper-64: the same at 64 px, faster",
    "paper-rgb": "paper-rgb: 128 px in colour",
    "uniform7": "uniform7: 128 px, uniform window",
}
EFFORTS = {
    "paper": "Two pairs an image, as in the paper",
    "pairs": "A number of pairs I choose",
    "width": "Until the interval is narrow enough",
}

st.title("Similarity", anchor=False)
data = chosen()
st.markdown(
    "How alike are the images inside each super-class? The higher SSIM-supSubCls, the less a generator can "
    "add. It is measured on the real training images, before anything is trained."
)
answer = st.container(key="score-answer")  # the number and the sentence, above forms, pickers and logs
names = groupings.names(data)
known = runs.list_runs("similarity", data.id)

with st.expander("Measure a score", icon=":material/straighten:", expanded=not known):
    left, right = layout.columns(2, key="score-settings", least=18)
    grouping = left.selectbox(
        "Grouping into super-classes",
        names,
        index=grouping_of(data, names),
        format_func=text.grouping,
        key=f"score-grouping-{data.id}",
    )
    profile = right.selectbox(
        "Profile: how images are compared",
        list(PROFILES),
        format_func=PROFILES.__getitem__,
        key="score-profile",
        help="Only scores of the profile 'paper' compare with the published points, and so with the law.",
    )
    effort = left.radio("How many pairs", list(EFFORTS), format_func=EFFORTS.__getitem__, key="score-effort")
    values: dict[str, object] = {"dataset": data.id, "grouping": grouping, "profile": profile}
    if effort == "pairs":
        values["pairs"] = right.number_input(
            "Pairs a super-class", 1, 10**9, 2000, step=500, key="score-pairs"
        )
    elif effort == "width":
        values["half_width"] = right.number_input(
            "Half of the 95 % interval",
            0.0005,
            0.2,
            0.005,
            step=0.001,
            format="%.4f",
            key="score-width",
            help="0.005 means ± 0.005.",
        )
    values["seed"] = right.number_input(
        "Seed", 0, 2**31 - 1, 0, key="score-seed", help="The same seed draws the same pairs."
    )
    if st.button("Measure", type="primary", icon=":material/play_arrow:", key="score-start"):
        try:
            launching.start(validate(SimilarityConfig, values), data)
        except InputError as error:
            text.error_box(error)

if not known:
    launching.name_damaged("similarity")
    text.empty(
        "No score yet",
        "Press **Measure** above: it takes seconds to minutes, trains nothing, and tells how alike the "
        "images are and what the paper's law makes of it. If the super-classes are not "
        "right yet, group them first.",
        page="super_classes",
        label="Group the sub-classes",
    )
    st.stop()

paths = launching.pick("similarity", data.id)
if paths is None:
    st.stop()
if not paths.result.exists():
    live.show(paths.id)
    st.stop()
result = SimilarityResult.read(paths.result)

given = scores.advice(result, data)
with answer:
    score.numbers(result, given)
    score.prediction(result, given)
    if scores.edited_since(data, paths):
        st.info(
            "The grouping has been edited since this was measured. Measure again to see what the edit did.",
            icon=":material/update:",
        )
record.show()
groups = runs.RunConfigFile.read(paths.config).grouping

left, right = layout.columns([3, 2], key="score-reading")
with left:
    st.header("Super-classes", anchor=False)
    drawn = drawing.once(
        ("super-classes", drawing.content(result)),
        lambda: charts.super_classes(
            result.super_classes, argmax=result.argmax, merge=result.ssim_mergecls.value
        ),
    )
    st.plotly_chart(drawn, key="super-classes")
with right:
    st.header("How to read it", anchor=False)
    said = score.reading(result, groups)
    if given.gain is not None:
        said.append(score.thresholds(result))
    st.markdown("\n".join(f"- {sentence}" for sentence in said))

score.what_makes_it_high(result, data)

if given.gain is not None:
    st.header("On the curve", anchor=False)
    value = result.ssim_supsubcls.value
    drawing.altair("score-curve", value, lambda: gain_charts.curve(paper_law(), paper_points(), here=value))
score.why_the_equation_differs()
live.show(paths.id)
text.what_next(
    ("verdict", "Ask for a verdict: seconds, and more than the law knows", "balance"),
    ("augmentation", "Go on to augmentation", "arrow_forward"),
    ("super_classes", "Change the super-classes", "account_tree"),
)
