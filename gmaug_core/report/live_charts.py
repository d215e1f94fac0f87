"""Charts of a run while it goes on: Altair, keyed by the caller, so that a new point does not build the
chart anew.

Pure functions of the rows of metrics.jsonl; None while there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from gmaug_core.method import titles
from gmaug_core.method.variants import short
from gmaug_core.report.theme import COLOURS, SERIES, legend

Rows = Sequence[Mapping[str, Any]]  # of metrics.jsonl, oldest first
MOST_POINTS, MOST_ROWS = 2000, 1500  # that a chart draws; longer histories are thinned
WIDE_NAME = 20  # characters of a name, two of which do not fit beside each other
LEGEND_ROW = 30  # px of a row of a legend, which takes them from the height of its chart
LOSSES = {"loss_d": "discriminator", "loss_with_balance": "with class balance"}  # others are the generator's


def newest(rows: Rows, at: str, of: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    """The rows without those that were made again later: a run that is resumed begins before the last row
    that it had written. at: the key that grows; of: keys of what grows apart."""
    least: dict[tuple[Any, ...], float] = {}
    kept = []
    for row in reversed(rows):
        which = tuple(row.get(key) for key in of)
        if row[at] < least.get(which, float("inf")):
            least[which] = row[at]
            kept.append(row)
    return kept[::-1]


def of_generator(history: Rows) -> list[Mapping[str, Any]]:
    """The rows of the generator's training, of the newest where several are trained."""
    return newest([row for row in history if row.get("stage") == "generator" and "kimg" in row], "kimg")


