"""The live view of a run of any kind: state, stages, progress, charts, pictures, log. One top-level fragment
that reads files.

Call `show` outside of any other fragment. While the run is active the line that moves (`pulse`) asks for the
fragment again; when it ends the whole page is run again once, so that the page can show the result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import altair as alt
import streamlit as st

from gmaug_core import runs
from gmaug_core.config import SimilarityConfig
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError
from gmaug_core.method import titles
from gmaug_core.report import live_charts, timeline
from gmaug_core.report.cost import duration
from gmaug_core.runs import KINDS, RunConfigFile, RunPaths, Status, launch
from gmaug_core.ui import drawing, forecast, launching, layout, pulse, routes, score, text, verdict
from gmaug_core.ui.pulse import stage_words

STOP_PATIENCE_S = 20.0  # after this long without an answer the person may end the processes
ENDED = "run-ended"  # in the session: the run whose end its person has not been told of
HISTORY_ROWS = 6000  # more rows of metrics than this are thinned
STATE_LOOK = {  # colour and icon of a badge
    "queued": ("gray", "schedule"),
    "running": ("blue", "play_circle"),
    "finished": ("green", "check_circle"),
    "failed": ("red", "error"),
    "cancelled": ("orange", "stop_circle"),
    "lost": ("red", "link_off"),
}


def state_badge(state: str, word: str = "") -> str:
    """A Markdown badge for a state: one look for a state everywhere. word: for people, where it has another
    than its own."""
    colour, icon = STATE_LOOK[state]
    return f":{colour}-badge[:material/{icon}: {word or state}]"


def show(run_id: str) -> Status:
    """Draw the live view. Returns the status as it is now."""
    paths = runs.find(run_id)
    status = runs.read_status(paths)
    if status.active or st.session_state.get(ENDED) == run_id:  # people look at another tab meanwhile
        kind = KINDS[RunConfigFile.read(paths.config).kind].title
        st.set_page_config(page_title=f"{status.state.capitalize()} · {kind} · GMAug")
    if not status.active and st.session_state.pop(ENDED, None) == run_id:
        st.toast(f"The run is {status.state}.", icon=":material/notifications:")
    st.fragment(_view)(run_id, status.active)
    return status


def wait(paths: RunPaths) -> None:
    """For a page that says that something of a run will come: the page is run again when the run's state
    changes, and when samples are there."""

    def stands() -> tuple[str, list[int]]:
        return runs.read_status(launching.still(paths.id)).state, samples.steps(paths.samples)

    before = stands()
    if not runs.read_status(paths).active:
        return

    @st.fragment(run_every=pulse.EVERY_S)
    def look() -> None:
        if stands() != before:
            st.rerun()

    look()


def finished(kind: str, dataset_id: str) -> RunPaths:
    """The run to look at (launching.pick), once it has finished; until then the page is its live view, and
    ends there."""
    paths = launching.pick(kind, dataset_id)
    if paths is None:
        st.stop()
    if runs.read_status(paths).state != "finished":
        _earlier(kind, dataset_id)
        show(paths.id)
        st.stop()
    return paths


def _earlier(kind: str, dataset_id: str) -> None:
    """A way to the newest run that has an answer, past the one that has none."""
    done = next((each for each in runs.list_runs(kind, dataset_id) if each.result.exists()), None)
    if done is None:
        return

    def look() -> None:
        st.session_state[launching.next_key(kind, dataset_id)] = done.id

    st.button(
        f"This run has no result: show that of {text.md(launching.label(done))}",
        icon=":material/history:",
        key=f"earlier-{kind}",
        on_click=look,
    )


def _view(run_id: str, was_active: bool) -> None:
    paths = launching.still(run_id)
    status, kind = runs.read_status(paths), RunConfigFile.read(paths.config).kind
    if was_active and not status.active:
        st.session_state[ENDED] = run_id
        st.rerun()  # the whole page: it has something new to show
    _header(paths, status)
    _banner(paths, status)
    _stages(paths, kind, status)
    if status.active:
        if doing := _doing(paths):
            st.caption(doing)
        pulse.show(paths, status)
    if kind == "verdict" and status.state != "finished":
        verdict.early(paths.folder)
    if status.state != "finished":
        _charts(paths, kind, status)
    if not status.active and (damaged := runs.damaged_metrics(paths)):
        st.caption(
            f"{text.plural(damaged, 'row')} of its metrics.jsonl are damaged and left out of the charts."
        )
    with st.expander("Log", icon=":material/terminal:"):
        st.code(runs.read_log(paths, 6000) or "Nothing logged yet.", language=None, height=240)


def _doing(paths: RunPaths) -> str:
    """The classifier and seed at work, where there are several; empty where there are not."""
    rows = history(paths)
    now = rows[-1] if rows else {}
    if "training" in now:  # of an equivalence run: too many for a line each
        return text.md(str(now["training"]))
    where = f"Fold {now['fold']} of {now['folds']}" if "fold" in now else ""
    if "variant" not in now:
        return where
    taken = f", taken from {text.md(str(now['shared_with']))}" if "shared_with" in now else ""
    variant = text.md(titles.words(str(now["variant"])))
    return f"{variant}, seed {now['seed']}{taken}{'. ' if where else ''}{where}"


def _header(paths: RunPaths, status: Status) -> None:
    end = status.ended or (time.time() if status.active else status.progress_at)
    with st.container(horizontal=True, vertical_alignment="center", key=f"live-head-{paths.id}"):
        attempt = f" · attempt {status.attempt}" if status.attempt > 1 else ""
        took = f" · {duration(end - status.started)}" if status.started else ""
        st.markdown(
            f"{state_badge(status.state, status.word)} **{text.md(paths.id)}** · begun "
            f"{text.when(status.created)}{took}{attempt}"
        )
        if status.active:
            stopping = paths.stop.exists()
            patience_over = stopping and time.time() - paths.stop.stat().st_mtime > STOP_PATIENCE_S
            label = "End now" if patience_over else "Stopping…" if stopping else "Stop"
            if st.button(
                label,
                icon=":material/stop_circle:",
                disabled=stopping and not patience_over,
                key=f"stop-{paths.id}",
            ):
                launch.stop(paths.id, wait=patience_over)
                st.rerun(scope="fragment")
        elif status.resumable and st.button(
            "Resume", icon=":material/replay:", type="primary", key=f"resume-{paths.id}"
        ):
            _resume(paths.id)


def _resume(run_id: str) -> None:
    try:
        with st.spinner("Starting the worker again…"):
            launch.resume(run_id)
    except GMAugError as error:
        text.error_box(error)
        return
    st.rerun()


def _banner(paths: RunPaths, status: Status) -> None:
    if status.state == "queued":
        st.info(
            "Waiting to begin: it starts by itself, after those that train on this machine before it. You "
            "can close this page.",
            icon=":material/schedule:",
        )
    elif status.state == "lost":
        st.warning(
            "The process of this run is gone (the machine was restarted, or it was killed). Nothing finished "
            "is lost: "
            "**Resume** goes on from the last checkpoint and ends with the same result."
            + (f" Known of it: {text.md(status.reason)}." if status.reason else ""),
            icon=":material/link_off:",
        )
    elif status.state == "cancelled" and status.reason:
        st.warning(text.md(status.reason), icon=":material/pause_circle:")
    elif status.state == "cancelled":
        st.info("This run was stopped. **Resume** goes on where it was.", icon=":material/stop_circle:")
    elif status.state == "failed":
        unknown = GMAugError("the run failed", todo="read the log below, then resume")
        text.error_box(status.error.raised() if status.error else unknown)
    elif status.stalled:
        st.warning(text.md(status.hang), icon=":material/hourglass_bottom:")
    if status.active and paths.stop.exists():
        st.info(
            "Asked to stop: it ends at the next safe point, with everything so far kept.",
            icon=":material/stop_circle:",
        )


def _stages(paths: RunPaths, kind: str, status: Status) -> None:
    """One badge a stage: done with its time, at work, or still to come."""
    order = list(
        dict.fromkeys([*KINDS[kind].stages, *status.stages, *([status.stage] if status.stage else [])])
    )
    place = order.index(status.stage) if status.stage in order else -1
    words = []
    for k, stage in enumerate(order):
        label, seconds = stage_words(stage), status.stages.get(stage)
        if status.state == "finished" and seconds is None and stage != status.stage:
            continue  # a step that was not needed
        if status.state != "finished" and k == place:
            words.append(f":blue-badge[:material/play_arrow: {label}]")
        elif seconds is not None or status.state == "finished":
            took = f" · {duration(seconds)}" if seconds is not None and seconds >= 1 else ""
            words.append(f":green-badge[:material/check: {label}{took}]")
        else:
            words.append(f":gray-badge[{label}]")
    st.markdown(" ".join(words))
    if status.active and (rest := timeline.ahead(paths, status)):
        st.caption(f"{rest.words()}, if it goes as {text.md(launching.label(runs.find(rest.like)))} did.")


def _charts(paths: RunPaths, kind: str, status: Status) -> None:
    """Charts while it runs: Altair and keyed, so that a new point does not build the chart anew."""
    rows = history(paths)
    if kind == "equivalence":  # several generators: the losses of the newest alone
        newest: Mapping[str, Any] = next((row for row in reversed(rows) if "generator" in row), {})
        rows = [row for row in rows if all(row.get(k) == newest.get(k) for k in ("base", "generator"))]
    if kind == "similarity":
        score.early(rows, RunConfigFile.read(paths.config).settings_as(SimilarityConfig).profile)
    if kind == "similarity" or status.stage in ("score", "decode"):
        if chart := live_charts.convergence(rows):
            rate = next((row["pairs_per_s"] for row in reversed(rows) if row.get("pairs_per_s")), None)
            st.caption(
                "Running mean and 95 % interval of the highest super-classes."
                + (f" {rate:,.0f} pairs a second." if rate else "")
            )
            st.altair_chart(chart, key=f"convergence-{paths.id}")
            current_table(rows)
        return
    left, right = layout.columns(2, key="live-charts")
    with left:
        forecast.of_filter(rows)
        if losses := live_charts.training(rows):
            st.markdown("**Generator losses**")
            st.altair_chart(losses, key=f"training-{paths.id}")
        snapshot_chart(rows, f"snapshots-{paths.id}")
        if found := live_charts.classifiers(rows):
            st.markdown(f"**{found[0]}**")
            st.altair_chart(found[1], key=f"classifiers-{paths.id}")
        drawn = next((row for row in reversed(rows) if row.get("drawn") is not None), None)
        if drawn:
            most = f" of at most {text.count(drawn['at_most'])}" if drawn.get("at_most") else ""
            st.markdown(
                f"**{stage_words(drawn['stage'])}**: {text.count(drawn['drawn'])}{most} drawn, "
                f":green[{text.count(drawn['accepted'])} accepted], :orange[{text.count(drawn['rejected'])} "
                "rejected]."
            )
            forecast.show(rows)
    with right:
        grids(paths)


def snapshot_chart(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """How good the generator's samples were at each snapshot, and what they were measured on."""
    if found := live_charts.snapshots(rows):
        st.markdown("**Samples while it trains**")
        st.altair_chart(found[1], key=key)
        st.caption(found[0])


