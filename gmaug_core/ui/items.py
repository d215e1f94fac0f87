"""The list behind the sample gallery: which samples of a run, in which order, with a verdict, as JSON.

The gallery component fetches it by address once a filter; a key press then sends only what was decided.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig
from gmaug_core.config.selection import SelectionConfig
from gmaug_core.data import samples
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
    return browsing.judged(rows[rows["seed"] == seed], folder, rule(config), threshold)


def of_judge(paths: RunPaths, seed: int, threshold: float | None = None) -> pd.DataFrame:
    """The verdicts of one judge, one row a sample, as another threshold would have them; kept between
    reruns."""
    steps = tuple(samples.steps(paths.samples))
    return _judge(paths.samples, paths.config, steps, seed, threshold)


def found(paths: RunPaths, want: Filter, decisions: dict[int, str]) -> pd.DataFrame:
    """What a filter finds among all samples of a run."""
    return browsing.chosen(of_judge(paths, want.seed, want.threshold), want, decisions)


def document(rows: pd.DataFrame) -> dict[str, Any]:
    """Columns, not records: 5,000 samples in some 200 KB."""
    classes, names = pd.factorize(rows["class"])
    reasons, words = pd.factorize(rows["reason"])
    return {
        "sample": rows["sample"].astype(int).tolist(),
        "class": classes.tolist(),
        "classes": list(names),
        "probability": rows["probability"].astype(float).round(4).tolist(),
        "logit": rows["logit"].astype(float).round(3).tolist(),
        "accepted": rows["accepted"].astype(int).tolist(),
        "reason": reasons.tolist(),
        "reasons": list(words),
    }


def url(run_id: str, want: Filter, version: str) -> str:
    """Where the gallery finds the list. version: changes when the list may have changed."""
    usual = {field.name: field.default for field in fields(Filter)}
    given = {key: value for key, value in asdict(want).items() if value != usual[key]}
    return f"/runs/{quote(run_id)}/items?{urlencode(given | {'version': version})}"


def items(request: Request) -> Response:
    """The route: 404 for an unknown run, 400 for a filter that is none."""
    asked: dict[str, Any] = dict(request.query_params)
    asked.pop("version", None)
    try:
        want = Filter(**{key: NUMBERS.get(key, str)(value) for key, value in asked.items()})
    except (TypeError, ValueError, InputError):
        return Response("not a filter", status_code=400, media_type="text/plain")
    try:
        paths = runs.find(request.path_params["run"])
        rows = found(paths, want, reviews.load(paths.id))
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    return Response(
        json.dumps(document(rows)), media_type="application/json", headers={"cache-control": "no-store"}
    )
