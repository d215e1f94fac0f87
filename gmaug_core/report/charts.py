"""Tables -> charts. Plotly for what is finished, Altair (keyed by the caller) for what still moves. Pure functions.

One visual language: a role has one colour and one mark everywhere (Okabe-Ito hues, told apart with any colour vision,
readable on light and on dark). Plotly text is pseudo-HTML, so every name of a class or file passes through `safe`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gmaug_core.method.variants import role as role_of
from gmaug_core.method.variants import short
from gmaug_core.scoring.law import Law, Point, printed_equation

COLOURS = {
    "real": "#3E8EC9",  # real images, and what was measured on them
    "accepted": "#0A9E77",  # synthetic images that were kept, and the augmented classifier
    "rejected": "#D9622B",  # synthetic images that were not
    "baseline": "#7F8B99",  # the classifier without synthetic images
    "control": "#BE7BA9",  # fair competitors: oversampling, class-balanced loss, unfiltered
    "law": "#D99A1C",  # the fitted law and what it predicts
}
MARKS = {"baseline": "circle", "augmented": "diamond", "control": "square"}
MAX_CLASSES = 40  # more rows than this cannot be read: the rarest are shown
MANY_NAMES = 24  # sub-classes from which on a matrix is read by its pattern
_GRID = "rgba(128,128,128,.22)"


def safe(text: object) -> str:
    """A name as Plotly text: nothing in it is taken for markup."""
    return html.escape(str(text), quote=False)


def variants(result: Mapping[str, Any]) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """(key, label, role, measure) of every classifier that a result compares, the baseline first."""
    found = [
        ("baseline", result["baseline"]),
        ("augmented", result["augmented"]),
        *result["controls"].items(),
    ]
    return [(key, short(key), role_of(key), measure) for key, measure in found]


def label_above(points: Sequence[Point]) -> list[bool]:
    """For each point whether its name goes above: of two neighbours the lower one's goes below, so that both can be read."""
    return [
        not any(abs(a.supsub - b.supsub) < 0.05 and 0 <= b.gain - a.gain < 12 and a is not b for b in points)
        for a in points
    ]


