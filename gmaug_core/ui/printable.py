"""The report of a run as a page of its own: a browser prints it, or keeps it as PDF. It needs no script.

A browser's own print is the way to a PDF because charts stay drawings, text stays text, and there is one
layout: report/*.jinja says with @media print how it looks on paper. A library would need a second one.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gmaug_core import runs
from gmaug_core.errors import GMAugError
from gmaug_core.workspace import reviews


@lru_cache(maxsize=4)
def _report(run_id: str, _written: int, _reviews: int) -> str:
    from gmaug_core.report.html import html_report  # charts and SciPy: the app starts without them

    return html_report(run_id)


def report(request: Request) -> Response:
    """The route: 404 for a run without a report."""
    try:
        paths = runs.find(request.path_params["run"])
        written = paths.result.stat().st_mtime_ns if paths.result.exists() else 0
        page = _report(paths.id, written, reviews.revision(paths.id))
    except GMAugError:
        return Response("not here", status_code=404, media_type="text/plain")
    return HTMLResponse(page, headers={"cache-control": "no-store"})


def link(run_id: str) -> None:
    """A button that opens it."""
    st.link_button(
        "Report to print, or as PDF",
        f"/runs/{quote(run_id)}/report",
        icon=":material/print:",
        help="Opens in a tab of its own: print it, and choose 'Save as PDF'.",
    )


ROUTE = Route("/runs/{run}/report", report)