def _itself(chart: alt.TopLevelMixin) -> alt.TopLevelMixin:
    return chart


def finished_charts(paths: RunPaths) -> None:
    """How training went, once it is over."""
    rows = history(paths)
    of = (paths.id, len(rows))

    def made() -> list[tuple[str, alt.TopLevelMixin]]:
        losses, found = live_charts.training(rows), live_charts.classifiers(rows)
        return [*([("Generator losses", losses)] if losses else []), *([found] if found else [])]

    for title, chart in drawing.once(("finished", *of), made):
        st.markdown(f"**{title}**")
        drawing.altair(f"finished-{title}", of, partial(_itself, chart))
    snapshot_chart(rows, "finished-snapshots")


def current_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """The newest mean and interval of every super-class, the highest first."""
    newest: list[dict[str, Any]] = next((row["sets"] for row in reversed(rows) if row.get("sets")), [])
    ordered = sorted((item for item in newest if item["value"] is not None), key=lambda item: -item["value"])
    if ordered:
        st.dataframe(
            {
                "super-class": [text.plain(item["name"]) for item in ordered],
                "mean SSIM": [item["value"] for item in ordered],
                "95 % low": [item["ci_low"] for item in ordered],
                "95 % high": [item["ci_high"] for item in ordered],
                "pairs": [item["pairs"] for item in ordered],
            },
            column_config={
                name: st.column_config.NumberColumn(format="%.4f")
                for name in ("mean SSIM", "95 % low", "95 % high")
            },
            hide_index=True,
        )


