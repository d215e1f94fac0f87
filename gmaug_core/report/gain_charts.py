"""The charts of a gain, each with two lives: on a page and, printed, in the report. One Altair specification
each.

forest: every variant with its interval. curve: the law with the paper's datasets and one's own runs.
dose_response: accuracy over the number of synthetic images.
Hover text and labels are data of the specification, never markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from gmaug_core.method.parts.accuracy import Measure
from gmaug_core.method.result import AugmentationResult
from gmaug_core.report.findings import compared
from gmaug_core.report.points import OwnPoint
from gmaug_core.report.theme import COLOURS, MARKS, legend
from gmaug_core.scoring.law import Law, printed_equation
from gmaug_core.scoring.paper import Point

Accuracy = Literal["accuracy", "balanced_accuracy"]
LAW, PRINTED = "fitted law, 95 % prediction interval", "equation 4 as printed"
SCORE = "SSIM-supSubCls (profile paper)"
PAPER, HERE = "the paper's datasets", "this dataset, predicted"
ROW_PX = 40  # height of a variant
CURVE_PX = 340
DOSE_PX = 260
GRID_POINTS = 160  # of the law's line
LEAST_X = 0.05  # the curve begins here: nothing was measured below
LINE, DASHES = (
    "M-1,-.15H1V.15H-1Z",
    "M-1,-.15H-.2V.15H-1ZM.2,-.15H1V.15H.2Z",
)  # marks of the lines in the legend
NEAR_X, NEAR_GAIN = 0.05, 12  # of two points nearer than this one's name goes below


def forest(result: AugmentationResult, measure: Accuracy = "accuracy") -> alt.LayerChart:
    """Every variant's mean with its 95 % interval, and each seed's value as a small stroke; in percent."""
    rows, seeds, shown = [], [], compared(result)
    for row in shown:
        found: Measure = getattr(row.found, measure)
        rows.append(
            {
                "variant": row.name,
                "role": row.role,
                "mean": 100 * found.mean,
                "low": 100 * found.ci_low,
                "high": 100 * found.ci_high,
                "seeds": len(found.values),
                "test images": found.n,
            }
        )
        seeds += [{"variant": row.name, "role": row.role, "value": 100 * v} for v in found.values]
    roles = list(dict.fromkeys(row.role for row in shown))
    colour = alt.Color("role:N", scale=_by_role(roles, COLOURS), legend=None)
    shape = alt.Shape("role:N", scale=_by_role(roles, MARKS), legend=None)
    order = [row.name for row in shown]
    y = alt.Y("variant:N", sort=order, title=None, axis=alt.Axis(labelLimit=240, grid=False, ticks=False))
    title = f"{measure.replace('_', ' ')} on the test images, %"
    x = alt.X("mean:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=14))
    tooltip = ["variant:N", *(alt.Tooltip(f"{key}:Q", format=".2f") for key in ("mean", "low", "high"))]
    tooltip += ["seeds:Q", alt.Tooltip("test images:Q", format=",")]
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y, color=colour)
    reference = alt.Chart(pd.DataFrame(rows[:1])).mark_rule(strokeDash=[2, 3], color=COLOURS["baseline"])
    strokes = alt.Chart(pd.DataFrame(seeds)).mark_tick(thickness=1.5, size=15, opacity=0.6)
    chart: alt.LayerChart = (
        alt.layer(
            reference.encode(x=x),
            strokes.encode(x="value:Q", y=y, color=colour),
            base.mark_rule(strokeWidth=2.2).encode(x="low:Q", x2="high:Q"),
            base.mark_point(filled=True, size=140, opacity=1).encode(x=x, shape=shape, tooltip=tooltip),
        )
        .resolve_scale(color="shared", shape="shared")
        .properties(height=ROW_PX * len(rows))
    )
    return chart


def dose_response(result: AugmentationResult) -> alt.LayerChart | None:
    """Accuracy on validation, which chose, and on the test split over the synthetic images for each real one,
    with 95 % intervals; in percent. None where one amount was given."""
    if len(result.doses) < 2:
        return None
    names = ["validation, which chose", "test"]
    rows = [
        {
            "part": name,
            "share": dose.added / dose.real,
            "synthetic images": dose.added,
            "times what is missing": dose.amount,
            "mean": 100 * found.mean,
            "low": 100 * found.ci_low,
            "high": 100 * found.ci_high,
        }
        for dose in result.doses
        for name, found in zip(names, (dose.validation, dose.test), strict=True)
    ]
    looks = [COLOURS["baseline"], COLOURS["accepted"]]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("share:Q", title="synthetic images for each real one"),
        color=alt.Color("part:N", scale=alt.Scale(domain=names, range=looks), legend=legend()),
    )
    accuracy = alt.Y("mean:Q", title="accuracy, %", scale=alt.Scale(zero=False))
    tooltip = [alt.Tooltip("part:N"), alt.Tooltip("synthetic images:Q", format=",.0f")]
    tooltip += [alt.Tooltip("times what is missing:Q")]
    tooltip += [alt.Tooltip(f"{key}:Q", format=".2f") for key in ("mean", "low", "high")]
    spans = base.mark_rule(strokeWidth=2, opacity=0.6)
    marks = base.mark_point(filled=True, size=90, opacity=1)
    layers = [
        spans.encode(y=alt.Y("low:Q", title="accuracy, %"), y2="high:Q"),
        base.mark_line(strokeWidth=1.6).encode(y=accuracy),
        marks.encode(y=accuracy, tooltip=tooltip),
    ]
    return alt.LayerChart(layer=layers).properties(height=DOSE_PX)


def curve(
    law: Law,
    points: Sequence[Point],
    *,
    own: Sequence[OwnPoint] = (),
    name: str = "your runs",
    here: float | None = None,
    link: Callable[[OwnPoint], str] | None = None,
) -> alt.LayerChart:
    """The law with its prediction band, equation 4 as printed, the paper's points, own runs with their
    intervals.

    name: what the own runs are called in the legend. here: SSIM-supSubCls of the dataset looked at, drawn
    as a line with the prediction on it; link: the address that a click on an own run opens. Gains in
    percent.
    """
    rows = [{"what": PAPER, "name": point.name, "x": point.supsub, "gain": point.gain} for point in points]
    runs = [
        {"what": name, "name": run.name, "x": run.x, "gain": run.gain, "low": run.low, "high": run.high}
        | ({"link": link(run)} if link else {})
        for run in own
    ]
    rows += runs
    if here is not None:
        gain, low, high = (float(number) for number in law.predict(here))
        rows.append({"what": HERE, "name": HERE, "x": here, "gain": gain, "low": low, "high": high})
    columns = ["what", "name", "x", "gain", "low", "high"]
    frame = pd.DataFrame(rows, columns=[*columns, "link"] if link else columns)
    most = max(0.45, 1.06 * frame["x"].max()) if rows else 0.45
    ends = [0.0, *(point.gain for point in points), *(run.low for run in own), *(run.high for run in own)]
    bottom, top = min(-22.0, *ends) - 3, max(90.0, *ends) + 12
    scale = alt.Scale(domain=[bottom, top], nice=False)
    x = alt.X(
        "x:Q", title=SCORE, scale=alt.Scale(domain=[LEAST_X, most], nice=False), axis=alt.Axis(tickCount=8)
    )
    colour, shape = _looks([LAW, PRINTED, *dict.fromkeys(frame["what"])], name)
    tooltip = [alt.Tooltip("name:N"), alt.Tooltip("x:Q", title="score", format=".4f")]
    tooltip += [alt.Tooltip(f"{key}:Q", title=f"{key}, %", format="+.2f") for key in ("gain", "low", "high")]
    zero = alt.Chart(pd.DataFrame([{"gain": 0.0}])).mark_rule(opacity=0.5, color=COLOURS["baseline"])
    layers = [
        zero.encode(y=_gain("gain", scale)),
        *_lines(law, (LEAST_X, most), (bottom, top), x, scale, colour),
    ]
    if here is not None:
        upright = alt.Chart(pd.DataFrame([{"x": here}])).mark_rule(strokeDash=[2, 3], color=COLOURS["real"])
        layers.append(upright.encode(x=x))
    if runs:
        spans = alt.Chart(pd.DataFrame(runs)).mark_rule(strokeWidth=2, color=COLOURS["accepted"])
        layers.append(spans.encode(x=x, y=_gain("low", scale), y2="high:Q"))
    marks = alt.Chart(frame).mark_point(filled=True, size=90, opacity=1)
    href = {"href": "link:N"} if link else {}
    layers.append(
        marks.encode(x=x, y=_gain("gain", scale), color=colour, shape=shape, tooltip=tooltip, **href)
    )
    return alt.LayerChart(layer=[*layers, *_named(points, x, scale)]).properties(height=CURVE_PX)


def label_above(points: Sequence[Point]) -> list[bool]:
    """For each point whether its name goes above: of two neighbours the lower one's goes below."""
    return [
        not any(
            abs(a.supsub - b.supsub) < NEAR_X and 0 <= b.gain - a.gain < NEAR_GAIN and a is not b
            for b in points
        )
        for a in points
    ]


