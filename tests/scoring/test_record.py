"""The record that ships, and the page of results: both are what the benchmark's files say."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import (
    evidence,
    evidence_choices,
    evidence_claims,
    evidence_figures,
    evidence_report,
    evidence_seen,
    summaries,
)
from gmaug_core.scoring import realised, record
from gmaug_core.scoring.record import Measured

ROOT = Path(__file__).resolve().parent.parent.parent
CELL = Measured(
    name="a",
    score=0.2,
    enlarged=False,
    predicted=10.0,
    predicted_low=2.0,
    predicted_high=18.0,
    gain=1.0,
    low=-1.0,
    high=3.0,
    fair=0.5,
    fair_low=-1.0,
    fair_high=2.0,
    points=0.4,
    points_low=-0.8,
    points_high=1.6,
    at_most=3.0,
)


def changed(**values: object) -> Measured:
    return Measured(**{**asdict(CELL), **values})


def test_the_tallies_count_what_held():
    known = [
        CELL,
        changed(gain=12.0, points=4.0, points_low=1.0),  # the law holds, the verdict does not, it helped
        changed(at_most=None, points_low=0.2, rivals_low=-0.1),  # it helped a recipe that may not be the best
    ]
    law, verdict, better = record.of_law(known), record.of_verdict(known), record.helped(known)
    assert (law.held, law.n, law.error) == (1, 3, pytest.approx((9 + 2 + 9) / 3))
    assert (verdict.held, verdict.n) == (1, 2)
    assert (better.held, better.n) == (1, 3)


def test_the_words_carry_the_figures():
    said = record.words([CELL])
    assert "1 dataset" in said
    assert "9.0 points" in said
    assert "in 0 of 1" in said


def test_datasets_of_one_collection_are_not_told_as_so_many():
    """Eight cuts of fashion-mnist are no eight datasets."""
    known = [
        changed(name=name, source=source, filtered=-1.0, filtered_low=-2.0, filtered_high=0.5)
        for name, source in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    for said in (record.words(known), record.filter_words(known)):
        assert "(cut from 2 collections of images)" in said
    assert "cut from" not in record.words(known[1:])
    shipped = realised.of_record(record.cells())
    assert shipped is not None
    assert 0 < shipped.collections < shipped.n
    assert f"(cut from {shipped.collections} collections of images)" in shipped.words


def test_what_the_filter_was_worth_is_told_with_its_n():
    known = [changed(filtered=at, filtered_low=at - 1, filtered_high=at + 1) for at in (-3.0, -2.0, 0.5, 2.1)]
    found = record.of_filter([*known, CELL])
    assert (found.better, found.worse, found.n, found.mean) == (1, 2, 4, pytest.approx(-0.6))
    assert "On 4 datasets" in record.filter_words(known)
    assert "better than keeping every image in 1 and reliably worse in 2" in record.filter_words(known)
    assert record.filter_words([CELL]) == ""


def test_a_filter_stricter_than_any_that_could_be_measured_is_told():
    known = [
        record.Judged("loose", 0.9, tested=True),
        record.Judged("strict", 0.3, tested=True),
        record.Judged("stricter", 0.1, tested=False),
        record.Judged("generator too poor", 0.6, tested=False),
    ]
    assert record.strict_words(0.3, known) == ""
    said = record.strict_words(0.29, known)
    assert "On the 2 datasets" in said
    assert "at least 30% of real images pass; on the 1 where it let fewer pass" in said
    assert record.strict_words(0.01, known[:2]) == ""
    assert record.strict_words(0.01, []) == ""


def test_nothing_measured_is_said():
    assert "nothing was measured" in record.words([])


def test_the_page_and_the_record_are_of_the_benchmarks_files():
    """No number of docs/results.md is written by hand: it is the same when it is made again."""
    seen = evidence_report.cells()
    assert evidence_report.PAGE.read_text(encoding="utf-8") == evidence_report.page(seen)
    assert record.cells() == tuple(each.measured for each in seen if each.measured)
    assert record.judged() == tuple(each.judged for each in seen if each.judged)


def test_every_accuracy_in_the_readme_is_in_a_file():
    """Every percentage with two digits in README is a figure of benchmarks/results."""
    said = set(re.findall(r"\b(\d{1,2}\.\d{2})\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    known: set[str] = set()
    for path in (ROOT / "benchmarks" / "results").rglob("*.json"):
        for number in re.findall(r"-?\d+\.\d+", path.read_text(encoding="utf-8")):
            known |= {f"{abs(float(number)):.2f}", f"{100 * abs(float(number)):.2f}"}
    assert said
    assert said - known == set()


def cell_document(name: str) -> dict[str, Any]:
    """A cell's JSON with invented figures: four test images of two classes are enough."""
    arm = {
        "accuracy": {"mean": 0.5, "ci_low": 0.4, "ci_high": 0.6, "values": [0.5, 0.5], "n": 4},
        "balanced_accuracy": {"mean": 0.5, "ci_low": 0.4, "ci_high": 0.6, "values": [0.5, 0.6], "n": 4},
    }
    better = arm | {"balanced_accuracy": arm["balanced_accuracy"] | {"values": [0.52, 0.64]}}
    gain = {"value": 2.0, "ci_low": 1.0, "ci_high": 3.0, "points": 1.0, "points_low": 0.5, "points_high": 1.5}
    other = gain | {"points_low": -0.5}
    cost = {"minutes": 1.0, "cpu_minutes": 3.0, "peak_mb": 100.0, "code": "abc"}
    return {
        "cell": name,
        "config": {"use": ["mix"]},
        "costs": {"first": cost, "verdict": cost, "augmentation": cost},
        "verdict": {
            "measure": "balanced_accuracy",
            "key": "full_run",
            "headroom": {"at_most": 5.0, "gain": None},
            "seen": {"smallest": 1.0},
        },
        "result": {
            "status": "measured",
            "score": {"ssim_supsubcls": {"value": 0.2, "ci_low": 0.19, "ci_high": 0.21}, "stored": None},
            "baseline": arm,
            "augmented": better,
            "controls": {"unfiltered": arm},
            "relative_gain_percent": gain,
            "gains": {"baseline": gain, "unfiltered": gain, "oversampling": other},
            "endpoint": gain | {"of": "augmented", "control": "baseline"},
            "endpoint_recipe": "plain",
            "accepted": 8,
            "rejected": 2,
            "train_counts": [10, 5],
        },
    }


