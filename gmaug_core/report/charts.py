"""Charts of what is finished, for pages alone: Plotly. Pure functions; every name passes through theme.safe.

What a report shows as well is in gain_charts, what still moves in live_charts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from gmaug_core.method.parts.accuracy import ClassRow
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import role, short
from gmaug_core.numbers import signed
from gmaug_core.report.findings import points, rarest_first
from gmaug_core.report.theme import COLOURS, figure, safe
from gmaug_core.scoring.result import Matrix, SuperClassMean

MAX_CLASSES = 40  # more rows than this cannot be read: the rarest are shown
MANY_NAMES = 24  # sub-classes from which on a matrix is read by its pattern
NAMED_BARS = 15  # more names than this would leave no room for the bars


def _padded(values: Sequence[float]) -> list[float]:
    """A range with a little room on both sides."""
    room = 0.05 * (max(values) - min(values)) or 0.01
    return [min(values) - room, max(values) + room]


# --- similarity ---


def super_classes(
    rows: Sequence[SuperClassMean], *, argmax: str | None = None, merge: float | None = None
) -> go.Figure:
    """Mean SSIM and its interval a super-class, the highest first.

    Those without a value (a run that was stopped) are left out. argmax: the one to stand out. merge: mean
    SSIM of the whole set, drawn as a line.
    """
    valued = [(row.value, row) for row in rows if row.value is not None]
    ordered = [row for _, row in sorted(valued, key=lambda each: each[0])[-MAX_CLASSES:]]
    drawn = figure(
        height=120 + 30 * len(ordered),
        xaxis_title="mean SSIM of random pairs (95 % interval)",
        showlegend=False,
    )
    tones = [COLOURS["law"] if row.name == argmax else COLOURS["real"] for row in ordered]
    for row, tone in zip(
        ordered, tones, strict=True
    ):  # one trace an interval: error bars of one trace share one colour
        drawn.add_scatter(
            x=[row.ci_low, row.ci_high],
            y=[safe(row.name)] * 2,
            mode="lines",
            line={"color": tone, "width": 2},
            hoverinfo="skip",
        )
    drawn.add_scatter(
        x=[row.value for row in ordered],
        y=[safe(row.name) for row in ordered],
        mode="markers",
        customdata=[[row.n, row.pairs] for row in ordered],
        marker={
            "size": 10,
            "symbol": ["diamond" if row.name == argmax else "circle" for row in ordered],
            "color": tones,
        },
        hovertemplate="%{y}<br>%{x:.4f}<br>%{customdata[0]:,} images, %{customdata[1]:,} pairs"
        "<extra></extra>",
    )
    drawn.update_yaxes(
        type="category", categoryorder="array", categoryarray=[safe(row.name) for row in ordered]
    )
    if merge is not None:
        ends = [end for row in ordered for end in (row.ci_low, row.ci_high) if end is not None]
        drawn.update_xaxes(range=_padded([merge, *ends]))
        drawn.add_vline(x=merge, line={"color": COLOURS["baseline"], "width": 1.5, "dash": "dash"})
        drawn.add_annotation(
            x=merge, y=1, yref="paper", yanchor="bottom", text="whole set", showarrow=False, font={"size": 11}
        )
    return drawn


def matrix(found: Matrix) -> go.Figure:
    """Mean SSIM between sub-classes as a heat map. Unknown cells stay empty."""
    labels = [safe(name) for name in found.classes]
    numbers = np.array([[np.nan if value is None else value for value in row] for row in found.mean], float)
    # then the pattern counts: no gaps, names beside the rows alone; the rest is in the hover text
    many = len(labels) > MANY_NAMES
    drawn = figure(height=int(min(900, 150 + (24 if not many else 10) * len(labels))))
    drawn.add_heatmap(
        z=numbers,
        x=labels,
        y=labels,
        colorscale="Cividis",
        colorbar={"title": "SSIM", "thickness": 12},
        xgap=not many,
        ygap=not many,
        hovertemplate="%{y} and %{x}<br>%{z:.4f}<extra></extra>",
    )
    drawn.update_xaxes(type="category", showticklabels=not many, ticks="")  # classes may be called 0, 1, 2
    drawn.update_yaxes(type="category", autorange="reversed", ticks="")
    return drawn


# --- a finished augmentation run ---


def per_class(result: AugmentationResult, *, compare: str = "augmented") -> go.Figure:
    """Recall a class, baseline beside `compare`, the rarest class on top. At most MAX_CLASSES rows."""
    rows = rarest_first(result)[:MAX_CLASSES][::-1]
    labels = [f"{safe(row.name)} ({row.train:,})" for row in rows]
    drawn = figure(height=130 + 30 * len(rows), barmode="group", bargap=0.3, bargroupgap=0.06)
    for key in (compare, "baseline"):
        drawn.add_bar(
            y=labels,
            x=[None if (recall := row.recall(key)) is None else 100 * recall for row in rows],
            orientation="h",
            name=short(key),
            marker={"color": COLOURS[role(key)]},
            customdata=[[row.test, row.synthetic] for row in rows],
            text=[_points(row, compare) if key == compare else "" for row in rows],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 12},
            hovertemplate="%{y}<br>recall %{x:.1f} %<br>%{customdata[0]} test images, "
            f"%{{customdata[1]:,}} synthetic in training<extra>{safe(short(key))}</extra>",
        )
    drawn.update_layout(legend_traceorder="reversed")
    drawn.update_xaxes(title="recall on the test images, %", range=[0, 110])
    drawn.update_yaxes(title="class (real training images)", type="category")
    return drawn


def _points(row: ClassRow, compare: str) -> str:
    """'+3.2': points of recall between the baseline and `compare`; empty where either is unknown."""
    change = points(row, compare)
    return "" if change is None else signed(change, digits=1)


def balance(result: AugmentationResult) -> go.Figure:
    """Real and accepted synthetic images a class, and above them how many of 100 drawn were accepted."""
    rows = sorted(result.per_class, key=lambda row: -row.train)[-MAX_CLASSES:]
    labels = [safe(row.name) for row in rows]
    accepted = [result.accepted.per_class.get(row.name, 0) for row in rows]
    rejected = [result.rejected.per_class.get(row.name, 0) for row in rows]
    drawn_of = [a + r for a, r in zip(accepted, rejected, strict=True)]
    few = len(rows) <= NAMED_BARS
    drawn = figure(height=320, barmode="stack", bargap=0.25, yaxis_title="images")
    drawn.add_bar(
        x=labels,
        y=[row.train for row in rows],
        name="real",
        marker={"color": COLOURS["real"]},
        hovertemplate="%{x}<br>%{y:,} real training images<extra></extra>",
    )
    drawn.add_bar(
        x=labels,
        y=accepted,
        name="accepted synthetic",
        marker={"color": COLOURS["accepted"]},
        textposition="outside",
        cliponaxis=False,
        constraintext="none",
        textfont={"size": 10},
        textangle=0,
        text=[f"{100 * a / n:.0f}" if n and few else "" for a, n in zip(accepted, drawn_of, strict=True)],
        customdata=list(zip(rejected, drawn_of, strict=True)),
        hovertemplate="%{x}<br>%{y:,} accepted, %{customdata[0]:,} rejected<br>of %{customdata[1]:,} drawn"
        "<extra></extra>",
    )
    drawn.update_xaxes(type="category", showticklabels=few)
    drawn.update_layout(legend_traceorder="normal")
    return drawn
