"""The runs of a dataset on screen: a table to choose from, notes, a pinned run, runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from gmaug_core import runs
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.report import run_table
from gmaug_core.report.cost import duration
from gmaug_core.report.run_table import Row
from gmaug_core.runs import RunPaths, comparing, launch
from gmaug_core.ui import launching, layout, live, outcome, text, where
from gmaug_core.workspace import marks

MOST_COMPARED = 5


def show(data: Dataset) -> None:
    """The table. One run that is chosen in it is looked at below; two to five are compared."""
    found = run_table.rows(data.id)
    with st.expander(f"All runs on this dataset ({len(found)})", icon=":material/list:", key="run-table"):
        wanted = st.text_input(
            "Filter", key=f"runs-filter-{data.id}", placeholder="a state, a setting, a tag, words of a note"
        ).lower()
        shown = [row for row in found if wanted in _words(row)]
        if not shown:
            st.caption("No run fits.")
            return
        pinned = next((row for row in found if row.mark.pinned), None)
        chosen = _table(shown, pinned, key=f"runs-{data.id}")
        st.caption(
            "Choose a run to look at it below, two to five to compare them. Accuracy in percent, gains in "
            "points."
        )
        if len(chosen) == 1 and st.session_state.get("runs-opened") != chosen[0].run:
            st.session_state["runs-opened"] = chosen[0].run
            st.session_state[launching.run_key("augmentation", data.id)] = chosen[0].run
        if len(chosen) > 1:
            compare(chosen[:MOST_COMPARED])


def _words(row: Row) -> str:
    """All that the filter looks through."""
    settings = " ".join(f"{name}={value}" for name, value in row.differing.items())
    return " ".join((row.run, row.state, settings, row.mark.note, *row.mark.tags)).lower()


def _table(shown: Sequence[Row], pinned: Row | None, *, key: str) -> list[Row]:
    """Draw it; returns the rows that are chosen."""
    against = pinned.outcome.accuracy[0] if pinned and pinned.outcome else None
    cells = []
    for row in shown:
        came = row.outcome
        cell: dict[str, object] = {
            "begun": text.moment(row.created),
            "state": row.state,
            **{name: text.plain(value) for name, value in row.differing.items()},
            "accuracy": came.accuracy[0] if came else None,
            "95 %": text.interval(came.accuracy[1], came.accuracy[2], 1) if came else "",
            "gain": came.gain[0] if came and came.gain else None,
            "gain 95 %": text.interval(came.gain[1], came.gain[2], 1) if came and came.gain else "",
            "accepted": f"{came.accepted:,} of {came.drawn:,}" if came else "",
            "took": duration(row.seconds) if row.seconds else "",
            "tags": ", ".join(map(text.plain, row.mark.tags)),
            "note": text.plain(row.mark.note),
        }
        if pinned is not None:
            cell = {"pinned": "yes" if row.mark.pinned else ""} | cell
        if against is not None:
            cell["to pinned"] = came.accuracy[0] - against if came else None
        cells.append(cell)
    signed = st.column_config.NumberColumn(format="%+.2f")
    event = st.dataframe(
        cells,
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "accuracy": st.column_config.NumberColumn(format="%.2f"),
            "gain": signed,
            "to pinned": signed,
        },
    )
    return [shown[k] for k in event["selection"]["rows"] if k < len(shown)]


def compare(chosen: Sequence[Row]) -> None:
    """Runs beside each other: settings, outcomes and curves."""
    called = {row.run: text.moment(row.created) for row in chosen}
    st.markdown(f"**{len(chosen)} runs beside each other**")
    try:
        found = comparing.differences(*called)
    except GMAugError as error:
        text.error_box(error)
        return
    if found:
        st.dataframe(
            [
                {"setting": each.name}
                | {called[run]: text.plain(value) for run, value in zip(called, each.values, strict=True)}
                for each in found
            ],
            hide_index=True,
            key="compared-settings",
        )
    else:
        st.caption("They were started with the same settings.")
    came = {called[row.run]: row.outcome for row in chosen if row.outcome is not None}
    if came:
        st.markdown("**Accuracy with synthetic images, 95 % interval**")
        st.altair_chart(run_table.intervals(came), key="compared-intervals")
    histories = {called[row.run]: live.history(runs.find(row.run)) for row in chosen}
    drawn = run_table.curves(histories)
    for column, (title, chart) in zip(layout.columns(2, key="compared"), drawn, strict=False):
        with column:
            st.markdown(f"**{title}**")
            st.altair_chart(chart, key=f"compared-{title}")


def about(paths: RunPaths, dataset: str) -> None:
    """What can be done with a run: noted, pinned, started again, taken to the command line."""
    mark = marks.load().get(paths.id, marks.Mark())
    with st.container(horizontal=True, key=f"about-{paths.id}"):
        with st.popover("Note and tags", icon=":material/edit_note:"):
            note, tags = f"note-{paths.id}", f"tags-{paths.id}"
            st.session_state.setdefault(note, mark.note)
            st.session_state.setdefault(tags, ", ".join(mark.tags))
            st.text_area("Note", key=note, max_chars=marks.LONGEST_NOTE, height=80)
            st.text_input("Tags, with commas between them", key=tags)
            st.button(
                "Keep",
                key=f"keep-{paths.id}",
                type="primary",
                on_click=outcome.attempt,
                args=(_noted, paths.id),
            )
        st.button(
            "Unpin" if mark.pinned else "Pin: hold others against it",
            icon=":material/push_pin:",
            key=f"pin-{paths.id}",
            on_click=outcome.attempt,
            args=(_pin, paths.id, dataset),
        )
        with st.popover("As a command", icon=":material/terminal:"):
            try:
                st.code(comparing.as_command(paths.id), language="bash", wrap_lines=True)
            except GMAugError as error:
                text.error_box(error)
        if not runs.read_status(paths).active:
            st.button(
                "Run again",
                icon=":material/refresh:",
                key=f"again-{paths.id}",
                help="A new run with the same settings, on the dataset as it is now.",
                on_click=outcome.attempt,
                args=(_again, paths.id, dataset),
            )
    if mark.note or mark.tags:
        st.caption(
            " · ".join(
                [*(f"#{text.md(tag)}" for tag in mark.tags), *([text.md(mark.note)] if mark.note else [])]
            )
        )


def _noted(run: str) -> str:
    marks.note(run, st.session_state[f"note-{run}"], st.session_state[f"tags-{run}"].split(","))
    return "The note is kept."


def _pin(run: str, dataset: str) -> None:
    marks.pin(run, [paths.id for paths in runs.list_runs("augmentation", dataset)])


def _again(run: str, dataset: str) -> str:
    made = launch.again(run, where=where.chosen())
    st.session_state[launching.run_key("augmentation", dataset)] = made
    return f"Started {text.md(made)} with the same settings."
