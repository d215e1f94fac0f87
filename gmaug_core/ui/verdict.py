"""A verdict on screen: the sentence first, what was weighed, then the witnesses one by one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from gmaug_core.method.verdict.figures import MEASURE_WORDS, Figure
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.numbers import signed
from gmaug_core.report import acceptance, verdict_charts
from gmaug_core.report.cost import duration
from gmaug_core.report.verdict_charts import LEARNER_WORDS
from gmaug_core.ui import drawing, layout, text
from gmaug_core.ui.terms import TERMS

LOOKS = {  # verdict -> colour of its badge, icon, what it is called
    "train_longer": ("orange", "schedule", "Train longer first"),
    "no_generator_needed": ("blue", "redeem", "No generator needed"),
    "too_little": ("gray", "trending_flat", "Too little to gain"),
    "not_visible": ("orange", "visibility_off", "Nothing could be seen"),
    "small_run": ("green", "rocket_launch", "Worth a small run"),
    "full_run": ("green", "rocket_launch", "Worth a full run"),
}
CHOSEN = (
    "The best was chosen on the images that its gain is of, so by chance that is told too high: the more "
    "ways and the fewer images, the more."
)


def points(value: float) -> str:
    """'+1.2'."""
    return signed(value, digits=1)


def figure(found: Figure | None) -> str:
    """'+1.2 (−0.4 to +2.8)'; 'not projected' where there is none."""
    if found is None:
        return "not projected"
    return f"{points(found.value)} ({points(found.low)} to {points(found.high)})"


def answer(verdict: Verdict) -> None:
    """The verdict in words, the number that decided it, and what would change it."""
    colour, icon, title = LOOKS[verdict.verdict.key]
    said, decided = verdict.verdict, verdict.verdict.decided_by
    with st.container(border=True, key="verdict-answer"):
        st.markdown(f":{colour}-badge[:material/{icon}: {title}]")
        headline, _, rest = said.sentence.partition(". ")
        st.markdown(f"## {text.md(headline.removesuffix('.'))}.")
        if rest:
            st.markdown(text.md(rest))
        if decided.value is not None:
            limit = "" if decided.limit is None else f", held against {decided.limit:z.1f}"
            st.markdown(
                f"**Decided by** {text.md(decided.name)}: {decided.value:z.1f} {decided.unit}{limit}."
            )
        st.markdown(f"**What would change it:** {text.md(said.change)}")
    sizes = verdict.splits
    read = "Fast reading" if verdict.length is None else "Full reading"
    st.caption(
        f"{read}, {duration(verdict.seconds)}, at {verdict.size} px. {text.count(sizes.train)} training, "
        f"{text.count(sizes.val)} validation and {text.count(sizes.test)} test images; no test image was "
        f"looked at. Imbalance {text.ratio(verdict.imbalance_ratio)}, so the deciding measure is "
        f"{MEASURE_WORDS[verdict.measure]}. All figures are points of it on validation images, with 95 % "
        "intervals."
    )


def early(folder: Path) -> None:
    """The first reading of a full one, while the run's own classifier is still being trained, or was before
    the run ended too soon."""
    first = folder / Verdict.FIRST
    if not first.exists():
        return
    found = Verdict.read(first)
    st.caption(
        "The first reading, by random patches and ridge regression. The full one, with the run's own "
        "classifier, may say something else."
    )
    answer(found)
    numbers(found)


def numbers(verdict: Verdict) -> None:
    """The numbers that a decision needs, and all that was weighed on one axis."""
    longer = verdict.length.longer if verdict.length else None
    best = next((found for found in verdict.free.recipes if found.key == verdict.free.best), None)
    head = verdict.headroom
    free = "nothing" if best is None or best.key == "plain" else verdict_charts.recipe(best.key)
    ceiling = points(head.gain.value) if head.gain else "unknown"
    at_most = "" if head.at_most is None else f", at most {points(head.at_most)}"
    unmeasured = "the full reading measures it" if verdict.length is None else "more minutes would measure it"
    cells = [
        (
            "Smallest visible gain",
            points(verdict.seen.smallest),
            f"{verdict.seen.seeds} seeds, {text.count(verdict.seen.test_images)} test images, found in "
            f"{text.percent(verdict.seen.power, 0)} of runs",
        ),
        (
            "Free, no generator",
            points(best.gain.value) if best else "none",
            f"{free}" + (f", {figure(best.gain)}" if best else ""),
        ),
        ("Headroom over that", ceiling, f"if every added image were a new real one{at_most}"),
        (
            "Longer training",
            points(longer.value) if longer else "?",
            figure(longer) if longer else f"not measured; {unmeasured}",
        ),
    ]
    if verdict.expected:
        told = (
            "Expected of that",
            points(verdict.expected.gain.value),
            f"{figure(verdict.expected.gain)}: {verdict.expected.by}",
        )
        cells.insert(3, told)
    for column, (label, value, note) in zip(
        layout.columns(len(cells), key="verdict-numbers", least=11), cells, strict=True
    ):
        with column:
            st.metric(label, value, border=True, help=TERMS[label])
            st.caption(note)
    drawing.altair("verdict-scale", drawing.content(verdict), lambda: verdict_charts.scale(verdict))


def witnesses(verdict: Verdict) -> None:
    """What can be gained, what can be seen, what is free, and what the law says."""
    left, right = layout.columns(2, key="verdict-one", least=22)
    with left:
        st.header("What can be gained", anchor=False)
        drawing.altair(
            "verdict-curves", drawing.content(verdict), lambda: verdict_charts.learning_curves(verdict)
        )
        _projections(verdict)
    with right:
        st.header("Is the classifier trained enough?", anchor=False)
        _length(verdict)
    left, right = layout.columns(2, key="verdict-two", least=22)
    with left:
        st.header("What is free", anchor=False)
        _free(verdict)
        st.header("What the filter lets through", anchor=False)
        _filter(verdict)
    with right:
        st.header("What can be seen", anchor=False)
        _seen(verdict)
        st.header("What the published law says", anchor=False)
        _law(verdict)
        st.header("What synthetic images are worth", anchor=False)
        _equivalence(verdict)
    if verdict.skipped:
        st.caption("Left out: " + "; ".join(text.md(item) for item in verdict.skipped) + ".")


def _table(rows: list[dict[str, object]]) -> None:
    st.table(pd.DataFrame(rows), hide_index=True)  # it wraps: no column is out of sight


def _projections(verdict: Verdict) -> None:
    rows: list[dict[str, object]] = []
    for item in verdict.ceiling.projections:
        most = "" if item.at_most is None else points(item.at_most)
        gain = figure(item.gain) if item.gain else "refused"
        label = text.plain(item.label)
        rows.append(
            {"if these were added": label, "images": text.count(item.added), "points": gain, "at most": most}
        )
    _table(rows)
    why: dict[str, list[str]] = {}
    for item in verdict.ceiling.projections:
        if item.refused:
            why.setdefault(item.refused, []).append(item.label)
    for reason, labels in why.items():
        st.caption(f"Refused for {text.md(', '.join(labels))}: {text.md(reason)}.")
    st.caption(
        f"Continued from the curves of {LEARNER_WORDS[verdict.ceiling.learner]}, as if every added image "
        "were a new real one. A synthetic image is rarely worth as much."
    )


def _length(verdict: Verdict) -> None:
    of = drawing.content(verdict)
    chart = drawing.once(("lengths", of), lambda: verdict_charts.lengths(verdict))
    if verdict.length is None or chart is None:
        st.info("The full reading measures it. Training length can be worth more than any image.")
        return
    drawing.altair("verdict-lengths", of, lambda: chart)
    found = verdict.length
    longer = "" if found.longer is None else f" The best longer training adds {figure(found.longer)} points."
    st.caption(
        f"The run would train {text.count(found.planned)} steps; the figures here are of "
        f"{text.count(found.used)}.{longer} Where both lines are near each other and still rise, the "
        "classifier is not trained enough to tell anything about images."
    )


def _free(verdict: Verdict) -> None:
    rows: list[dict[str, object]] = [
        {
            "way of training": verdict_charts.recipe(found.key)
            + (f" ({found.setting})" if found.setting else ""),
            "points over plain": figure(found.gain),
            f"{MEASURE_WORDS[verdict.measure]}, %": f"{100 * getattr(found.accuracies, verdict.measure):.2f}",
            "tail, %": f"{100 * found.accuracies.tail_accuracy:.2f}",
            "seeds": found.seeds,
            "learner": LEARNER_WORDS[found.learner],
        }
        for found in verdict.free.recipes
    ]
    _table(rows)
    st.caption("None of these needs a generator. A run is only worth what it adds to the best of them.")
    if len(rows) > 2:  # plain training is one
        st.caption(CHOSEN)


def _seen(verdict: Verdict) -> None:
    seen = verdict.seen
    measure = MEASURE_WORDS[verdict.measure]
    relative = "" if seen.smallest_percent is None else f", {seen.smallest_percent:.1f} % of the {measure}"
    st.markdown(
        f"With {seen.seeds} seeds and {text.count(seen.test_images)} test images a true gain of "
        f"**{seen.smallest:.1f} points**{relative} would be found in {text.percent(seen.power, 0)} of runs"
        f"{seen.rests}. Two trainings that differ by their seed alone disagree on "
        f"{text.percent(seen.disagreement)} of the images (seed deviation "
        f"{seen.seed_deviation:.2f} points, {LEARNER_WORDS[seen.learner]})."
    )
    rows: list[dict[str, object]] = [
        {
            "smallest visible": f"{buy.smallest:.1f}",
            "with": text.plain(buy.label),
            "seeds": buy.seeds,
            "test images": text.count(buy.test_images),
        }
        for buy in seen.buys
    ]
    if rows:
        _table(rows)


def _filter(verdict: Verdict) -> None:
    found = verdict.filter
    if found is None:
        st.markdown("The full reading measures it, on real images that no classifier was trained on.")
        return
    real = acceptance.of_real(found.passed)
    st.markdown(f"The run's filter ({text.md(found.rule)}) would accept **{text.md(real)}**.")
    if why := acceptance.too_strict(found.passed):
        st.warning(text.md(why), icon=":material/filter_alt_off:")


def _equivalence(verdict: Verdict) -> None:
    found = verdict.equivalence
    if found is None:
        st.markdown("Nobody has measured yet how many real images a synthetic one replaces here.")
        text.link("equivalence", "Measure it", "swap_horiz")
        return
    where = "" if found.same_dataset else f" (measured on *{text.md(found.dataset_name)}*)"
    st.markdown(f"{text.md(found.words)}{where}")
    if found.gain is not None:
        st.markdown(f"By that the run would add **{figure(found.gain)}** points.")
    else:
        st.markdown(f"What the run would add is not predicted: {text.md(found.refused or '')}.")
    if found.warnings:
        st.caption(text.md("; ".join(found.warnings).capitalize()) + ".")


def _law(verdict: Verdict) -> None:
    law = verdict.law
    if law is None:
        st.markdown("No score was measured. It is one witness of four, and a weak one.")
        text.link("similarity", "Measure the score", "straighten")
        return
    said = (
        f"predicts {figure(law.predicted)} % relative gain"
        if law.predicted
        else f"says nothing: {text.md((law.refused or 'it does not hold here').rstrip('.'))}"
    )
    st.markdown(f"SSIM-supSubCls {law.score:.4f} at profile *{text.md(law.profile)}*: the law {said}.")
    if law.record:
        rows: list[dict[str, object]] = [
            {
                "dataset": text.plain(item.name),
                "measured by": item.source,
                "score": round(item.score, 4),
                "predicted, %": round(item.predicted_percent, 1),
                "measured, %": round(item.measured_percent, 1),
            }
            for item in law.record
        ]
        _table(rows)
    st.caption("Its eight points compare trainings of unequal length, without a control.")