def _figure(*, height: int, **layout: Any) -> go.Figure:
    """An empty figure in the house style: no title, a light grid, a legend on top."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 34, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": ""},
        hoverlabel={"align": "left"},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        **layout,
    )
    figure.update_xaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True)
    return figure


def _padded(values: Sequence[float]) -> list[float]:
    """A range with a little room on both sides."""
    room = 0.05 * (max(values) - min(values)) or 0.01
    return [min(values) - room, max(values) + room]


# --- the law ---


def curve(
    law: Law, points: Sequence[Point], *, runs: Sequence[Mapping[str, Any]] = (), here: float | None = None
) -> go.Figure:
    """The fitted law with its prediction band, the printed equation, the paper's points and a person's own runs.

    runs: {name, x, gain, low, high} each, gain in percent with its interval.
    here: SSIM-supSubCls of the dataset looked at, drawn as a line with the prediction on it.
    """
    xs = (
        [point.supsub for point in points] + [run["x"] for run in runs] + ([here] if here is not None else [])
    )
    grid = np.linspace(0.05, max(0.45, max(xs, default=0.0) * 1.06), 240)
    gain, low, high = law.predict(grid)
    figure = _figure(height=440, xaxis_title="SSIM-supSubCls (profile paper)", yaxis_title="relative gain, %")
    band = {"x": grid, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": "band"}
    figure.add_scatter(y=high, showlegend=False, **band)
    figure.add_scatter(
        y=low, fill="tonexty", fillcolor="rgba(217,154,28,.16)", name="95 % prediction interval", **band
    )
    figure.add_scatter(
        x=grid,
        y=gain,
        mode="lines",
        name="fitted law",
        line={"color": COLOURS["law"], "width": 2.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=grid, y=printed_equation(grid), mode="lines", name="equation 4 as printed", hoverinfo="skip",
        line={"color": COLOURS["baseline"], "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.add_scatter(
        x=[point.supsub for point in points], y=[point.gain for point in points], mode="markers+text", name="the paper's datasets",
        text=[safe(point.name) for point in points], textfont={"size": 11},
        textposition=["top right" if above else "bottom right" for above in label_above(points)],
        marker={"color": COLOURS["law"], "size": 9, "symbol": "circle", "line": {"color": "white", "width": 1}},
        hovertemplate="%{text}<br>score %{x:.4f}<br>gain %{y:+.2f} %<extra>paper</extra>",
    )  # fmt: skip
    if runs:
        figure.add_scatter(
            x=[run["x"] for run in runs], y=[run["gain"] for run in runs], mode="markers", name="your runs",
            error_y={
                "array": [run["high"] - run["gain"] for run in runs], "arrayminus": [run["gain"] - run["low"] for run in runs],
                "thickness": 1.5, "width": 5,
            },
            customdata=[[safe(run["name"]), run["low"], run["high"]] for run in runs],
            marker={"color": COLOURS["accepted"], "size": 12, "symbol": "diamond", "line": {"color": "white", "width": 1}},
            hovertemplate="%{customdata[0]}<br>score %{x:.4f}<br>measured %{y:+.2f} % (%{customdata[1]:+.2f} to %{customdata[2]:+.2f})"
            "<extra>your run</extra>",
        )  # fmt: skip
    if here is not None:
        value, least, most = (float(number) for number in law.predict(here))
        figure.add_vline(x=here, line={"color": COLOURS["real"], "width": 1.5, "dash": "dot"})
        figure.add_scatter(
            x=[here], y=[value], mode="markers", name="this dataset, predicted",
            marker={"color": COLOURS["real"], "size": 12, "symbol": "x"},
            hovertemplate=f"score {here:.4f}<br>predicted {value:+.2f} % ({least:+.2f} to {most:+.2f})<extra>this dataset</extra>",
        )  # fmt: skip
    ys = [point.gain for point in points] + [run["high"] for run in runs] + [run["low"] for run in runs]
    figure.update_yaxes(
        range=[min(-22.0, *ys) - 3 if ys else -25, max(90.0, *ys) + 12 if ys else 100],
        zeroline=True,
        zerolinewidth=1.5,
    )
    figure.update_xaxes(range=[grid[0], grid[-1]])
    return figure


# --- similarity ---


def super_classes(
    rows: Sequence[Mapping[str, Any]], *, argmax: str | None = None, merge: float | None = None
) -> go.Figure:
    """Mean SSIM and its interval a super-class, the highest first. rows: {name, n, value, ci_low, ci_high, pairs}."""
    ordered = sorted((row for row in rows if row["value"] is not None), key=lambda row: row["value"])[
        -MAX_CLASSES:
    ]
    figure = _figure(
        height=120 + 30 * len(ordered),
        xaxis_title="mean SSIM of random pairs (95 % interval)",
        showlegend=False,
    )
    tones = [COLOURS["law"] if row["name"] == argmax else COLOURS["real"] for row in ordered]
    for row, tone in zip(
        ordered, tones, strict=True
    ):  # one trace an interval: error bars of one trace share one colour
        figure.add_scatter(
            x=[row["ci_low"], row["ci_high"]],
            y=[safe(row["name"])] * 2,
            mode="lines",
            line={"color": tone, "width": 2},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=[row["value"] for row in ordered], y=[safe(row["name"]) for row in ordered], mode="markers",
        customdata=[[row["n"], row["pairs"]] for row in ordered],
        marker={
            "size": 10, "symbol": ["diamond" if row["name"] == argmax else "circle" for row in ordered],
            "color": tones,
        },
        hovertemplate="%{y}<br>%{x:.4f}<br>%{customdata[0]:,} images, %{customdata[1]:,} pairs<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=[safe(row["name"]) for row in ordered]
    )
    if merge is not None:
        figure.update_xaxes(
            range=_padded([merge, *(row[key] for row in ordered for key in ("ci_low", "ci_high"))])
        )
        figure.add_vline(x=merge, line={"color": COLOURS["baseline"], "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            x=merge, y=1, yref="paper", yanchor="bottom", text="whole set", showarrow=False, font={"size": 11}
        )
    return figure


def matrix(values: Sequence[Sequence[float | None]], names: Sequence[str]) -> go.Figure:
    """Mean SSIM between sub-classes, a heat map: how like one another they are. Unknown cells (None) stay empty."""
    labels = [safe(name) for name in names]
    numbers = np.array([[np.nan if value is None else value for value in row] for row in values], float)
    many = (
        len(names) > MANY_NAMES
    )  # then the pattern counts: no gaps, names beside the rows alone; the rest is in the hover text
    figure = _figure(height=int(min(900, 150 + (24 if not many else 10) * len(names))))
    figure.add_heatmap(
        z=numbers, x=labels, y=labels, colorscale="Cividis", colorbar={"title": "SSIM", "thickness": 12}, xgap=not many, ygap=not many,
        hovertemplate="%{y} and %{x}<br>%{z:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="category", showticklabels=not many, ticks="")  # classes may be called 0, 1, 2
    figure.update_yaxes(type="category", autorange="reversed", ticks="")
    return figure


def convergence(history: Sequence[Mapping[str, Any]], *, top: int = 6) -> alt.LayerChart | None:
    """Running means and intervals while a score is measured. history: metrics rows with `sets`. None while there are none.

    The `top` highest sets are drawn, so that the contest for the maximum can be followed; at most 2,000 points.
    """
    measured = ([item for item in row.get("sets") or [] if item["value"] is not None] for row in history)
    sampled = [{**row, "sets": sets} for row, sets in zip(history, measured, strict=True) if sets]
    if not sampled:
        return None
    leaders = [item["name"] for item in sorted(sampled[-1]["sets"], key=lambda item: -item["value"])[:top]]
    thinned = sampled[:: max(1, len(sampled) * len(leaders) // 2000)]
    if thinned[-1] is not sampled[-1]:
        thinned.append(sampled[-1])
    frame = pd.DataFrame(
        [
            {
                "share": row["step"] / max(1, row["total"]),
                "set": item["name"],
                **{k: item[k] for k in ("value", "ci_low", "ci_high", "pairs")},
            }
            for row in thinned
            for item in row["sets"]
            if item["name"] in leaders
        ]
    )
    legend = alt.Legend(title=None, orient="top", columns=4, symbolOpacity=1)
    colour = alt.Color("set:N", sort=leaders, scale=alt.Scale(range=_SERIES), legend=legend)
    x = alt.X(
        "share:Q", title="share of the pairs", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
    )
    base = alt.Chart(frame).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.16).encode(
        y=alt.Y("ci_low:Q", title="mean SSIM", scale=alt.Scale(zero=False)), y2="ci_high:Q"
    )
    line = base.mark_line(strokeWidth=2, point=len(thinned) == 1).encode(
        y="value:Q",
        tooltip=["set:N", alt.Tooltip("value:Q", format=".4f"), alt.Tooltip("pairs:Q", format=",")],
    )
    return (band + line).properties(height=320)


# --- training, while it runs ---

_SERIES = [
    "#3E8EC9",
    "#D99A1C",
    "#0A9E77",
    "#BE7BA9",
    "#D9622B",
    "#7F8B99",
    "#5B6BBF",
    "#8A9A2B",
    "#2F9FA8",
    "#A0693A",
]
_LOSSES = {"loss_d": "discriminator", "loss_with_balance": "with class balance"}


def training(history: Sequence[Mapping[str, Any]]) -> alt.Chart | None:
    """The generator's losses over thousand images seen. None while there are none."""
    rows = [row for row in history if row.get("stage") == "generator" and "kimg" in row]
    keys = [key for key in (rows[-1] if rows else {}) if key.startswith("loss")]
    points = [
        {"kimg": row["kimg"], "what": _LOSSES.get(key, "generator"), "value": row[key]}
        for row in rows[:: max(1, len(rows) * max(1, len(keys)) // 1500)]
        for key in keys
        if row.get(key) is not None
    ]
    return _lines(points, "kimg:Q", "thousand images seen (kimg)", "loss") if points else None


def snapshots(history: Sequence[Mapping[str, Any]]) -> tuple[str, alt.VConcatChart] | None:
    """(caption with n, chart) of the generator's KID and class-consistency at its snapshots. None while there are none."""
    rows = [
        row["quality"]
        for row in history
        if row.get("stage") == "generator" and (row.get("quality") or {}).get("kid") is not None
    ]
    if not rows:
        return None
    rows = list({row["kimg"]: row for row in rows}.values())  # a resumed run reports some of them again
    x = alt.X("kimg:Q", title="thousand images seen (kimg)")

    def panel(keys: Mapping[str, str], title: str, axis: alt.Axis, colours: Sequence[str]) -> alt.Chart:
        points = [
            {"kimg": row["kimg"], "what": name, "value": row[key]}
            for row in rows
            for key, name in keys.items()
            if key in row
        ]
        colour = alt.Color("what:N", scale=alt.Scale(domain=list(keys.values()), range=list(colours)))
        return (
            alt.Chart(pd.DataFrame(points))
            .mark_line(point=alt.OverlayMarkDef(size=36), strokeWidth=1.6)
            .encode(
                x=x,
                y=alt.Y("value:Q", title=title, axis=axis, scale=alt.Scale(zero=True)),
                color=colour.legend(alt.Legend(title=None, orient="top"))
                if len(keys) > 1
                else alt.value(colours[0]),
                tooltip=["what:N", alt.Tooltip("kimg:Q", format=".1f"), alt.Tooltip("value:Q", format=".3f")],
            )
            .properties(height=110)
        )

    share = {"consistency": "all classes", "consistency_tail": "rarest third"}
    chart = alt.vconcat(
        panel({"kid": "KID"}, "KID", alt.Axis(), [_SERIES[0]]),
        panel(share, "in their class", alt.Axis(format="%"), [_SERIES[2], _SERIES[1]]),
    )
    last = rows[-1]
    caption = (
        f"KID (lower is better) and the share of samples that the baseline classifier puts in their class: {last['n_synthetic']:,} samples "
        f"of fixed seeds against {last['n_real']:,} real images, in that classifier's features."
    )
    return caption, chart


def classifiers(history: Sequence[Mapping[str, Any]]) -> tuple[str, alt.Chart] | None:
    """(title, chart) of the classifiers as they train, one line a variant and seed: validation accuracy where the run reports it,
    else the training loss. None while there is neither."""
    what = "val_accuracy" if any(row.get("val_accuracy") is not None for row in history) else "loss"
    rows = [row for row in history if row.get(what) is not None and "variant" in row]
    if not rows:
        return None
    points = [
        {
            "step": row["step"],
            "what": str(row["variant"]).replace("_", " "),
            "value": row[what],
            "seed": row.get("seed", 0),
        }
        for row in rows[:: max(1, len(rows) // 1500)]
    ]
    order = list(dict.fromkeys(point["what"] for point in points))
    title = (
        "Validation accuracy of the classifiers"
        if what == "val_accuracy"
        else "Training loss of the classifiers"
    )
    shape = alt.Axis(format="%") if what == "val_accuracy" else alt.Axis()
    chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=1.5)
        .encode(
            x=alt.X("step:Q", title="SGD step"),
            y=alt.Y(
                "value:Q", title=what.replace("val_", "validation "), axis=shape, scale=alt.Scale(zero=False)
            ),
            color=alt.Color(
                "what:N",
                sort=order,
                scale=_scale(order),
                legend=alt.Legend(title=None, orient="top", columns=2),
            ),
            detail="seed:N",
            tooltip=["what:N", "seed:N", "step:Q", alt.Tooltip("value:Q", format=".4f")],
        )
        .properties(height=340)
    )
    return title, chart


def _scale(names: Sequence[str]) -> alt.Scale:
    """Colours for lines: the baseline and the augmented one keep theirs, the others follow in a fixed order."""
    fixed = {"baseline": COLOURS["baseline"], "augmented": COLOURS["accepted"]}
    others = iter([colour for colour in _SERIES if colour not in fixed.values()] * (1 + len(names)))
    return alt.Scale(domain=list(names), range=[fixed.get(name) or next(others) for name in names])


def _lines(points: list[dict[str, Any]], x: str, x_title: str, y_title: str) -> alt.Chart:
    order = list(dict.fromkeys(point["what"] for point in points))
    return (
        alt.Chart(pd.DataFrame(points))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X(x, title=x_title),
            y=alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "what:N",
                sort=order,
                scale=alt.Scale(range=_SERIES),
                legend=alt.Legend(title=None, orient="top", columns=4),
            ),
            tooltip=["what:N", alt.Tooltip(x, format=".1f"), alt.Tooltip("value:Q", format=".4f")],
        )
        .properties(height=320)
    )