def test_a_cell_without_a_summary_says_so_and_takes_the_wider_interval():
    seen = evidence_seen.Seen(cell_document("a"), evidence_seen.measured(cell_document("a")))
    contrast = seen.contrast("augmented", "baseline")
    assert contrast is not None
    assert contrast.points == pytest.approx(3.0)
    assert not contrast.images
    assert seen.contrast("augmented", "real_replay") is None
    summarised = evidence_seen.Seen(
        seen.document | {"balanced": {"augmented over baseline": {"points": 2, "low": 1, "high": 3}}}, None
    )
    assert summarised.contrast("augmented", "baseline") == evidence_seen.Contrast(2, 1, 3)


def test_few_cells_carry_neither_a_rank_correlation_nor_an_interval():
    document = cell_document("a")
    seen = [evidence_seen.Seen(document, evidence_seen.measured(document))]
    said = evidence_claims.law_section(seen) + evidence_claims.where_section(seen)
    assert "not worked out of 1 cell" in said
    assert "(n = 1: no interval)" in said
    assert "Reliably better" in said
    assert "not measured" in evidence_choices.parts_section(seen)
    assert "1 of 1 (a)" in evidence_claims.failures(
        [evidence_seen.Seen(document, changed(name="a", points=-1.0, points_low=-2.0, points_high=-0.5))]
    )


def test_figures_of_many_cells():
    assert evidence_figures.mean([1.0, 2.0, 3.0, 2.0]) == "+2.0 [+0.7, +3.3] (n = 4)"
    assert evidence_figures.rank([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]).startswith("-1.00 [")
    assert evidence_figures.share(0, 0) == "no case"


def test_a_reproduction_is_told_whether_it_is_inside():
    published = cell_document("a")
    agreed, lines = evidence.checked(published, cell_document("a"))
    assert agreed
    assert len(lines) == 6
    mine = cell_document("a")
    for points, agrees, word in (
        (1.6, True, "outside, as two"),
        (1.8, False, "DISAGREES"),
    ):  # 0.5 and 0.5 wide
        mine["result"]["endpoint"] = mine["result"]["endpoint"] | {
            "points": points,
            "points_low": points - 0.5,
            "points_high": points + 0.5,
        }
        agreed, lines = evidence.checked(published, mine)
        assert agreed is agrees
        assert sum(word in line for line in lines) == 1
    assert not evidence.checked(published, {"result": mine["result"] | {"endpoint": None}})[0]


def test_a_reproduction_that_chose_another_recipe_is_told_so():
    """The two figures are of two comparisons: whether they agree is whether the choice was one of luck."""
    published, mine = cell_document("a"), cell_document("a")
    mine["result"]["endpoint"] |= {"control": "oversampling", "of": "best_augmented", "points": -9.0}
    for rivals, agrees in (({"baseline": {}}, True), ({}, False)):
        mine["result"]["rivals"] = rivals
        published["result"]["rivals"] = {}
        agreed, lines = evidence.checked(published, mine)
        assert agreed is agrees
        assert "validation chose baseline there and oversampling here" in lines[-1]
        assert ("DISAGREES" in lines[-1]) is not agrees


def test_a_cell_counts_as_better_only_where_no_recipe_that_may_be_the_best_is_as_good():
    document = cell_document("a")
    assert evidence_seen.measured(document).better is False  # an older run: every recipe may be
    assert evidence_seen.measured(document).rivals_low == -0.5
    document["result"]["rivals"] = {}
    assert evidence_seen.measured(document).rivals_low is None


def test_differences_of_balanced_accuracy_are_paired():
    """One class of eight images and one of two: each counts half."""
    labels = np.array([0] * 8 + [1] * 2)
    wrong, right = np.zeros(10, bool), labels == 1

    def arm(correct: NDArray[np.bool_]) -> list[Any]:
        return [SimpleNamespace(correct=correct) for _ in range(3)]

    tested = {"baseline": arm(wrong), "augmented": arm(right), "unfiltered": arm(labels == 0)}
    told = summaries.of_balanced(tested, None, labels)
    assert told["augmented over baseline"]["points"] == pytest.approx(50)
    assert told["augmented over unfiltered"]["points"] == pytest.approx(0)
    assert "unfiltered over baseline" in told
