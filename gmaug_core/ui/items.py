"""The list behind the sample gallery: which samples of a run, in which order, with a verdict, as JSON.

The gallery component fetches it by address once a filter; a key press then sends only what was decided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig
from gmaug_core.config.selection import SelectionConfig
from gmaug_core.data import dataset, sample_map, samples
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.report import browsing
from gmaug_core.report.browsing import Filter
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.workspace import reviews

NUMBERS = {"seed": int, "step": int, "predicted": int, "low": float, "high": float, "threshold": float}


@lru_cache(maxsize=8)
def _table(folder: Path, _: tuple[int, ...]) -> pd.DataFrame:
    return samples.table(folder)


def table(folder: Path) -> pd.DataFrame:
    """All verdicts of a run, kept between reruns until another step is written."""
    return _table(folder, tuple(samples.steps(folder)))


@lru_cache(maxsize=64)
def rule(config: Path) -> SelectionConfig:
    """The acceptance rule of a run; its config file never changes."""
    return RunConfigFile.read(config).settings_as(AugmentationConfig).selection


@lru_cache(maxsize=32)
def _judge(
    folder: Path, config: Path, _: tuple[int, ...], seed: int, threshold: float | None
) -> pd.DataFrame:
    rows = table(folder)
    rows = browsing.judged(rows[rows["seed"] == seed], folder, rule(config), threshold)
    return sample_map.located(rows, folder)


def of_judge(paths: RunPaths, seed: int, threshold: float | None = None) -> pd.DataFrame:
    """The verdicts of one judge, one row a sample, as another threshold would have them, with their places
    where there is a map; kept between reruns."""
    version = (*samples.steps(paths.samples), MapFiles(paths.samples).version)
    return _judge(paths.samples, paths.config, version, seed, threshold)


def found(paths: RunPaths, want: Filter, decisions: dict[int, str]) -> pd.DataFrame:
    """What a filter finds among all samples of a run."""
    return browsing.chosen(of_judge(paths, want.seed, want.threshold), want, decisions)


def beginning(rows: pd.DataFrame, linked: int | None) -> int | None:
    """The sample that the gallery begins at: the one that a link names, where the filter finds it, or else
    the first."""
    if rows.empty:
        return None
    return linked if linked in rows["sample"].values else int(rows["sample"].iloc[0])


def document(rows: pd.DataFrame) -> dict[str, Any]:
    """Columns, not records: 5,000 samples in some 200 KB."""
    classes, names = pd.factorize(rows["class"])
    reasons, words = pd.factorize(rows["reason"])
    return {
        "sample": rows["sample"].astype(int).tolist(),
        "class": classes.tolist(),
        "classes": list(names),
        "probability": rows["probability"].astype(float).round(4).tolist(),
        "accepted": rows["accepted"].astype(int).tolist(),
        "reason": reasons.tolist(),
        "reasons": list(words),
    }


def map_document(paths: RunPaths, want: Filter, class_names: Sequence[str]) -> dict[str, Any]:
    """What the map shows: real images and samples, each with its place in 0..GRID, its class, and whether the
    filter accepted it. Where there is no map, its state alone: making, failed, or waiting to begin."""
    whole = sample_map.read(paths.samples)
    if whole is None:
        files = MapFiles(paths.samples)
        return {"state": "making" if files.at_work() else "failed" if files.error.exists() else "waiting"}
    real = whole[whole["kind"] == sample_map.REAL]
    rows = of_judge(paths, want.seed, want.threshold).dropna(subset="x")
    accepted = np.where(rows["accepted"].to_numpy(bool), "accepted", "rejected")
    kinds = ["real", "accepted", "rejected"]
    kind = np.concatenate([np.zeros(len(real), int), [kinds.index(word) for word in accepted]])

    def both(column: str) -> NDArray[np.float64]:
        return np.concatenate([real[column].to_numpy(float), rows[column].to_numpy(float)])

    return {
        "x": np.rint(both("x") * sample_map.GRID).astype(int).tolist(),
        "y": np.rint(both("y") * sample_map.GRID).astype(int).tolist(),
        "label": both("label").astype(int).tolist(),
        "kind": kind.astype(int).tolist(),
        "number": np.concatenate([real["number"], rows["sample"]]).tolist(),
        "kinds": kinds,
        "classes": list(class_names),
    }


def url(run_id: str, want: Filter, version: str, *, what: str = "items") -> str:
    """Where the gallery finds the list, or the map its points (what: "map"). version: changes when they may
    have changed."""
    return f"/runs/{quote(run_id)}/{what}?{urlencode(want.given() | {'version': version})}"


def items(request: Request) -> Response:
    """The list that a filter asks for: 404 for an unknown run, 400 for a filter that is none."""
    return _answer(request, lambda paths, want: document(found(paths, want, reviews.load(paths.id))))


def places(request: Request) -> Response:
    """The points of a run's map, or how it stands: 404 for an unknown run, 400 for a filter that is none."""

    def points(paths: RunPaths, want: Filter) -> dict[str, Any]:
        return map_document(
            paths, want, dataset.load(RunConfigFile.read(paths.config).settings.dataset).class_names
        )

    return _answer(request, points)


def _answer(request: Request, made: Callable[[RunPaths, Filter], dict[str, Any]]) -> Response:
    asked: dict[str, Any] = dict(request.query_params)
    asked.pop("version", None)
    try:
        want = Filter(**{key: NUMBERS.get(key, str)(value) for key, value in asked.items()})
    except (TypeError, ValueError, InputError):
        return Response("not a filter", status_code=400, media_type="text/plain")
    try:
        answer = made(runs.find(request.path_params["run"]), want)
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    return Response(json.dumps(answer), media_type="application/json", headers={"cache-control": "no-store"})
