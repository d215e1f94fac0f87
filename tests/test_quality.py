from __future__ import annotations

import numpy as np
import pytest

from gmaug_core import quality

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(300, 8))


def test_the_same_distribution_scores_near_zero_and_a_shift_does_not():
    same, shifted = RNG.normal(size=(300, 8)), RNG.normal(size=(300, 8)) + 2
    assert quality.frechet_distance(REAL, same) < 0.5 < quality.frechet_distance(REAL, shifted)
    assert abs(quality.kernel_distance(REAL, same)) < 0.5 < quality.kernel_distance(REAL, shifted)


def test_frechet_distance_of_known_gaussians():
    """Two Gaussians with equal covariance differ by the squared distance of their means."""
    assert quality.frechet_distance(REAL, REAL + np.arange(8)) == pytest.approx((np.arange(8) ** 2).sum(), rel=1e-6)
    assert quality.frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-6)


def test_figures_agree_with_torchmetrics_formulas_on_kid():
    """The unbiased estimator by two loops."""
    x, y = REAL[:20], RNG.normal(size=(25, 8)) + 0.3

    def kernel(a, b):
        return (a @ b / 8 + 1) ** 3

    xx = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([kernel(a, b) for a in x for b in y])
    assert quality.kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy)


def test_precision_and_recall_tell_fidelity_from_coverage():
    precision, recall = quality.precision_recall(REAL, REAL[:30] + 1e-9)
    assert precision == 1 and recall < 0.9
    precision, _ = quality.precision_recall(REAL, REAL + 50)
    assert precision == 0


def test_copies_are_memorised_and_fresh_draws_are_not():
    assert quality.memorised_share(REAL, REAL[:50]) == 1
    assert quality.memorised_share(REAL, RNG.normal(size=(200, 8))) < 0.1


def test_auc_is_half_for_the_same_and_one_for_different():
    same, n = quality.real_vs_synthetic_auc(REAL, RNG.normal(size=(300, 8)))
    assert n == 300 and 0.35 < same < 0.65
    assert quality.real_vs_synthetic_auc(REAL, REAL + 5)[0] > 0.99


def test_figures_say_n_and_leave_out_what_is_too_small():
    assert set(quality.figures(REAL, REAL[:1])) == {"n_real", "n_synthetic"}
    found = quality.figures(REAL, REAL + 0.1, limit=100)
    assert found["n_real"] == found["n_synthetic"] == 100 and {"fd", "kid", "precision", "recall", "real_vs_synthetic_auc"} <= set(found)


def test_nearest_real():
    index, distance = quality.nearest_real(REAL, REAL[[5, 9]] + 1e-6)
    assert index.tolist() == [5, 9] and distance.max() < 1e-4
