"""What a score alone says: a prediction with its record, or why there is none; never that it pays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gmaug_core.scoring import advice
from gmaug_core.scoring.advice import NOTHING, REFUSED, UNDECIDED, Addition, advise
from gmaug_core.scoring.paper import paper_law, paper_record
from gmaug_core.scoring.result import Stored

FULL = Stored(median=128, least=128, side=128, enlarged=0)
SMALL = Stored(median=32, least=30, side=128, enlarged=1)
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.parametrize("x", [0.08, 0.131, 0.2, 0.3, 0.64])
def test_a_score_decides_nothing_and_is_told_with_its_record(x):
    given = advise(x, stored=FULL, addition=Addition(1000, 3000))
    assert given.verdict == UNDECIDED
    assert (given.gain, given.low, given.high) == paper_law().predict(x)
    assert f"{given.gain:+.1f} %" in given.text
    assert "misses by 12.7 points" in given.text
    assert "1 of the 8 gains is told from nothing" in given.text
    assert "trained longer" in given.text
    assert "gmaug verdict" in given.text
    for word in ("likely", "chance", "worth it", "not known"):
        assert word not in given.text


def test_the_record_is_that_of_the_papers_points():
    record = paper_record()
    assert record.mean_error == pytest.approx(12.7, abs=0.05)
    assert (record.significant, record.n) == (1, 8)


def test_enlarged_images_have_no_place_on_the_curve():
    given = advise(0.338, stored=SMALL)
    assert given.verdict == REFUSED
    assert given.gain is given.low is given.high is None
    assert "stored at 32 px" in given.text
    assert "larger" in given.text
    few = Stored(median=128, least=40, side=128, enlarged=advice.ENLARGED_SHARE)
    assert advise(0.2, stored=few).verdict == UNDECIDED
    more = few.model_copy(update={"enlarged": advice.ENLARGED_SHARE + 0.001})
    assert advise(0.2, stored=more).verdict == REFUSED
    assert "not known" in advise(0.2).text


def test_the_figures_in_the_words_are_measured_ones():
    measured = json.loads((RESULTS / "stored_resolution.json").read_text())["sets"]
    flowers = {row["stored"]: row["supsub"] for row in measured["flowers_128"]["all"]}
    assert flowers[128] == pytest.approx(advice.FLOWERS_128, abs=5e-4)
    assert flowers[32] == pytest.approx(advice.FLOWERS_32, abs=5e-4)
    for found in measured.values():
        scores = [row["supsub"] for row in found["all"]]  # from 128 px down
        assert scores == sorted(scores)
        shift = [row["shift"] for row in found["share"] if row["share"] <= advice.ENLARGED_SHARE]
        assert 0 < max(shift) < 0.012


def test_nothing_to_add_is_no_gain():
    given = advise(0.08, stored=FULL, addition=Addition(3470, 0))
    assert given.verdict == NOTHING
    assert given.gain is None
    assert "nothing would be added" in given.text


def test_fewer_images_than_the_papers_are_said():
    few = advise(0.13, stored=FULL, addition=Addition(4000, 1000)).text
    assert "0.25 would be added" in few
    assert "2.56" in few
    assert "2.56" not in advise(0.13, stored=FULL, addition=Addition(4000, 12000)).text


def test_another_profile_is_refused():
    given = advise(0.13, profile="uniform7", stored=FULL)
    assert given.verdict == REFUSED
    assert "uniform7" in given.text


def test_sizes_in_words():
    assert advice.stored_words(FULL) == "128 px (median short side)"
    some = Stored.of([(300, 200), (128, 500), (96, 200), (130, 200)], 128)
    assert (some.median, some.least, some.enlarged) == (129, 96, 0.25)
    assert advice.stored_words(some) == "129 px (median short side; least 96 px; 25 % below 128 px)"
