"""The charts and tables of an equivalence, each with two lives: on a page and, printed, in the report.

curves: real images added beside synthetic ones, and how one is read off the other; rates: what one synthetic
image is worth; ways: addition against substitution. Altair specifications; hover text and labels are data of
the specification, never markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import altair as alt
import pandas as pd

from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.result import (
    Answer,
    EquivalenceMeasure,
    EquivalenceResult,
    ExchangeRow,
    FittedCurve,
    Source,
)
from gmaug_core.report.theme import COLOURS, SERIES, legend

MEASURE_WORDS: dict[EquivalenceMeasure, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "tail_accuracy": "accuracy of the rare classes",
}
LOOKS: dict[Source, tuple[str, str, str]] = {  # name, role of its colour, mark
    "none": ("the base alone", "baseline", "circle"),
    "real": ("real images added", "real", "cross"),
    "closed": ("synthetic images added", "accepted", "diamond"),
    "open": ("open-set images added", "control", "square"),
    "folder": ("images made elsewhere added", "law", "triangle-up"),
    "noise": ("noise added", "rejected", "triangle-down"),
    "disguised": ("real images in disguise added", "baseline", "circle"),
}
SUBSTITUTED = "in place of real ones"
ALONE = "the base alone"
EVEN = "as good as real"
HEIGHT_PX = 340
OF_BASES = SERIES[6:]  # those that are no role's
LEAST_TOP, MOST_TOP = 1.25, 3.0  # of the axis of rates: beyond is drawn at its end


def curves(result: EquivalenceResult, base: int, measure: EquivalenceMeasure) -> alt.LayerChart:
    """Accuracy of real images added and of everything else that was added to this base, with bands; and how
    the synthetic ones are read off the real ones."""
    shown = [
        (LOOKS[curve.source][0], curve)
        for curve in _of(result, base, measure)
        if curve.way == "added" and curve.places
    ]
    title = f"images in training: {base:,} real ones, and what is added"
    x = _log("images", title, [base + point.added for _, curve in shown for point in curve.points])
    looks = {name: LOOKS[curve.source][1:] for name, curve in shown}
    layers = _lines(shown, base, x, measure, looks)
    rows = [row for row in result.exchange if row.base == base]
    row = words.headline(rows, measure)
    if row is not None and row.real.images is not None:
        layers += _reading(row, row.real.images, shown, x, measure)
    return alt.LayerChart(layer=layers).properties(height=HEIGHT_PX)


def made_by(result: EquivalenceResult) -> Source:
    """Where this run's synthetic images come from."""
    there = {row.source for row in result.exchange}
    made: tuple[Source, ...] = ("closed", "open", "folder")
    return next((source for source in made if source in there), "closed")


def beside(
    result: EquivalenceResult, other: EquivalenceResult, base: int, measure: EquivalenceMeasure
) -> alt.LayerChart | None:
    """Synthetic images of two origins (a generator that saw the base alone, images made elsewhere) added to
    the same base, beside the first run's real ones; None where one of the runs has no such curve.
    """
    own = {curve.source: curve for curve in _of(result, base, measure) if curve.way == "added"}
    theirs = {curve.source: curve for curve in _of(other, base, measure) if curve.way == "added"}
    one, two = made_by(result), made_by(other)
    if one == two or "real" not in own or one not in own or two not in theirs:
        return None
    three = (own["real"], own[one], theirs[two])
    shown = [(LOOKS[curve.source][0], curve) for curve in three if curve.places]
    title = f"images in training: {base:,} real ones, and what is added"
    x = _log("images", title, [base + point.added for _, curve in shown for point in curve.points])
    looks = {name: LOOKS[curve.source][1:] for name, curve in shown}
    layers = _lines(shown, base, x, measure, looks)
    return alt.LayerChart(layer=layers).properties(height=HEIGHT_PX)


def ways(result: EquivalenceResult, base: int, measure: EquivalenceMeasure) -> alt.LayerChart | None:
    """Synthetic images added to the base, and in the place of as many of its images; None where one of them
    was not measured."""
    source = made_by(result)
    own = {curve.way: curve for curve in _of(result, base, measure) if curve.source == source}
    real = next(each for each in _of(result, base, measure) if each.source == "real")
    if not {"added", "substituted"} <= set(own):
        return None
    name, role, mark = LOOKS[source]
    shown = [(name, own["added"]), (SUBSTITUTED, own["substituted"])]
    looks = {name: (role, mark), SUBSTITUTED: ("control", "square")}
    title = f"synthetic images, beside or among {base:,} real ones"
    x = _log("images", title, [point.added for _, curve in shown for point in curve.points])
    alone = next(point.value for point in real.points if point.added == 0)
    frame = pd.DataFrame(
        [{"value": alone, "label": ALONE, "images": max(p.added for p in own["added"].points)}]
    )
    rule = alt.Chart(frame).encode(y=_accuracy("value", measure))
    layers = [
        rule.mark_rule(strokeDash=[5, 3], strokeWidth=1.6, color=COLOURS["baseline"]),
        rule.mark_text(align="right", baseline="bottom", dy=-4, color=COLOURS["baseline"]).encode(
            x=x, text="label:N"
        ),
        *_lines(shown, 0, x, measure, looks),
    ]
    return alt.LayerChart(layer=layers).properties(height=HEIGHT_PX)


