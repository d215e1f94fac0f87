"""The record that ships, and the page of results: both are what the benchmark's files say."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import evidence_report
from gmaug_core.scoring import record
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
        changed(at_most=None),
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


def test_nothing_measured_is_said():
    assert "nothing was measured" in record.words([])


def test_the_page_and_the_record_are_of_the_benchmarks_files():
    """No number of docs/results.md is written by hand: it is the same when it is made again."""
    seen = evidence_report.cells()
    assert evidence_report.PAGE.read_text(encoding="utf-8") == evidence_report.page(seen)
    assert record.cells() == tuple(each.measured for each in seen if each.measured)


def test_every_accuracy_in_the_readme_is_in_a_file():
    """Every percentage with two digits in README is a figure of benchmarks/results."""
    said = set(re.findall(r"\b(\d{1,2}\.\d{2})\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    known: set[str] = set()
    for path in (ROOT / "benchmarks" / "results").rglob("*.json"):
        for number in re.findall(r"-?\d+\.\d+", path.read_text(encoding="utf-8")):
            known |= {f"{abs(float(number)):.2f}", f"{100 * abs(float(number)):.2f}"}
    assert said
    assert said - known == set()
