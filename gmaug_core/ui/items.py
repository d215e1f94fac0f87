"""The list behind the sample gallery: which samples of a run, in which order, with each judge's verdict. Served as JSON.

The gallery component fetches it by address once a filter; a key press then sends only what was decided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response

from gmaug_core import runs
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError
from gmaug_core.report.findings import decided
from gmaug_core.workspace import reviews

VERDICTS = ("all", "accepted", "rejected")
DECISIONS = ("any", "undecided", "keep", "reject", "overruled")
ORDERS = ("drawn", "score, low first", "score, high first")


@dataclass(frozen=True)
class Filter:
    """What a person wants to see. Empty text or None: no restriction."""

    seed: int = 0  # whose verdicts: the judge is the classifier of this seed
    verdict: str = "all"
    name: str = ""  # class
    reason: str = ""
    step: int | None = None
    decision: str = "any"
    order: str = "drawn"


@lru_cache(maxsize=8)
def _table(folder: Path, _: tuple[int, ...]) -> pd.DataFrame:
    return samples.table(folder)


def table(folder: Path) -> pd.DataFrame:
    """All verdicts of a run, kept between reruns until another step is written."""
    return _table(folder, tuple(samples.steps(folder)))


def chosen(rows: pd.DataFrame, want: Filter, decisions: Mapping[int, str]) -> pd.DataFrame:
    """The rows that a filter asks for, in its order: one a sample, by the judge of want.seed."""
    rows = rows[rows["seed"] == want.seed]
    if want.verdict in ("accepted", "rejected"):
        rows = rows[rows["accepted"].astype(bool) == (want.verdict == "accepted")]
    if want.name:
        rows = rows[rows["class"] == want.name]
    if want.reason:
        rows = rows[rows["reason"] == want.reason]
    if want.step is not None:
        rows = rows[rows["step"] == want.step]
    if want.decision != "any":
        decision = rows["sample"].map(decisions)
        overruled = decision.notna() & (decided(rows, decisions) != rows["accepted"].astype(bool))
        rows = rows[
            {"undecided": decision.isna(), "overruled": overruled}.get(
                want.decision, decision == want.decision
            )
        ]
    if want.order != "drawn":
        rows = rows.sort_values("probability", ascending=want.order.endswith("low first"), kind="stable")
    return rows


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
        paths = runs.find(request.path_params["run"])
    except (TypeError, ValueError):
        return Response("not a filter", status_code=400, media_type="text/plain")
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    rows = chosen(table(paths.samples), want, reviews.load(paths.id))
    return Response(
        json.dumps(document(rows)), media_type="application/json", headers={"cache-control": "no-store"}
    )
