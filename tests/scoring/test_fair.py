"""The law of this program's own datasets: refused of few, fitted of many, and its record."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.errors import InputError
from gmaug_core.scoring import fair
from gmaug_core.scoring.fair import FairPoint


def drawn(n: int, amplitude: float = 40.0, rate: float = 6.0, seed: int = 0) -> list[FairPoint]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 0.6, n)
    gain = amplitude * np.exp(-rate * x) + 0.5 * rng.standard_normal(n)
    return [FairPoint(str(k), float(x[k]), 0.0, float(gain[k]), 0.4) for k in range(n)]


def test_few_datasets_carry_no_law():
    few = drawn(fair.LEAST - 1)
    with pytest.raises(InputError, match="cannot carry a law"):
        fair.fair_law(few)
    assert f"{fair.LEAST - 1} datasets are measured" in fair.words(few)
    assert "1 dataset is measured" in fair.words(few[:1])


def test_a_law_that_is_there_is_found_and_its_record_beats_the_mean():
    of = drawn(fair.LEAST)
    law = fair.fair_law(of)
    assert law.amplitude_ci[0] < 40 < law.amplitude_ci[1]
    found = fair.record_of(of)
    assert found.error < found.of_mean
    assert found.held >= fair.LEAST - 2
    assert found.better
    assert "on average, better than their mean" in fair.words(of)


def test_where_the_score_says_nothing_the_record_admits_it():
    rng = np.random.default_rng(1)
    of = [FairPoint(p.name, float(rng.uniform(0.1, 0.6)), 0.0, p.gain, p.se) for p in drawn(14, 2.0, 0.0)]
    assert "not reliably better than their mean" in fair.words(of)


def test_prediction_intervals_hold():
    inside = []
    for seed in range(60):
        *of, new = drawn(fair.LEAST + 1, amplitude=-4.0, rate=1.0, seed=seed)
        _, low, high = fair.fair_law(of).predict(new.x)
        inside.append(low <= -4.0 * np.exp(-new.x) + 0.0 <= high)
    assert np.mean(inside) >= 0.9
