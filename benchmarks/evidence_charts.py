"""Pictures of the evidence, as SVG files that can be read on light and on dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import altair as alt
import pandas as pd

from benchmarks.evidence_seen import Seen
from gmaug_core.files import write_bytes
from gmaug_core.report.theme import COLOURS, MARKS, legend, printed
from gmaug_core.scoring.paper import paper_law

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
INK = "#7d8794"  # a picture in an img has no page to take its colour from: 4 to 1 on white and on near-black
ROW_PX = 26
LAW_PX = 260
COUNTINGS: Mapping[str, tuple[str, str]] = {  # role, fields of Measured
    "the paper's counting": ("law", "counted"),
    "over plain training, step-matched": ("baseline", "gain"),
    "over the best recipe without a generator": ("accepted", "fair"),
}


def written(name: str, chart: alt.LayerChart) -> str:
    """Write one below docs/pictures; its file name."""
    drawn = printed(chart).replace("currentColor", INK)
    write_bytes(FOLDER / name, drawn.encode())
    return name


def law(seen: Sequence[Seen]) -> alt.LayerChart:
    """The gain in percent over the score, by three ways of counting, on the paper's law and its band."""
    known = [each.measured for each in seen if each.measured]
    rows = [
        {"counting": name, "x": m.score, "gain": gain, "low": low, "high": high}
        for name, (_, field) in COUNTINGS.items()
        for m in known
        for gain, low, high in [_of(m.__dict__, field)]
        if gain is not None
    ]
    xs = [0.1 + 0.01 * k for k in range(70)]
    curve, low, high = paper_law().predict(xs)
    band = pd.DataFrame({"x": xs, "gain": curve, "low": low, "high": high})
    ends = [end for row in rows for key in ("low", "high") if isinstance(end := row[key], float)]
    bottom, top = min(-8.0, *ends) - 1, max(20.0, *ends) + 1
    scale = alt.Scale(domain=[bottom, top], nice=False, clamp=True)
    present = [name for name in COUNTINGS if any(row["counting"] == name for row in rows)]
    roles = [COUNTINGS[name][0] for name in present]
    colour = alt.Color(
        "counting:N",
        scale=alt.Scale(domain=present, range=[COLOURS[role] for role in roles]),
        legend=legend(1),
    )
    x = alt.X(
        "x:Q",
        title="SSIM-supSubCls",
        scale=alt.Scale(domain=[xs[0], xs[-1]], nice=False),
        axis=alt.Axis(tickCount=6),
    )
    y = alt.Y("gain:Q", title="gain, %", scale=scale)
    under, points = alt.Chart(band).encode(x=x), alt.Chart(pd.DataFrame(rows)).encode(x=x, color=colour)
    zero = alt.Chart(pd.DataFrame([{"gain": 0.0}])).mark_rule(color=COLOURS["baseline"], opacity=0.6)
    layers = [
        under.mark_area(opacity=0.15, color=COLOURS["law"], clip=True).encode(
            y=alt.Y("low:Q", scale=scale, title="gain, %"), y2="high:Q"
        ),
        under.mark_line(color=COLOURS["law"], clip=True).encode(y=y),
        zero.encode(y=y),
        points.mark_rule(strokeWidth=1.6, opacity=0.7).encode(y=alt.Y("low:Q", title="gain, %"), y2="high:Q"),
        points.mark_point(filled=True, size=60, opacity=1).encode(
            y=y,
            shape=alt.Shape(
                "counting:N",
                scale=alt.Scale(domain=present, range=[MARKS[role] for role in roles]),
                legend=None,
            ),
        ),
    ]
    return alt.LayerChart(layer=layers).properties(height=LAW_PX)


def _of(fields: Mapping[str, float | None], field: str) -> tuple[float | None, float | None, float | None]:
    if field == "gain":
        return fields["gain"], fields["low"], fields["high"]
    return fields[field], fields[f"{field}_low"], fields[f"{field}_high"]


def ceilings(seen: Sequence[Seen]) -> alt.LayerChart:
    """What synthetic images did on top of the best recipe, and the verdict's upper end, a cell, in points."""
    known = [each.measured for each in seen if each.measured]
    measured = "measured: best recipe with synthetic images over without"
    upper = "the verdict's upper end, told beforehand"
    rows = [
        {"cell": m.name, "what": measured, "points": m.points, "low": m.points_low, "high": m.points_high}
        for m in known
    ]
    rows += [
        {"cell": m.name, "what": upper, "points": m.at_most, "low": m.at_most, "high": m.at_most}
        for m in known
        if m.at_most is not None
    ]
    looks = {measured: "accepted", upper: "law"}
    present = [name for name in looks if any(row["what"] == name for row in rows)]
    y = alt.Y("cell:N", sort=[m.name for m in known], title=None, axis=alt.Axis(labelLimit=200, ticks=False))
    x = alt.X("points:Q", title="percentage points", axis=alt.Axis(tickCount=7))
    colour = alt.Color(
        "what:N",
        scale=alt.Scale(domain=present, range=[COLOURS[looks[name]] for name in present]),
        legend=legend(1),
    )
    shape = alt.Shape(
        "what:N",
        scale=alt.Scale(domain=present, range=[MARKS[looks[name]] for name in present]),
        legend=None,
    )
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y, color=colour)
    zero = alt.Chart(pd.DataFrame([{"points": 0.0}])).mark_rule(color=COLOURS["baseline"], opacity=0.6)
    layers = [
        zero.encode(x=x),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="percentage points"), x2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=x, shape=shape),
    ]
    return alt.LayerChart(layer=layers).properties(height=ROW_PX * len(known) + 10)
