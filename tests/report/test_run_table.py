"""Runs as rows: settings that differ and no others, what came out, notes; and curves over one another."""

from __future__ import annotations

import run_fixture

from gmaug_core import runs
from gmaug_core.method.result import AugmentationResult
from gmaug_core.report import run_table
from gmaug_core.workspace import marks


def test_rows_have_what_sets_runs_apart_and_what_came_out(demo):
    finished = run_fixture.make_run(demo, token="done", per_class=6)
    stopped = run_fixture.make_run(demo, state="cancelled", token="stopped", per_class=6)
    marks.note(stopped.id, "too slow", ["try"])
    rows = {row.run: row for row in run_table.rows(demo)}
    done, other = rows[finished.id], rows[stopped.id]
    result = AugmentationResult.read(finished.result)
    assert done.outcome.accuracy[0] == 100 * result.augmented.accuracy.mean
    assert done.outcome.accepted == result.accepted.total
    assert (other.outcome, other.mark.note, other.mark.tags) == (None, "too slow", ("try",))
    assert done.differing.keys() == other.differing.keys()
    assert all(done.differing[name] != other.differing[name] for name in done.differing)


def test_a_result_that_cannot_be_read_is_no_outcome(demo):
    finished = run_fixture.make_run(demo, token="done", per_class=6)
    finished.result.write_text("{}")
    assert run_table.outcome(finished) is None


def test_curves_are_of_every_run_that_has_points(demo):
    paths = run_fixture.make_run(demo, token="done", per_class=6)
    history, _ = runs.read_metrics(paths)
    charts = run_table.curves({"one": history, "two": history, "none": []})
    assert charts
    for _, chart in charts:
        assert set(chart.data["run"]) == {"one", "two"}
    assert run_table.curves({"none": []}) == []
