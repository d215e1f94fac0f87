"""The smallest visible gain: found as often as it says, by the test that a run uses."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method import power
from gmaug_core.method.power import Spread
from gmaug_core.method.statistics import difference


def experiments(rng, spread, gain, seeds, images, times):
    """Whether each of `times` runs finds the gain."""
    found = []
    for _ in range(times):
        differences = (
            gain
            + rng.normal(0, spread.seed**0.5, (seeds, 1))
            + rng.normal(0, spread.image**0.5, images)
            + rng.normal(0, spread.both**0.5, (seeds, images))
        )
        found.append(difference(differences, np.zeros_like(differences)).low > 0)
    return np.mean(found)


@pytest.mark.parametrize(
    ("spread", "seeds", "images"),
    [
        (Spread(2.2e-4, 0.046, 0.061), 3, 606),  # flowers, measured
        (Spread(2.2e-4, 0.046, 0.061), 8, 606),
        (Spread(1e-5, 0.05, 0.05), 3, 100),  # the images decide
        (Spread(4e-4, 0.01, 0.05), 5, 5_000),  # the seeds decide
    ],
)
def test_a_gain_of_the_stated_size_is_found_in_four_of_five_runs(spread, seeds, images):
    gain = power.smallest_visible(spread, seeds, images)
    found = experiments(np.random.default_rng(1), spread, gain, seeds, images, 1000)
    assert found == pytest.approx(0.8, abs=0.05)


def test_measured_classifiers_drawn_again_find_it_as_often():
    """Bootstrapped experiments: seeds and images of binary outcomes drawn from a large pool."""
    rng = np.random.default_rng(2)
    right = rng.beta(2, 1, 4000)  # an image's chance of being right
    shift = rng.normal(0, 0.02, (40, 1))

    def trained(better):
        return rng.random((40, 4000)) < np.clip(right + shift + better, 0, 1)

    pool = trained(0.0).astype(float) - trained(0.0)
    spread, seeds, images = Spread.of(pool), 4, 600
    gain = power.smallest_visible(spread, seeds, images)
    found = []
    for _ in range(1000):
        rows = pool[rng.integers(0, 40, seeds)][:, rng.integers(0, 4000, images)] - pool.mean() + gain
        found.append(difference(rows, np.zeros_like(rows)).low > 0)
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_components_come_back():
    rng = np.random.default_rng(3)
    made = Spread(0.04, 0.09, 0.25)
    found = [
        Spread.of(rng.normal(0, 0.2, (20, 1)) + rng.normal(0, 0.3, 400) + rng.normal(0, 0.5, (20, 400)))
        for _ in range(50)
    ]
    assert np.mean([each.seed for each in found]) == pytest.approx(made.seed, rel=0.15)
    assert np.mean([each.image for each in found]) == pytest.approx(made.image, rel=0.1)
    assert np.mean([each.both for each in found]) == pytest.approx(made.both, rel=0.05)


def test_more_seeds_and_more_images_see_more():
    spread = Spread(2.2e-4, 0.046, 0.061)
    three = power.smallest_visible(spread, 3, 606)
    assert power.smallest_visible(spread, 10, 606) < three
    assert power.smallest_visible(spread, 3, 4064) < three
    assert power.smallest_visible(Spread(0, 0, 0), 3, 606) == 0


def test_one_seed_has_only_the_images():
    spread = Spread(0.0, 0.05, 0.05)
    gain = power.smallest_visible(spread, 1, 400)
    assert gain == pytest.approx(2.8 * (0.1 / 400) ** 0.5, rel=0.02)