def _gain(field: str, scale: alt.Scale) -> alt.Y:
    """A gain on the upright axis, the same for every layer of the curve."""
    return alt.Y(f"{field}:Q", title="relative gain, %", scale=scale, axis=alt.Axis(tickCount=6))


def _looks(kinds: Sequence[str], own: str) -> tuple[alt.Color, alt.Shape]:
    """Colour and mark of everything on the curve, with one legend where the curve leaves room: above its
    tail."""
    known = {LAW: ("law", LINE), PRINTED: ("baseline", DASHES), PAPER: ("law", MARKS["law"])}
    known |= {own: ("accepted", MARKS["accepted"]), HERE: ("real", MARKS["real"])}
    corner = legend(1, orient="top-right", symbolOpacity=1)
    colours = [COLOURS[known[kind][0]] for kind in kinds]
    return (
        alt.Color("what:N", scale=alt.Scale(domain=list(kinds), range=colours), legend=corner),
        alt.Shape(
            "what:N",
            scale=alt.Scale(domain=list(kinds), range=[known[kind][1] for kind in kinds]),
            legend=corner,
        ),
    )


def _lines(
    law: Law,
    scores: tuple[float, float],
    gains: tuple[float, float],
    x: alt.X,
    scale: alt.Scale,
    colour: alt.Color,
) -> list[alt.Chart]:
    """The band, the fitted law and the printed equation, inside what is shown: an SVG that clips would refer
    to itself."""
    grid = np.linspace(*scores, GRID_POINTS)
    fitted, low, high = law.predict(grid)
    lines = [
        pd.DataFrame({"x": grid.round(5), "gain": gain.round(3), "what": what})[gain <= gains[1]]
        for what, gain in ((LAW, fitted), (PRINTED, printed_equation(grid)))
    ]
    band = pd.DataFrame(
        {"x": grid.round(5), "low": low.clip(*gains).round(3), "high": high.clip(*gains).round(3)}
    )
    area = alt.Chart(band).mark_area(opacity=0.16, color=COLOURS["law"])
    whole = alt.Chart(lines[0]).mark_line(strokeWidth=2.4)
    dashed = alt.Chart(lines[1]).mark_line(strokeWidth=1.5, strokeDash=[5, 4])
    return [
        area.encode(x=x, y=_gain("low", scale), y2="high:Q"),
        *(line.encode(x=x, y=_gain("gain", scale), color=colour) for line in (whole, dashed)),
    ]


def _named(points: Sequence[Point], x: alt.X, scale: alt.Scale) -> list[alt.Chart]:
    """The names of the paper's datasets, beside their points."""
    above = label_above(points)
    layers = []
    for up, down in ((True, -7), (False, 12)):
        rows = [
            {"x": point.supsub, "gain": point.gain, "name": point.name}
            for point, is_above in zip(points, above, strict=True)
            if is_above == up
        ]
        if rows:
            text = alt.Chart(pd.DataFrame(rows)).mark_text(
                align="left", dx=8, dy=down, fontSize=11, color=COLOURS["baseline"]
            )
            layers.append(text.encode(x=x, y=_gain("gain", scale), text="name:N"))
    return layers


def _by_role(roles: Sequence[str], looks: Mapping[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(roles), range=[looks[role] for role in roles])
