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


def with_gain(result, **points):
    """The result with these figures of its main gain."""
    key = "endpoint" if result.endpoint else "relative_gain_percent"
    return result.model_copy(update={key: main_gain(result).model_copy(update=points)})


def test_a_gain_of_accuracy_is_not_held_against_a_ceiling_of_balanced_accuracy(finished_result):
    """Rare classes count for less in accuracy: the two differ wherever classes differ in test images."""
    verdict = verdict_fixture.verdict(measure="balanced_accuracy")
    verdict = verdict.model_copy(update={"headroom": verdict.headroom.model_copy(update={"at_most": 2.0})})
    result = with_gain(finished_result, points=9.0, points_low=8.0, points_high=10.0)
    rows = tuple(row.model_copy(update={"test": 10 + k}) for k, row in enumerate(result.per_class))
    key = main_gain(result).of
    before = result.variants[main_gain(result).control].balanced_accuracy.mean
    after = result.variants[key]
    moved = after.balanced_accuracy.model_copy(update={"mean": before + 0.01})
    lifted = after.model_copy(update={"balanced_accuracy": moved})
    changes = {"augmented": lifted} if key == "augmented" else {"controls": result.controls | {key: lifted}}
    seen, ceiling, *_ = lines(verdict, result.model_copy(update={"per_class": rows, **changes}))
    assert ceiling.measured == "+1.00 points of balanced accuracy"
    assert ceiling.agree is True
    assert seen.agree is None
    assert "of balanced accuracy" in seen.said
    assert seen.measured.endswith("of accuracy")


@pytest.mark.parametrize(
    ("points", "half", "held"),
    [(5.0, 6.0, False), (5.0, 1.0, True), (2.0, 1.0, True), (2.0, 6.0, True)],
)
def test_only_a_visible_gain_that_was_not_told_speaks_against_what_can_be_seen(
    finished_result, points, half, held
):
    verdict = verdict_fixture.verdict()  # gains from 3.9 points on
    result = with_gain(
        finished_result, points=points, points_low=points - half, points_high=points + half, n_seeds=3
    )
    assert lines(verdict, result)[0].agree is held
