"""What is left of a whole run: the stages of one like it, stretched by this one's pace."""

from __future__ import annotations

import pytest
import run_fixture

from gmaug_core import runs
from gmaug_core.report import timeline
from gmaug_core.runs import Status

REFERENCE = {"decode": 10.0, "baseline": 100.0, "generator": 1000.0, "controls": 200.0}


def test_what_is_left_is_stretched_by_the_pace_so_far():
    status = Status.new(
        state="running",
        stage="generator",
        step=5,
        total=10,
        eta_s=700.0,
        stages={"decode": 20.0, "baseline": 200.0},
    )
    assert timeline.left(status, REFERENCE) == pytest.approx(700 + 2 * 200)
    assert timeline.left(status.but(eta_s=None), REFERENCE) == pytest.approx(2 * 1000 / 2 + 2 * 200)


def test_before_anything_is_known_the_pace_is_the_others():
    status = Status.new(state="running", stage="decode")
    assert timeline.left(status, REFERENCE) == pytest.approx(sum(REFERENCE.values()))


def test_a_run_like_it_is_found_and_none_is_made_up(demo):
    at_work = Status.new(state="running", stage="generator", eta_s=60.0)
    alone = run_fixture.make_run(demo, state="cancelled", token="first", per_class=6)
    assert timeline.ahead(alone, at_work) is None
    done = run_fixture.make_run(demo, state="finished", token="second", per_class=6)
    found = timeline.ahead(alone, at_work)
    assert found.like == done.id
    assert found.seconds >= 60
    assert "Whole run: about" in found.words(now=0.0)
    assert timeline.ahead(alone, runs.read_status(done)) is None
