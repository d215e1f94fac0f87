"""What the verdict said beside what the run measured: each witness is told to have held, or not."""

from __future__ import annotations

import pytest
import verdict_fixture

from gmaug_core.report.findings import main_gain
from gmaug_core.report.foretold import lines


def test_every_witness_stands_beside_what_was_measured(finished_result):
    found = lines(verdict_fixture.verdict(), finished_result)
    assert [line.witness for line in found] == [
        "What can be seen",
        "What can be gained",
        "What is free",
        "What the law says",
    ]
    assert all(line.said for line in found)
    law = found[-1]
    assert "over plain training" in law.measured


@pytest.mark.parametrize(("points", "held"), [(1.0, True), (60.0, False)])
def test_a_gain_above_the_ceiling_did_not_hold(finished_result, points, held):
    verdict = verdict_fixture.verdict()
    verdict = verdict.model_copy(update={"headroom": verdict.headroom.model_copy(update={"at_most": 40.0})})
    gain = main_gain(finished_result)
    moved = gain.model_copy(update={"points": points, "points_low": points - 1, "points_high": points + 1})
    key = "endpoint" if finished_result.endpoint else "relative_gain_percent"
    (ceiling,) = [
        line
        for line in lines(verdict, finished_result.model_copy(update={key: moved}))
        if line.witness == "What can be gained"
    ]
    assert ceiling.agree is held
    assert "at most +40.00 points" in ceiling.said


def test_what_was_not_tested_is_held_against_nothing(finished_result):
    untested = finished_result.model_copy(update={"status": "not tested"})
    assert lines(verdict_fixture.verdict(), untested) == []
