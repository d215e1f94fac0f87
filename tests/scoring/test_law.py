"""The law: the paper's figures, intervals that hold what they say, advice in words."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.errors import InputError
from gmaug_core.scoring.law import (
    PRINTED_OFFSET,
    errors_of,
    fit_law,
    gain_se,
    leave_one_out,
    printed_equation,
    relative_gain,
)
from gmaug_core.scoring.paper import paper_law, paper_points, refit

POINTS = paper_points()
X = np.array([point.supsub for point in POINTS])
GAIN = np.array([point.gain for point in POINTS])


def test_the_fit_gives_the_paper_s_figures():
    law = paper_law()
    assert law.r2 == pytest.approx(0.8749, abs=5e-5)
    assert law.median_ae == pytest.approx(4.788, abs=5e-4)
    assert law.mae == pytest.approx(7.469, abs=5e-4)
    assert law.base == pytest.approx(0.9373, abs=5e-5)
    assert law.amplitude == pytest.approx(176.567, abs=2e-3)
    assert law.rate == pytest.approx(13.1250, abs=2e-4)
    assert np.log(law.amplitude) / np.log(law.base) == pytest.approx(PRINTED_OFFSET, abs=0.01)
    assert law.n == 8


def test_the_printed_equation_is_worse_at_the_steep_end():
    printed = errors_of(printed_equation(X), GAIN)
    assert printed["r2"] == pytest.approx(0.8282, abs=5e-5)
    assert printed["mae"] == pytest.approx(7.4425, abs=5e-5)
    assert np.abs(printed_equation(X) - paper_law().gain(X)).max() > 10
    assert isinstance(printed_equation(0.1), float)


def test_table_5_gains_follow_from_table_3():
    for point in POINTS:
        assert relative_gain(point.baseline, point.augmented) == pytest.approx(point.gain, abs=0.01), (
            point.name
        )


def test_leave_one_out():
    left = leave_one_out(X, GAIN)
    assert np.mean([abs(point["error"]) for point in left]) == pytest.approx(12.7, abs=0.05)
    assert all(point["low"] <= point["gain"] <= point["high"] for point in left)


def test_exact_points_are_recovered_and_scale_does_not_matter():
    x = np.linspace(0.05, 0.6, 9)
    law = fit_law(x, 40 * np.exp(-6 * x))
    assert (law.amplitude, law.rate) == pytest.approx((40, 6), rel=1e-6)
    assert law.r2 == pytest.approx(1)
    assert law.mae < 1e-6
    falling = fit_law(x, 4e-3 * np.exp(6 * x))  # a law that rises is fitted as such
    assert falling.rate == pytest.approx(-6, rel=1e-6)


@pytest.mark.slow
def test_parameters_and_new_points_are_inside_their_intervals_at_the_nominal_rate():
    truth, rng, runs = paper_law(), np.random.default_rng(0), 2000
    curve_at = truth.gain(X)
    inside = np.zeros(3)
    for _ in range(runs):
        law = fit_law(
            X, curve_at + np.sqrt(truth.noise * np.maximum(curve_at, 1)) * rng.standard_normal(len(X))
        )
        new = rng.uniform(0.06, 0.4)
        gain = truth.gain(new) + np.sqrt(truth.noise * max(truth.gain(new), 1)) * rng.standard_normal()
        _, low, high = law.predict(new)
        inside += [
            law.amplitude_ci[0] <= truth.amplitude <= law.amplitude_ci[1],
            law.rate_ci[0] <= truth.rate <= law.rate_ci[1],
            low <= gain <= high,
        ]
    assert np.all((inside / runs > 0.935) & (inside / runs < 0.97)), inside / runs


def test_weights_pull_the_law_towards_the_precise_points():
    x, gain = np.array([0.05, 0.1, 0.2, 0.3]), np.array([80.0, 20.0, 12.0, 4.0])
    trusted = fit_law(x, gain, weights=[1e-6, 1, 1, 1])
    assert abs(trusted.gain(0.1) - 20) < abs(fit_law(x, gain).gain(0.1) - 20)
    with_paper = refit([0.1, 0.3], [30, 2], [5, 1], with_paper=True)
    assert with_paper.n == 10
    assert refit([0.1, 0.2, 0.3], [30, 9, 2], [5, 3, 1], with_paper=False).n == 3


def test_prediction_takes_arrays_and_never_loses_more_than_everything():
    gain, low, high = paper_law().predict(np.linspace(0, 1, 50))
    assert gain.shape == low.shape == high.shape == (50,)
    assert np.all((low <= gain) & (gain <= high))
    assert low.min() >= -100
    assert np.all(np.diff(high - low) < 1e-9)  # the steep end is the uncertain end


def test_a_score_of_another_profile_is_refused():
    with pytest.raises(InputError, match="uniform7") as caught:
        paper_law().require_profile("uniform7")
    assert "--profile paper" in caught.value.todo
    paper_law().require_profile("paper")


@pytest.mark.parametrize(
    ("x", "gain", "weights"),
    [
        ([0.1, 0.2], [1, 2], None),
        ([0.1] * 4, [1, 2, 3, 4], None),
        ([0.1, 0.2, 0.3], [1, np.nan, 2], None),
        ([0.1, 0.2, 0.3], [1, 2], None),
        ([0.1, 0.2, 0.3], [1, 2, 3], [1, 0, 1]),
    ],
)
def test_points_that_cannot_carry_a_law_are_refused(x, gain, weights):
    with pytest.raises(InputError):
        fit_law(x, gain, weights)


def test_gain_se_shrinks_with_n_and_is_never_zero():
    assert gain_se(50, 75, 36) > gain_se(50, 75, 3600)
    assert gain_se(100, 100, 30) > 0
    assert gain_se(64.14, 80, 435) == pytest.approx(5.38, abs=0.02)
