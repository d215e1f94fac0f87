"""What can be seen, from classifiers whose spread is known."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method import power
from gmaug_core.method.power import Spread
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
