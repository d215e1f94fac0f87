"""Augmentation runs of a dataset as rows: the settings that set them apart, what came out, what people
noted; and several of them over one another as curves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig
from gmaug_core.errors import GMAugError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.report.live_charts import MOST_ROWS, Rows, newest, of_generator
from gmaug_core.report.theme import SERIES, legend
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.runs.comparing import ABSENT, flattened
from gmaug_core.workspace import marks
from gmaug_core.workspace.marks import Mark

UNTOLD = ("dataset", "kind", "device")  # no choices of a person
MOST_SETTINGS = 8  # columns of settings


@dataclass(frozen=True)
class Outcome:
    """What a finished run found. accuracy: (mean, low, high) in percent of the augmented classifier; gain: in
    points over the fair control, (value, low, high), None where nothing was tested."""

    accuracy: tuple[float, float, float]
    gain: tuple[float, float, float] | None
    accepted: int
    drawn: int


@dataclass(frozen=True)
class Row:
    """One run. differing: settings in which the runs of this table differ, dotted name -> value as text;
    seconds: of work so far."""

    run: str
    created: float
    state: str
    differing: Mapping[str, str]
    outcome: Outcome | None
    seconds: float
    mark: Mark


def rows(dataset: str) -> list[Row]:
    """Every augmentation run of a dataset that can be read, the newest first."""
    found = [(paths, runs.config_of(paths)) for paths in runs.list_runs("augmentation", dataset)]
    settings = [_settings(config) for _, config in found]
    names = [
        name
        for name in dict.fromkeys(name for each in settings for name in each)
        if len({each.get(name, ABSENT) for each in settings}) > 1
    ]
    noted = marks.load()
    made = []
    for (paths, config), each in zip(found, settings, strict=True):
        status, came = runs.read_status(paths), outcome(paths)
        state = f"running: {status.stage}" if status.word == "running" else status.word
        if state == "finished" and came is None:
            state = "finished; its result cannot be read"
        made.append(
            Row(
                run=paths.id,
                created=config.created,
                state=state,
                differing={name: each.get(name, ABSENT) for name in names[:MOST_SETTINGS]},
                outcome=came,
                seconds=sum(status.stages.values()),
                mark=noted.get(paths.id, Mark()),
            )
        )
    return made


def _settings(config: RunConfigFile) -> dict[str, str]:
    given = dict(flattened(config.settings_as(AugmentationConfig).model_dump(mode="json")))
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
        if name not in UNTOLD
    }


def outcome(paths: RunPaths) -> Outcome | None:
    """What a run found; None where it has not finished, or its result cannot be read."""
    try:
        return _outcome(paths.result, paths.result.stat().st_mtime_ns)
    except (FileNotFoundError, GMAugError):
        return None


@lru_cache(maxsize=512)
def _outcome(path: Path, _: int) -> Outcome:
    result = AugmentationResult.read(path)
    best, gain = result.augmented.accuracy, result.endpoint
    points = None
    if result.status == "measured" and gain is not None and gain.points is not None:
        low, high = gain.points_low, gain.points_high
        points = (gain.points, gain.points if low is None else low, gain.points if high is None else high)
    accepted = result.accepted.total
    accuracy = 100 * best.mean, 100 * best.ci_low, 100 * best.ci_high
    return Outcome(accuracy, points, accepted, accepted + result.rejected.total)


def curves(histories: Mapping[str, Rows]) -> list[tuple[str, alt.Chart]]:
    """(title, chart) of several runs over one another: the generator's loss, and the validation accuracy of
    its baseline and its newest classifier with synthetic images. histories: what a run is called -> its rows
    of metrics.jsonl. Charts without a point are left out.
    """
    names = list(histories)
    losses = [point for name in names for point in _losses(name, histories[name])]
    accuracies = [point for name in names for point in _accuracies(name, histories[name])]
    found = []
    if losses:
        found.append(
            ("Generator's loss", _overlaid(losses, names, "thousand images seen (kimg)", "loss", ""))
        )
    if accuracies:
        title = "Validation accuracy: baseline dashed, with synthetic images solid"
        found.append((title, _overlaid(accuracies, names, "SGD step", "validation accuracy", "%")))
    return found


def _losses(name: str, history: Rows) -> list[dict[str, Any]]:
    seen = of_generator(history)
    key = next((key for row in seen for key in row if key.startswith("loss")), None)
    thinned = seen[:: max(1, len(seen) // MOST_ROWS)]
    return [
        {"run": name, "what": "generator", "x": row["kimg"], "y": row[key]}
        for row in thinned
        if key is not None and row.get(key) is not None
    ]


def _accuracies(name: str, history: Rows) -> list[dict[str, Any]]:
    seen = [row for row in history if row.get("val_accuracy") is not None and "variant" in row]
    synthetic = [row["variant"] for row in seen if str(row.get("stage", "")).startswith("retrain")]
    points = []
    for what, variant in (("baseline", "baseline"), ("with synthetic", synthetic[-1] if synthetic else None)):
        own = [{**row, "x": row.get("sgd_step", row["step"])} for row in seen if row["variant"] == variant]
        first = min((row.get("seed", 0) for row in own), default=0)
        points += [
            {"run": name, "what": what, "x": row["x"], "y": row["val_accuracy"]}
            for row in newest([row for row in own if row.get("seed", 0) == first], "x")
        ]
    return points


def _overlaid(
    points: Sequence[Mapping[str, Any]], names: Sequence[str], x: str, y: str, form: str
) -> alt.Chart:
    dash = alt.Scale(domain=["baseline", "with synthetic", "generator"], range=[[5, 4], [1, 0], [1, 0]])
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(strokeWidth=1.8, point=alt.OverlayMarkDef(size=18))
        .encode(
            x=alt.X("x:Q", title=x),
            y=alt.Y(
                "y:Q",
                title=y,
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format=form) if form else alt.Axis(),
            ),
            color=alt.Color("run:N", sort=list(names), scale=alt.Scale(range=list(SERIES)), legend=legend()),
            strokeDash=alt.StrokeDash("what:N", scale=dash, legend=None),
            tooltip=["run:N", "what:N", alt.Tooltip("x:Q", format=".1f"), alt.Tooltip("y:Q", format=".4f")],
        )
        .properties(height=260)
    )
    return chart


def intervals(outcomes: Mapping[str, Outcome]) -> alt.LayerChart:
    """Accuracy with its 95 % interval, a row a run. outcomes: what a run is called -> what it found."""
    frame = pd.DataFrame(
        [
            dict(zip(("mean", "low", "high"), each.accuracy, strict=True), run=name)
            for name, each in outcomes.items()
        ]
    )
    place = alt.Y("run:N", sort=list(outcomes), title=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(frame).encode(y=place)
    bar = base.mark_rule(strokeWidth=2, color=SERIES[0]).encode(
        x=alt.X("low:Q", title="accuracy, %", scale=alt.Scale(zero=False)), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="mean:Q",
        tooltip=["run:N", *(alt.Tooltip(f"{each}:Q", format=".2f") for each in ("mean", "low", "high"))],
    )
    return alt.LayerChart(layer=[bar, dot]).properties(height=80 + 28 * len(outcomes))  # 80: the axis