# --- a finished augmentation run ---


def forest(result: Mapping[str, Any], measure: str = "accuracy") -> go.Figure:
    """Every variant's mean with its interval and each seed's own value. measure: "accuracy" | "balanced_accuracy"."""
    rows = list(reversed(variants(result)))
    figure = _figure(
        height=110 + 46 * len(rows),
        xaxis_title=f"{measure.replace('_', ' ')} on the test images, %",
        showlegend=False,
    )
    for key, label, role, found in rows:
        values = found[measure]
        mean, low, high = (100 * values[name] for name in ("mean", "ci_low", "ci_high"))
        figure.add_scatter(
            x=[100 * value for value in values["values"]], y=[label] * len(values["values"]), mode="markers", hoverinfo="skip",
            marker={"symbol": "line-ns-open", "size": 12, "color": COLOURS[role], "opacity": 0.55, "line": {"width": 1.5}},
        )  # fmt: skip
        figure.add_scatter(
            x=[mean], y=[label], mode="markers", error_x={"array": [high - mean], "arrayminus": [mean - low], "thickness": 2, "width": 6},
            marker={"symbol": MARKS.get(key, MARKS["control"]), "size": 12, "color": COLOURS[role], "line": {"color": "white", "width": 1}},
            hovertemplate=f"{label}<br>{mean:.2f} % ({low:.2f} to {high:.2f})<br>{len(values['values'])} seeds, {values['n']:,} test images"
            "<extra></extra>",
        )  # fmt: skip
    reference = 100 * result["baseline"][measure]["mean"]
    figure.add_vline(
        x=reference, line={"color": COLOURS["baseline"], "width": 1, "dash": "dot"}, layer="below"
    )
    return figure


