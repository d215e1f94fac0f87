"""What can be seen, from classifiers whose spread is known."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method import power
from gmaug_core.method.power import Spread
from gmaug_core.method.statistics import difference
from gmaug_core.method.verdict import seeing
from gmaug_core.method.verdict.counting import Counting


def trained(rng, seeds=6, images=3_000, share=0.7, seed_sd=0.02):
    chance = np.clip(rng.beta(2, 1, images) * share / (2 / 3), 0, 1)
    return rng.random((seeds, images)) < np.clip(chance + rng.normal(0, seed_sd, (seeds, 1)), 0, 1)


def test_the_spread_of_a_difference_is_twice_a_classifiers():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 3_000)
    counting = Counting(labels, np.array([100, 100, 100]))
    rights = [trained(rng, seeds=30), trained(rng, seeds=30)]
    found = seeing.spread(rights, counting.differences(*rights), counting)
    direct = Spread.of(counting.differences(*rights))
    assert found.seed == pytest.approx(direct.seed, rel=0.5)
    assert found.both == pytest.approx(direct.both, rel=0.1)
    assert found.seed**0.5 == pytest.approx(2**0.5 * 2, rel=0.3)  # two points of sd each


def test_what_would_let_smaller_gains_be_seen():
    rng = np.random.default_rng(1)
    counting = Counting(rng.integers(0, 3, 3_000), np.array([100, 100, 100]))
    plain, other = trained(rng), trained(rng, share=0.72)
    found = seeing.seen(
        [plain, other],
        counting.differences(other, plain),
        counting,
        learner="fast",
        seeds=3,
        test_images=600,
        all_images=4_000,
        control=counting.value(plain),
    )
    assert {buy.key for buy in found.buys} == {"seeds", "folds", "images"}
    assert all(buy.smallest < found.smallest for buy in found.buys)
    assert found.smallest_percent == pytest.approx(found.smallest / counting.value(plain))
    assert 0.2 < found.disagreement < 0.5
    words = seeing.best_buy(found)
    assert "then gains from" in words
    assert power.POWER == found.power


def pilot(rng, ways, seeds, images, seed_sd):
    """Ways of training, each float [seeds, images] as if it were right: way x image 0.2, seed x image 0.3."""
    return [
        rng.normal(0, 0.2, images) + rng.normal(0, seed_sd, (seeds, 1)) + rng.normal(0, 0.3, (seeds, images))
        for _ in range(ways)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("seed_sd", "most"), [(0.02, 0.85), (0.05, 0.85), (0.0, 1.0)])
def test_found_as_often_as_said_by_verdicts_of_two_seeds_pooled_over_three_ways(seed_sd, most):
    """1,000 runs of 3 seeds, four for each of 250 verdicts. Where a seed does nothing, more are found."""
    rng, found = np.random.default_rng(4), []
    counting = Counting(np.repeat([0, 1], 250), np.array([100, 100]))
    for _ in range(250):
        rights = pilot(rng, 3, 2, 500, seed_sd)
        spread = seeing.spread(rights, 100 * (rights[0] - rights[1]), counting)
        assert (spread.degrees, spread.measured_images) == (3, 500)
        gain = power.smallest_visible(spread, 3, 500)
        for _ in range(4):
            better, control = pilot(rng, 2, 3, 500, seed_sd)
            found.append(difference(100 * better + gain, 100 * control).low > 0)
    assert 0.75 <= np.mean(found) <= most


def test_trainings_that_vary_more_are_not_pooled():
    rng = np.random.default_rng(5)
    counting = Counting(np.repeat([0, 1], 250), np.array([100, 100]))
    same, alike = pilot(rng, 3, 4, 500, 0.02), pilot(rng, 2, 4, 500, 0.02)
    assert len(seeing.pool(same, alike, counting)) == 5
    assert len(seeing.pool(same, pilot(rng, 2, 4, 500, 0.2), counting)) == 3


def test_the_interval_of_what_can_be_seen_narrows_with_the_degrees():
    few, many = (Spread(8.0, 800.0, 1800.0, degrees, 500, 11.6) for degrees in (2, 20))
    (low, high), (lower, upper) = (power.visible_range(each, 3, 500) for each in (few, many))
    assert low <= lower < power.smallest_visible(many, 3, 500) < upper < high
    assert power.smallest_visible(many, 3, 500) < power.smallest_visible(few, 3, 500)
