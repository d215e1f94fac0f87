"""The moving part of a watching page: stage, step and time to go, fetched from a route of its own.

A rerun of the page's part costs the server some 50 ms of computing; this costs about one. The browser asks
for the rerun only when the run changes its state or stage, and now and then when there is something to draw.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gmaug_core import runs
from gmaug_core.errors import GMAugError
from gmaug_core.report.cost import duration
from gmaug_core.runs import KINDS, RunPaths, Status
from gmaug_core.ui import ASSETS, text
from gmaug_core.ui.operations import script

EVERY_S = 2.0  # between two looks
DRAWS = "sample-"  # begins the name of a stage that draws images
DRAW_S = 15.0  # at least, between two drawings of charts

_component = st.components.v2.component(
    "gmaug_pulse",
    html="<div></div>",
    css=(ASSETS / "pulse.css").read_text("utf-8"),
    js=script("pulse_logic.mjs", "pulse.js"),
)


def stage_words(stage: str) -> str:
    """'retrain-2' -> 'Retrain, step 2'."""
    name, _, step = stage.partition("-")
    words = next((kind.stage_words[name] for kind in KINDS.values() if name in kind.stage_words), None)
    return (words or name.replace("_", " ").capitalize()) + (f", step {step}" if step else "")


def of(paths: RunPaths, status: Status) -> dict[str, Any]:
    """What moves: shape (another one means another page), said, share (0 to 1, None where unknown), news
    (grows with what there is to draw)."""
    known = status.state == "running" and status.total > 0
    eta = f", about {duration(status.eta_s)} to go" if status.eta_s else ""
    said = f"{stage_words(status.stage)}: {text.count(status.step)} of {text.count(status.total)}{eta}"
    share = min(status.step / status.total, 1.0) if known else None
    if share is not None and status.stage.startswith(DRAWS):
        said, share = _drawing(paths, status, said, share)
    stopping = paths.stop.exists()
    shape = [status.state, status.stage, str(status.attempt), str(stopping), str(status.stalled)]
    return {
        "shape": " ".join(shape),
        "said": said if known else "",
        "share": None if share is None else round(share, 4),
        "news": paths.metrics.stat().st_size if paths.metrics.exists() else 0,
    }


def _drawing(paths: RunPaths, status: Status, said: str, share: float) -> tuple[str, float]:
    """While images are drawn the stage ends with the budget too, not only when enough were accepted: what is
    said, with the draws, and the larger of both shares. said, share: of the accepted ones alone."""
    row = runs.newest_metrics(paths)
    if row.get("stage") != status.stage or not row.get("at_most"):
        return said, share
    spent = min(row["drawn"] / row["at_most"], 1.0)
    draws = f"{text.count(row['drawn'])} of at most {text.count(row['at_most'])} drawn"
    if spent <= share:
        return f"{said}; {draws}", share
    accepted = f"{text.count(status.step)} accepted of {text.count(status.total)} wanted"
    return f"{stage_words(status.stage)}: {draws}, {accepted}", spent  # the time to go counted accepted ones


def show(paths: RunPaths, status: Status) -> None:
    """The line that moves. It asks for a rerun of the part of the page that it stands in."""
    _component(
        key=f"pulse-{paths.id}",
        data={
            "address": f"/runs/{paths.id}/pulse",
            "now": of(paths, status),
            "every": EVERY_S,
            "draw": DRAW_S,
        },
        on_look_change=lambda: None,
    )


def pulse(request: Request) -> Response:
    """The route: 404 for a run that is not there, or not any more."""
    try:
        paths = runs.find(request.path_params["run"])
        beat = of(paths, runs.read_status(paths))
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    return JSONResponse(beat, headers={"cache-control": "no-store"})


ROUTE = Route("/runs/{run}/pulse", pulse)
