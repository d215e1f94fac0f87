from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gmaug_core.method.statistics import interval, mean_with_interval, relative_gain, share
from gmaug_core.models.classifiers import Evaluation


def test_interval_covers_at_the_nominal_rate():
    """Simulated experiments with both sources of error: 95 % intervals cover 93.5-97.5 %."""
    rng = np.random.default_rng(0)
    hits, trials, seeds, images = 0, 3000, 5, 60
    for _ in range(trials):
        per_image = rng.normal(0, 0.4, images)
        contributions = per_image + rng.normal(0, 0.05, (seeds, 1)) + rng.normal(0, 0.05, (seeds, images))
        _, low, high = mean_with_interval(contributions.mean(axis=1).tolist(), contributions)
        hits += low <= 0 <= high
    assert 0.935 <= hits / trials <= 0.975


def test_an_accuracys_interval_ends_at_0_and_1_and_a_gains_does_not():
    correct = np.array([[1.0] * 19 + [0.0], [1.0] + [0.0] * 19])
    accuracy = share([0.95, 0.05], correct)
    _, low, high = mean_with_interval([0.95, 0.05], correct)
    assert (accuracy.ci_low, accuracy.ci_high) == (0.0, 1.0)
    assert low < -1
    assert high > 2


def test_interval_of_one_seed_is_the_test_splits_own():
    low, high = interval(0.5, 0.0, 1, 0.25, 100)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 99) * 0.05)


def evaluation(correct):
    correct = np.array(correct, bool)
    rate = float(correct.mean())
    return Evaluation(rate, rate, np.array([rate]), np.array([len(correct)]), correct)


def test_a_gain_over_nothing_has_no_value():
    gain = relative_gain([evaluation([1, 0])], [evaluation([0, 0])], "baseline")
    assert gain.value is None
    assert gain.values == ()
    assert gain.n is None
    assert "n" not in gain.model_dump(exclude_unset=True)


def test_a_gain_is_paired_and_in_percent():
    gain = relative_gain([evaluation([1, 1, 1, 0])] * 2, [evaluation([1, 1, 0, 0])] * 2, "oversampling")
    assert gain.value == pytest.approx(50)
    assert gain.values == pytest.approx((50, 50))
    assert (gain.n, gain.n_seeds, gain.control) == (4, 2, "oversampling")
