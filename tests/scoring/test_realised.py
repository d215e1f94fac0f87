"""What synthetic images gave of a predicted headroom, and what a new dataset may expect of its own."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.scoring import record
from gmaug_core.scoring.realised import LEAST, fitted, of_record
from gmaug_core.scoring.record import Measured


def cell(headroom: float | None, points: float, half: float = 1.0) -> Measured:
    none = dict.fromkeys(
        (
            *("score", "predicted", "predicted_low", "predicted_high", "gain", "low", "high"),
            *("fair", "fair_low", "fair_high"),
        ),
        0.0,
    )
    return Measured(
        name="x",
        enlarged=False,
        points=points,
        points_low=points - half,
        points_high=points + half,
        at_most=None,
        headroom=headroom,
        **none,
    )


def test_an_exact_share_is_found():
    headroom = np.array([1.0, 2.0, 4.0, 8.0])
    found = fitted(headroom, 0.25 * headroom, np.full(4, 0.1))
    assert found.share == pytest.approx(0.25)
    assert found.scatter == 0
    assert found.expected(4.0)[0] == pytest.approx(1.0)
    assert found.words.startswith("in 4 measured datasets synthetic images gave 25 %")


def test_scatter_between_datasets_widens_what_a_new_one_may_expect():
    headroom, se = np.full(12, 5.0), np.full(12, 0.2)
    tight = fitted(headroom, np.full(12, 1.0), se)
    wide = fitted(headroom, 1.0 + np.resize([-3.0, 3.0], 12), se)
    assert wide.scatter > 3 > 0.3 > tight.scatter
    assert wide.expected(5.0)[2] > 6 > 2 > tight.expected(5.0)[2]


def test_few_datasets_and_refused_headrooms_carry_nothing():
    assert of_record([cell(5.0, 0.0)] * (LEAST - 1)) is None
    assert of_record([cell(None, 0.0)] * 40) is None
    assert of_record([cell(5.0, 0.1 * k) for k in range(LEAST)]).n == LEAST


@pytest.mark.parametrize(("share", "scatter"), [(0.0, 0.5), (0.3, 0.5), (-0.05, 1.5)])
def test_the_intervals_hold_in_simulations(share, scatter):
    rng = np.random.default_rng(0)
    of_share = of_new = 0
    worlds = 150
    for _ in range(worlds):
        headroom, se = np.exp(rng.normal(1.8, 0.8, 17)), rng.uniform(0.4, 1.5, 17)
        true = share * headroom + rng.normal(0, scatter, 17)
        told = headroom * (1 + rng.normal(0, 0.2, 17))
        found = fitted(told[:16], (true + rng.normal(0, se))[:16], se[:16], 0.2 * told[:16])
        _, low, high = found.expected(told[16], 0.2 * told[16])
        of_share += found.low <= share <= found.high
        of_new += low <= true[16] <= high
    assert of_share / worlds > 0.91
    assert 0.89 < of_new / worlds


def test_the_record_that_is_shipped_is_read():
    known = [each for each in record.cells() if each.headroom is not None]
    found = of_record(record.cells())
    assert (found is None) == (len(known) < LEAST)
    if found is not None:
        assert found.n == len(known)
        assert found.low <= found.share <= found.high
