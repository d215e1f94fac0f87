"""Saved views of the Samples page: a name for the filters that are set, for all who look at the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from gmaug_core.report import browsing
from gmaug_core.report.browsing import Filter
from gmaug_core.runs import RunPaths
from gmaug_core.ui import items, map_view, outcome, text
from gmaug_core.workspace import views

ALL = "all"  # of a filter: no restriction
NAME = "view-name"


def draw(paths: RunPaths, want: Filter, table: pd.DataFrame, class_names: Sequence[str]) -> None:
    """A button behind which they are. want: what the filters ask for now; table: samples.table of the run."""
    saved = views.load(paths.id)
    now = next((view.name for view in saved if view.given == want.given()), "")
    with st.popover(text.md(now) or "Views", icon=":material/bookmark:", key="sample-views"):
        for view in saved:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    text.md(view.name),
                    key=f"view-{view.name}",
                    on_click=outcome.attempt,
                    args=(_show, paths, view, table, class_names),
                    disabled=view.name == now,
                    width="stretch",
                    help=f"Saved by {text.md(view.person)}, {text.when(view.time)}",
                )
                st.button(
                    "",
                    icon=":material/delete:",
                    key=f"view-delete-{view.name}",
                    on_click=outcome.attempt,
                    args=(views.delete, paths.id, view.name),
                    type="tertiary",
                    help=f"Delete the view {text.md(view.name)}",
                )
        if not saved:
            st.caption("None yet. A view keeps the filters, the order and the area of the map under a name.")
        st.text_input("Name", key=NAME, max_chars=views.NAME_LENGTH, placeholder="doubtful ones")
        st.button(
            "Save these filters",
            icon=":material/bookmark_add:",
            key="view-save",
            on_click=outcome.attempt,
            args=(_save, paths.id, want),
            disabled=not want.given(),
            help=None if want.given() else "No filter is set: there is nothing to save.",
        )


def _save(run_id: str, want: Filter) -> None:
    views.save(run_id, st.session_state[NAME], want.given())
    st.session_state[NAME] = ""


def _show(paths: RunPaths, view: views.View, table: pd.DataFrame, class_names: Sequence[str]) -> None:
    """Set the widgets as a view has them; what the run has no more stays unfiltered. Raises InputError for a
    view of another version."""
    want = Filter.of(view.given)
    predicted = want.predicted if want.predicted is not None and want.predicted < len(class_names) else None
    rule = items.rule(paths.config)
    threshold = rule.threshold
    if want.threshold is not None and rule.mode != "none":
        least, most, _ = browsing.thresholds(items.of_judge(paths, want.seed), rule)
        threshold = float(np.clip(want.threshold, least, most))
    st.session_state.update(
        {
            "verdict": want.verdict,
            "class": want.name if want.name in set(table["class"]) else ALL,
            "reason": want.reason if want.reason in set(table["reason"]) else ALL,
            "judged-as": ALL if predicted is None else class_names[predicted],
            "step": want.step if want.step in set(table["step"].tolist()) else ALL,
            "decision": want.decision,
            "order": want.order,
            "near": want.near,
            "score": (want.low, want.high),
            "judge": want.seed if want.seed in set(table["seed"].tolist()) else int(table["seed"].min()),
            "threshold": threshold,
        }
    )
    if want.area:
        st.query_params[map_view.AREA] = want.area
    else:
        st.query_params.pop(map_view.AREA, None)