def grids(paths: RunPaths) -> None:
    """The generator's newest sample grid, one row a class, and a slider back through its training."""
    found = sorted(paths.generator.glob("grid-*.png"), key=lambda path: float(path.stem.split("-")[1]))
    if not found:
        return
    steps = [float(path.stem.split("-")[1]) for path in found]
    st.markdown("**What the generator draws**")
    at = steps[-1]
    if len(steps) > 1:
        at = st.select_slider(
            "Thousand images seen (kimg)",
            options=steps,
            value=steps[-1],
            format_func=lambda step: f"{step:g}",
            key=f"grid-{paths.id}-{len(steps)}",
        )
    chosen = found[steps.index(at)]
    layout.image(routes.grid_url(paths.id, chosen), alt=f"What the generator draws at {at:g} kimg")
    st.caption(f"{at:g} kimg, fixed seeds, one row a class")


# --- metrics, read once and remembered a little ---


class _History:
    def __init__(self) -> None:
        self.lock, self.offset, self.rows = threading.Lock(), 0, list[dict[str, Any]]()


@lru_cache(maxsize=16)
def _history(_folder: Path) -> _History:
    return _History()


def history(paths: RunPaths) -> list[dict[str, Any]]:
    """All metrics rows so far.

    Only what was appended since the last look is read; long histories are thinned.
    """
    seen = _history(paths.folder)
    with seen.lock:
        rows, seen.offset = runs.read_metrics(paths, seen.offset)
        seen.rows += rows
        if len(seen.rows) > HISTORY_ROWS:
            seen.rows = seen.rows[:-500:2] + seen.rows[-500:]
        return list(seen.rows)