def per_class(result: Mapping[str, Any], *, compare: str = "augmented") -> go.Figure:
    """Recall a class, baseline beside `compare`, the rarest class on top. At most MAX_CLASSES rows."""
    rows = sorted(result["per_class"], key=lambda row: row["train"])[:MAX_CLASSES][::-1]
    labels = [f"{safe(row['class'])} ({row['train']:,})" for row in rows]
    figure = _figure(height=130 + 30 * len(rows), barmode="group", bargap=0.3, bargroupgap=0.06)
    role = "accepted" if compare == "augmented" else "control"
    for key, colour in ((compare, COLOURS[role]), ("baseline", COLOURS["baseline"])):
        figure.add_bar(
            y=labels, x=[None if row.get(key) is None else 100 * row[key] for row in rows], orientation="h", name=short(key),
            marker={"color": colour}, customdata=[[row["test"], row.get("synthetic", 0)] for row in rows],
            text=[_points(row, compare) if key == compare else "" for row in rows], textposition="outside", cliponaxis=False,
            textfont={"size": 12},
            hovertemplate="%{y}<br>recall %{x:.1f} %<br>%{customdata[0]} test images, %{customdata[1]:,} synthetic in training"
            f"<extra>{short(key)}</extra>",
        )  # fmt: skip
    figure.update_layout(legend_traceorder="reversed")
    figure.update_xaxes(title="recall on the test images, %", range=[0, 110])
    figure.update_yaxes(title="class (real training images)", type="category")
    return figure