def convergence(history: Rows, *, top: int = 6) -> alt.LayerChart | None:
    """Running means and intervals while a score is measured. history: metrics rows with `sets`. None
    while there are none.

    The `top` highest sets are drawn, so that the contest for the maximum can be followed; at most about
    MOST_POINTS points.
    """
    measured = ([item for item in row.get("sets") or [] if item["value"] is not None] for row in history)
    sampled = [{**row, "sets": sets} for row, sets in zip(history, measured, strict=True) if sets]
    if not sampled:
        return None
    leaders = [item["name"] for item in sorted(sampled[-1]["sets"], key=lambda item: -item["value"])[:top]]
    thinned = sampled[:: max(1, len(sampled) * len(leaders) // MOST_POINTS)]
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
    colour = alt.Color(
        "set:N", sort=leaders, scale=alt.Scale(range=list(SERIES)), legend=legend(symbolOpacity=1)
    )
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
    return alt.LayerChart(layer=[band, line]).properties(height=320)


def training(history: Rows) -> alt.Chart | None:
    """The generator's losses over thousand images seen, of the newest where several are trained. None while
    there are none."""
    rows = of_generator(history)
    keys = [key for key in (rows[-1] if rows else {}) if key.startswith("loss")]
    points = [
        {"kimg": row["kimg"], "what": LOSSES.get(key, "generator"), "value": row[key]}
        for row in rows[:: max(1, len(rows) * max(1, len(keys)) // MOST_ROWS)]
        for key in keys
        if row.get(key) is not None
    ]
    return _lines(points, "kimg:Q", "thousand images seen (kimg)", "loss") if points else None


def snapshots(history: Rows) -> tuple[str, alt.VConcatChart] | None:
    """(caption with n, chart) of the generator's KID and class-consistency at its snapshots. None while
    there are none."""
    rows = [
        row["quality"]
        for row in history
        if row.get("stage") == "generator" and (row.get("quality") or {}).get("kid") is not None
    ]
    if not rows:
        return None
    rows = newest(rows, "kimg")
    share = {"consistency": "all classes", "consistency_tail": "rarest third"}
    chart = alt.vconcat(
        _panel(rows, {"kid": "KID"}, "KID", alt.Axis(), [SERIES[0]]),
        _panel(rows, share, "in their class", alt.Axis(format="%"), [SERIES[2], SERIES[1]]),
    )
    last = rows[-1]
    caption = (
        "KID (lower is better) and the share of samples that the baseline classifier puts in their "
        f"class: {last['n_synthetic']:,} samples "
        f"of fixed seeds against {last['n_real']:,} real images, in that classifier's features."
    )
    return caption, chart


def _panel(
    rows: Rows, keys: Mapping[str, str], title: str, axis: alt.Axis, colours: Sequence[str]
) -> alt.Chart:
    """One measure, or several of one scale, over the snapshots. keys: key in a row -> what a person reads."""
    points = [
        {"kimg": row["kimg"], "what": name, "value": row[key]}
        for row in rows
        for key, name in keys.items()
        if key in row
    ]
    scale = alt.Scale(domain=list(keys.values()), range=list(colours))
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(point=alt.OverlayMarkDef(size=36), strokeWidth=1.6)
        .encode(
            x=alt.X("kimg:Q", title="thousand images seen (kimg)", axis=alt.Axis(format=".4~g")),
            y=alt.Y("value:Q", title=title, axis=axis, scale=alt.Scale(zero=True)),
            color=alt.Color("what:N", scale=scale, legend=legend())
            if len(keys) > 1
            else alt.value(colours[0]),
            tooltip=["what:N", alt.Tooltip("kimg:Q", format=".1f"), alt.Tooltip("value:Q", format=".3f")],
        )
        .properties(height=110)
    )
    return chart


def classifiers(history: Rows) -> tuple[str, alt.Chart] | None:
    """(title, chart) of the classifiers as they train, one line a variant, the mean over its seeds:
    validation accuracy where the run reports it, else the training loss. None while there is neither."""
    what = "val_accuracy" if any(row.get("val_accuracy") is not None for row in history) else "loss"
    named = [
        {**row, "at": row.get("sgd_step", row["step"])}  # of this classifier; the stage's own before
        for row in history
        if row.get(what) is not None and "variant" in row
    ]
    rows = newest(named, "at", ("variant", "seed", "fold"))
    if not rows:
        return None
    frame = (
        pd.DataFrame(
            {
                "what": [titles.words(str(row["variant"])) for row in rows],
                "step": [row["at"] for row in rows],
                "value": [row[what] for row in rows],
            }
        )
        .groupby(["what", "step"], sort=False)["value"]
        .agg(value="mean", seeds="size")
        .reset_index()
    )
    order = list(frame["what"].unique())
    columns = 1 if max(map(len, order)) > WIDE_NAME else 2
    accuracy = what == "val_accuracy"
    title = f"{'Validation accuracy' if accuracy else 'Training loss'} of the classifiers, mean over seeds"
    chart = (
        alt.Chart(frame.iloc[:: max(1, len(frame) // MOST_ROWS)])
        .mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=1.5)
        .encode(
            x=alt.X("step:Q", title="SGD step"),
            y=alt.Y(
                "value:Q",
                title=what.replace("val_", "validation "),
                axis=alt.Axis(format="%") if accuracy else alt.Axis(),
                scale=alt.Scale(zero=False),
            ),
            color=alt.Color(
                "what:N", sort=order, scale=_scale(order), legend=legend(columns, labelLimit=480)
            ),
            tooltip=["what:N", "step:Q", alt.Tooltip("value:Q", format=".4f"), "seeds:Q"],
        )
        .properties(height=300 + LEGEND_ROW * -(-len(order) // columns))
    )
    return title, chart


def _scale(names: Sequence[str]) -> alt.Scale:
    """Colours for lines: the baseline and the augmented one keep theirs, the others follow in one order."""
    fixed = {short("baseline"): COLOURS["baseline"], short("augmented"): COLOURS["accepted"]}
    others = iter([colour for colour in SERIES if colour not in fixed.values()] * (1 + len(names)))
    return alt.Scale(domain=list(names), range=[fixed.get(name) or next(others) for name in names])


def _lines(points: list[dict[str, Any]], x: str, x_title: str, y_title: str) -> alt.Chart:
    order = list(dict.fromkeys(point["what"] for point in points))
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X(x, title=x_title),
            y=alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "what:N",
                sort=order,
                scale=alt.Scale(range=list(SERIES)),
                legend=legend(),
            ),
            tooltip=["what:N", alt.Tooltip(x, format=".1f"), alt.Tooltip("value:Q", format=".4f")],
        )
        .properties(height=320)
    )
    return chart
