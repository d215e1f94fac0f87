"""The list behind the sample gallery: which samples of a run, in which order, with a verdict, as JSON.

The gallery component fetches it by address once a filter; a key press then sends only what was decided.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from gmaug_core import runs
from gmaug_core.data import samples
from gmaug_core.data.samples import Filter
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.workspace import reviews


@lru_cache(maxsize=8)
def _table(folder: Path, _: tuple[int, ...]) -> pd.DataFrame:
    return samples.table(folder)


def table(folder: Path) -> pd.DataFrame:
    """All verdicts of a run, kept between reruns until another step is written."""
    return _table(folder, tuple(samples.steps(folder)))


def document(rows: pd.DataFrame) -> dict[str, Any]:
    """Columns, not records: 5,000 samples in some 200 KB."""
    names, reasons = list(rows["class"].unique()), list(rows["reason"].unique())
    return {
        "sample": rows["sample"].astype(int).tolist(),
        "class": rows["class"].map({name: k for k, name in enumerate(names)}).astype(int).tolist(),
        "classes": names,
        "probability": rows["probability"].astype(float).round(4).tolist(),
        "logit": rows["logit"].astype(float).round(3).tolist(),
        "accepted": rows["accepted"].astype(int).tolist(),
        "reason": rows["reason"].map({reason: k for k, reason in enumerate(reasons)}).astype(int).tolist(),
        "reasons": reasons,
    }


def url(run_id: str, want: Filter, version: str) -> str:
    """Where the gallery finds the list. version: changes when the list may have changed."""
    given = {key: value for key, value in asdict(want).items() if value not in (None, "")}
    return f"/runs/{quote(run_id)}/items?{urlencode(given | {'version': version})}"


def items(request: Request) -> Response:
    """The route: 404 for an unknown run, 400 for a filter that is none."""
    asked = dict(request.query_params)
    asked.pop("version", None)
    try:
        numbers = {key: int(asked.pop(key)) for key in ("seed", "step") if key in asked}
        want = Filter(**numbers, **asked)  # type: ignore[arg-type]
    except (TypeError, ValueError, InputError):
        return Response("not a filter", status_code=400, media_type="text/plain")
    try:
        paths = runs.find(request.path_params["run"])
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    rows = samples.chosen(table(paths.samples), want, reviews.load(paths.id))
    return Response(
        json.dumps(document(rows)), media_type="application/json", headers={"cache-control": "no-store"}
    )