def _points(row: Mapping[str, Any], compare: str) -> str:
    """'+3.2': percentage points of recall between the baseline and `compare`; empty where either is unknown."""
    if row.get(compare) is None or row.get("baseline") is None:
        return ""
    return f"{100 * (row[compare] - row['baseline']):+.1f}".replace("-", "−")


def balance(result: Mapping[str, Any]) -> go.Figure:
    """Real and accepted synthetic images a class, and above them how many of 100 drawn were accepted."""
    rows = sorted(result["per_class"], key=lambda row: -row["train"])
    rows = rows if len(rows) <= MAX_CLASSES else rows[-MAX_CLASSES:]
    labels = [safe(row["class"]) for row in rows]
    accepted = [result["accepted"]["per_class"].get(row["class"], 0) for row in rows]
    rejected = [result["rejected"]["per_class"].get(row["class"], 0) for row in rows]
    drawn = [a + r for a, r in zip(accepted, rejected, strict=True)]
    figure = _figure(height=320, barmode="stack", bargap=0.25, yaxis_title="images")
    figure.add_bar(
        x=labels, y=[row["train"] for row in rows], name="real", marker={"color": COLOURS["real"]},
        hovertemplate="%{x}<br>%{y:,} real training images<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        x=labels, y=accepted, name="accepted synthetic", marker={"color": COLOURS["accepted"]}, textposition="outside", cliponaxis=False,
        constraintext="none", textfont={"size": 10}, textangle=0,
        text=[f"{100 * a / n:.0f}" if n and len(rows) <= 15 else "" for a, n in zip(accepted, drawn, strict=True)],
        customdata=list(zip(rejected, drawn, strict=True)),
        hovertemplate="%{x}<br>%{y:,} accepted, %{customdata[0]:,} rejected<br>of %{customdata[1]:,} drawn<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        type="category", showticklabels=len(rows) <= 15
    )  # more names than this would leave no room for the bars
    figure.update_layout(legend_traceorder="normal")
    return figure