def rates(result: EquivalenceResult, measure: EquivalenceMeasure) -> alt.LayerChart | None:
    """Real images that one synthetic image is worth, against how many were added, one line a base; None where
    none was. Below 0: less than nothing; an interval that goes on is drawn to the end of the axis."""
    source = made_by(result)
    rows = [
        row for row in result.exchange if (row.measure, row.source, row.way) == (measure, source, "added")
    ]
    if not rows:
        return None
    finite = [row.high.images / row.synthetic for row in rows if row.high.images is not None]
    top = min(max([LEAST_TOP, *(1.05 * end for end in finite)]), MOST_TOP)
    bottom = -0.12 * top

    def rate(found: Answer, row: ExchangeRow) -> float:
        if found.images is None:
            return bottom if found.kind == "less" else top
        return min(found.images / row.synthetic, top)

    frame = pd.DataFrame(
        [
            {
                "base": f"{row.base:,} real images",
                "times": row.synthetic / row.base,
                "rate": rate(row.real, row),
                "low": rate(row.low, row),
                "high": rate(row.high, row),
                "synthetic": row.synthetic,
                "measured": row.measured,
                "worth": f"{words.answer(row.real)} {words.interval(row.low, row.high)}",
            }
            for row in rows
        ]
    )
    names = list(dict.fromkeys(frame["base"]))
    scale = alt.Scale(domain=names, range=list(OF_BASES[: len(names)]))
    colour = alt.Color("base:N", scale=scale, legend=legend(3, symbolOpacity=1))
    title = "synthetic images added, as a multiple of the base"
    x = _log("times", title, frame["times"][frame["measured"]])
    y_scale = alt.Scale(domain=[bottom, top], nice=False)

    def y(key: str) -> alt.Y:
        return alt.Y(f"{key}:Q", title="real images that one synthetic image is worth", scale=y_scale)

    lines = pd.DataFrame([{"rate": 0.0, "label": ""}, {"rate": 1.0, "label": EVEN}])
    most = float(frame["times"].max())
    tip = ["base:N", alt.Tooltip("synthetic:Q", format=","), "worth:N"]
    drawn = alt.Chart(frame).encode(x=x, color=colour)
    dots = alt.Chart(frame[frame["measured"]]).encode(x=x, color=colour)
    rule = alt.Chart(lines.assign(times=most)).encode(y=y("rate"))
    layers = [
        rule.mark_rule(strokeDash=[5, 3], strokeWidth=1.6, color=COLOURS["baseline"]),
        rule.mark_text(align="right", baseline="bottom", dy=-4, color=COLOURS["baseline"]).encode(
            x=x, text="label:N"
        ),
        drawn.mark_area(opacity=0.13).encode(y=y("low"), y2="high:Q"),
        drawn.mark_line(strokeWidth=2.2).encode(y=y("rate")),
        dots.mark_point(filled=True, size=70, opacity=1).encode(
            y=y("rate"), shape=alt.Shape("base:N", scale=alt.Scale(domain=names), legend=None), tooltip=tip
        ),
    ]
    return alt.LayerChart(layer=layers).properties(height=HEIGHT_PX)


def table(result: EquivalenceResult, measure: EquivalenceMeasure) -> pd.DataFrame:
    """What every measured number of synthetic images is worth, in words: the answer before how it was
    asked, as the last columns are off a narrow screen."""
    return pd.DataFrame(
        [
            {
                "base": row.base,
                "synthetic": row.synthetic,
                "worth real ones": words.answer(row.real),
                "95 % interval": words.interval(row.low, row.high),
                "points": round(row.gain, 2),
                "how": LOOKS[row.source][0] if row.way == "added" else SUBSTITUTED,
                "extrapolated": "yes" if row.extrapolated else "",
            }
            for row in result.exchange
            if row.measure == measure and row.measured
        ]
    )


