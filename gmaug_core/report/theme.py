"""The look of every chart: a role has one colour and one mark everywhere, on pages and in a report.

Okabe-Ito hues, told apart with any colour vision and readable on light and on dark. Text and lines of a
report's chart take the colour of the page around them (currentColor), so one file can be read on both.
"""

from __future__ import annotations

import html
from typing import Any, Literal

import altair as alt
import plotly.graph_objects as go

COLOURS = {
    "real": "#3E8EC9",  # real images, and what was measured on them
    "accepted": "#0A9E77",  # synthetic images that were kept, and the augmented classifier
    "rejected": "#D9622B",  # synthetic images that were not
    "baseline": "#7F8B99",  # the classifier without synthetic images
    "control": "#BE7BA9",  # fair competitors: oversampling, class-balanced loss, unfiltered
    "law": "#D99A1C",  # the fitted law and what it predicts
}
MARKS = {"baseline": "circle", "accepted": "diamond", "control": "square", "law": "circle", "real": "cross"}
SERIES = (  # lines that have no role, in this order
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
)
GRID = "rgba(128,128,128,.22)"
REPORT_WIDTH = 560  # pixels between a printed chart's axes; its page is 62rem wide
_VEGA_LITE = "6.4"  # the version that Altair writes and vl-convert draws
_PRINTED: dict[str, Any] = {
    "background": None,
    # a reader's font may be wider than the one measured here
    "padding": {"left": 24, "right": 8, "top": 8, "bottom": 8},
    "aria": False,  # the figure around it says what it shows
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelOpacity": 0.8,
        "titleOpacity": 0.8,
        "gridColor": "currentColor",
        "gridOpacity": 0.15,
        "domainColor": "currentColor",
        "domainOpacity": 0.3,
        "tickColor": "currentColor",
        "tickOpacity": 0.3,
    },
    "legend": {"labelColor": "currentColor", "labelFontSize": 12, "labelOpacity": 0.9},
    "text": {"color": "currentColor"},
}


def safe(text: object) -> str:
    """A name as Plotly text, which is pseudo-HTML: nothing in it is taken for markup."""
    return html.escape(str(text), quote=False)


def figure(*, height: int, **layout: Any) -> go.Figure:
    """An empty Plotly figure in the house style: a light grid, a legend on top. height in pixels."""
    made = go.Figure()
    made.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 34, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": ""},
        hoverlabel={"align": "left"},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        **layout,
    )
    made.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    made.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    return made


def legend(columns: int = 4, *, orient: Literal["top", "top-right"] = "top", **options: Any) -> alt.Legend:
    """An Altair legend in the house style: on top, without a title."""
    return alt.Legend(**{"title": None, "orient": orient, "columns": columns, "labelLimit": 320} | options)


def printed(chart: alt.LayerChart) -> str:
    """An Altair chart as inline SVG for the report: no script, no outside request; names are text."""
    import vl_convert  # holds a JavaScript engine: loaded by who prints a report, not by every page

    sized = chart.properties(width=REPORT_WIDTH)
    drawn = vl_convert.vegalite_to_svg(
        sized.to_dict(), vl_version=_VEGA_LITE, config=_PRINTED, allowed_base_urls=[]
    )
    return str(drawn)
