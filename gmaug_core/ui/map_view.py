"""The map on the Samples page: real images, accepted and rejected samples; a lasso filters the grid below."""

from __future__ import annotations

import streamlit as st

from gmaug_core import children
from gmaug_core.data import samples
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.report.browsing import Filter
from gmaug_core.report.theme import COLOURS
from gmaug_core.runs import RunPaths
from gmaug_core.ui import ASSETS, items, text
from gmaug_core.ui.operations import script

AREA = "area"  # query parameter: sample_map.corners
STARTED = "map-started-"  # by this tab, a moment ago: its process may not hold its lock yet

_component = st.components.v2.component(
    "gmaug_map",
    html="<div></div>",
    css=(ASSETS / "map.css").read_text("utf-8"),
    js=script("elements.mjs", "map_logic.mjs", "map.js"),
)


def show(paths: RunPaths, want: Filter) -> None:
    """The map, or what it takes to get one. The browser asks until it is made, then says so."""
    files = MapFiles(paths.samples)
    if not files.version and not (files.at_work() or st.session_state.pop(STARTED + paths.id, False)):
        _to_make(paths, files)
        return
    key = f"map-{paths.id}"

    def lassoed() -> None:
        if area := (st.session_state.get(key) or {}).get("area"):
            st.query_params[AREA] = area
        else:
            st.query_params.pop(AREA, None)

    version = f"{samples.steps(paths.samples)}-{files.version}"
    base = Filter(seed=want.seed, threshold=want.threshold)
    _component(
        key=key,
        data={
            "points": items.url(paths.id, base, version, what="map"),
            "area": want.area,
            "only": want.name,
            "colours": {kind: COLOURS[kind] for kind in ("real", "accepted", "rejected")},
        },
        on_area_change=lassoed,
        on_made_change=lambda: None,
    )


def _to_make(paths: RunPaths, files: MapFiles) -> None:
    """A button that starts the work in a process of its own."""
    if (error := files.failed()) is not None:
        text.error_box(error)
    st.markdown("No map yet: it is made once, in about half a minute, beside whatever this machine does.")
    if st.button("Make the map", icon=":material/scatter_plot:", key="make-map"):
        files.error.unlink(missing_ok=True)
        children.start("gmaug_core.work.mapping", paths.id, log=files.log)
        st.session_state[STARTED + paths.id] = True
        st.rerun(scope="fragment")