def reverse_table(result: EquivalenceResult, measure: EquivalenceMeasure) -> pd.DataFrame:
    """How many synthetic images every measured number of real ones takes, in words."""
    return pd.DataFrame(
        [
            {
                "base": row.base,
                "more real": row.real,
                "needed to match them": words.answer(row.synthetic),
                "95 % interval": words.interval(row.low, row.high),
                "what": LOOKS[row.source][0],
                "measured up to": row.most,
            }
            for row in result.reverse
            if row.measure == measure
        ]
    )


def numbers(result: EquivalenceResult) -> pd.DataFrame:
    """Every row of the exchange as numbers, for a file: an end that is no number is empty, its kind says
    why."""
    return pd.DataFrame(
        [
            {
                **row.model_dump(exclude={"real", "low", "high"}),
                **{
                    f"{name}{suffix}": value
                    for name, found in (("real", row.real), ("low", row.low), ("high", row.high))
                    for suffix, value in (("", found.images), ("_kind", found.kind))
                },
            }
            for row in result.exchange
        ]
    )


def _of(result: EquivalenceResult, base: int, measure: EquivalenceMeasure) -> list[FittedCurve]:
    return [curve for curve in result.curves if (curve.base, curve.measure) == (base, measure)]


def _log(field: str, title: str, values: Iterable[float]) -> alt.X:
    """A logarithmic axis with these numbers on it, as far as they find room."""
    scale = alt.Scale(type="log", nice=False, padding=14)
    axis = alt.Axis(values=sorted(set(values)), format=",~r", labelOverlap="greedy")
    return alt.X(f"{field}:Q", title=title, scale=scale, axis=axis)


def _accuracy(field: str, measure: EquivalenceMeasure) -> alt.Y:
    scale = alt.Scale(zero=False, nice=False, padding=14)
    return alt.Y(f"{field}:Q", title=f"{MEASURE_WORDS[measure]} on the test images, %", scale=scale)


def _lines(
    shown: Sequence[tuple[str, FittedCurve]],
    base: int,
    x: alt.X,
    measure: EquivalenceMeasure,
    looks: dict[str, tuple[str, str]],
) -> list[alt.Chart]:
    """Band, line, and the measured points with their intervals. base: what x counts beside what is added;
    looks: role of the colour and mark, by name."""
    places, points = (
        pd.DataFrame(
            [
                {"what": name, "images": base + each.added, **each.model_dump()}
                for name, curve in shown
                for each in getattr(curve, part)
                if base + each.added > 0
            ]
        )
        for part in ("places", "points")
    )
    names = list(looks)
    scale = alt.Scale(domain=names, range=[COLOURS[role] for role, _ in looks.values()])
    marks = alt.Scale(domain=names, range=[mark for _, mark in looks.values()])
    key = legend(2 if len(names) <= 2 else 1, symbolOpacity=1)  # three names in two columns are cut at 800 px
    colour = alt.Color("what:N", scale=scale, legend=key)
    tip = [alt.Tooltip("what:N"), alt.Tooltip("added:Q", format=",.0f")]
    tip += [alt.Tooltip(f"{key}:Q", format=".2f") for key in ("value", "low", "high")]
    bands, dots = (alt.Chart(frame).encode(x=x, color=colour) for frame in (places, points))
    return [
        bands.mark_area(opacity=0.15).encode(y=_accuracy("low", measure), y2="high:Q"),
        bands.mark_line(strokeWidth=2.2).encode(y=_accuracy("value", measure)),
        dots.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y=_accuracy("low", measure), y2="high:Q"),
        dots.mark_point(filled=True, size=70, opacity=1).encode(
            y=_accuracy("value", measure),
            shape=alt.Shape("what:N", scale=marks, legend=key),
            tooltip=tip,
        ),
    ]


def _reading(
    row: ExchangeRow,
    worth: float,
    shown: Sequence[tuple[str, FittedCurve]],
    x: alt.X,
    measure: EquivalenceMeasure,
) -> list[alt.Chart]:
    """A level line from so many synthetic images to the real ones that do as much, and its words."""
    curve = next(curve for _, curve in shown if curve.source == row.source)
    place = min(curve.places, key=lambda each: abs(each.added - row.synthetic))
    label = f"{row.synthetic:,} synthetic = {words.rounded(worth)} real"
    frame = pd.DataFrame(
        [{"images": row.base + worth, "end": row.base + row.synthetic, "value": place.value, "label": label}]
    )
    drawn = alt.Chart(frame).encode(x=x, y=_accuracy("value", measure))
    return [
        drawn.mark_rule(strokeDash=[5, 3], strokeWidth=2, color=COLOURS["law"]).encode(x2="end:Q"),
        drawn.mark_text(
            align="right", baseline="bottom", dx=-8, dy=-4, fontSize=12, color=COLOURS["law"]
        ).encode(text="label:N"),
    ]
