from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from gmaug_core.method.statistics import (
    area,
    components,
    difference,
    proportion,
    relative,
    seed_variance,
    spread,
    wilson,
)


def world(random, p, seeds, images, *, own=0.06, variants=3, generators=1):
    """0 or 1: float [variants, generators, seeds, images], of normal effects of image, variant x image, seed,
    variant x seed, generator and noise. p: the true accuracy of each variant; the first alone has
    generators."""
    sizes = {"image": 1.2, "change": 0.35, "seed": 0.03, "own": own, "generator": 0.08, "noise": 0.6}
    by_generator = np.zeros((variants, 1, 1, 1))
    by_generator[0] = 1.0
    several = float(generators > 1)
    effects = (
        sizes["image"] * random.normal(size=(1, 1, 1, images))
        + sizes["change"] * random.normal(size=(variants, 1, 1, images))
        + sizes["seed"] * random.normal(size=(1, 1, seeds, 1))
        + own * random.normal(size=(variants, 1, seeds, 1))
        + several * by_generator * sizes["generator"] * random.normal(size=(variants, generators, 1, 1))
        + sizes["noise"] * random.normal(size=(variants, generators, seeds, images))
    )
    total = 1.2**2 + 0.35**2 + 0.03**2 + own**2 + 0.6**2
    of_generator = several * by_generator[:, 0, 0, 0] ** 2 * 0.08**2
    threshold = special.ndtri(p) * np.sqrt(total + of_generator)
    return (effects + threshold[:, None, None, None] > 0).astype(float)


def covered(interval, truth):
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize(
    ("accuracies", "images"), [((0.7, 0.7), 200), ((0.6, 0.33), 30), ((0.75, 0.5), 36), ((0.6, 0.33), 10)]
)
def test_differences_and_ratios_cover(accuracies, images):
    """The cases in which an interval that took the control as known covered .91; 3 seeds, as a run has."""
    random, trials = np.random.default_rng(0), 500
    p = np.array([*accuracies, accuracies[1]])
    hits = np.zeros(2)
    for _ in range(trials):
        found = world(random, p, 3, images)[:, 0]
        pooled = seed_variance(found.mean(axis=2))
        ratio = relative(found[0], found[1], pooled)
        hits += (
            covered(difference(found[0], found[1], pooled), p[0] - p[1]),
            ratio is None or covered(ratio, p[0] / p[1] - 1),
        )
    assert (hits / trials > 0.93).all()
    assert (hits / trials < 0.995).all()


def test_a_pair_whose_seeds_scatter_more_is_not_told_by_the_others():
    random, trials, hits, alone = np.random.default_rng(1), 2500, 0, 0
    scatter = np.array([0.02, 0.02, 0.005, 0.005, 0.005])[:, None]
    for _ in range(trials):
        seeds = 0.7 + scatter * random.normal(size=(5, 3))
        contributions = np.repeat(seeds[:, :, None], 5, axis=2)
        pooled = seed_variance(seeds)
        hits += covered(difference(contributions[0], contributions[1], pooled), 0)
        half = special.stdtrit(pooled.degrees, 0.975) * (pooled.of(1.0) / 3) ** 0.5
        alone += abs(seeds[0].mean() - seeds[1].mean()) <= half
    assert hits / trials > 0.92
    assert alone / trials < 0.85  # what pooling alone would do


def test_the_variance_that_seeds_share_falls_out_of_a_difference_and_not_of_a_ratio():
    random = np.random.default_rng(2)
    shared = 0.05 * random.normal(size=(1, 4000))
    found = seed_variance(0.7 + shared + 0.01 * random.normal(size=(5, 4000)))
    assert found.own == pytest.approx(1e-4, rel=0.05)
    assert found.shared == pytest.approx(25e-4, rel=0.1)
    assert found.of(1.0) == pytest.approx(2 * found.own)
    assert found.of(2.0) == pytest.approx(5 * found.own + found.shared)
    assert seed_variance(np.ones((5, 1))) is None
    assert seed_variance(np.ones((2, 3))) is None


def test_generators_seeds_and_images_are_covered_together():
    random, trials, hits, without = np.random.default_rng(3), 500, 0, 0
    p = np.array([0.7, 0.7, 0.7])
    for _ in range(trials):
        found = world(random, p, 3, 2000, own=0.02, generators=3)
        hits += covered(difference(found[0], found[1, 0]), 0)
        without += covered(difference(found[0, 0], found[1, 0]), 0)
    assert 0.93 < hits / trials < 0.995
    assert without / trials < 0.9  # one generator: its own luck is in nobody's interval


def test_one_seed_and_one_generator_leave_the_images():
    values = np.array([[0.0, 1.0, 1.0, 1.0]])
    found = spread(values)
    assert found.variance == pytest.approx(np.var(values, ddof=1) / 4)
    assert found.degrees == pytest.approx(3)
    assert spread(values[None]) == found
    assert spread(np.ones((3, 5))).interval(1.0).low == 1.0


@pytest.mark.parametrize("n", [1, 7, 9, 1000])
def test_all_correct_is_no_certainty(n):
    for seeds in (1, 3):
        found = proportion(np.ones((seeds, n)))
        assert (found.mean, found.high) == (1.0, 1.0)
        assert found.low == pytest.approx(n / (n + 1.959964**2), rel=1e-6)
        none = proportion(np.zeros((seeds, n)))
        assert (none.mean, none.low) == (0.0, 0.0)
        assert none.high == pytest.approx(1 - found.low)


def test_one_seed_and_no_strata_is_wilson():
    correct = (np.arange(40) < 31).astype(float)[None]
    reference = stats.binomtest(31, 40).proportion_ci(method="wilson")
    found = proportion(correct)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-6)
    assert wilson(31 / 40, 40).low == pytest.approx(found.low)


@pytest.mark.parametrize(("p", "images"), [(0.7, 10), (0.97, 30), (0.95, 300), (0.5, 7)])
def test_accuracies_cover(p, images):
    random, trials, hits = np.random.default_rng(4), 1500, 0
    for _ in range(trials):
        hits += covered(proportion(world(random, np.array([p]), 3, images, variants=1)[0, 0]), p)
    assert hits / trials > 0.94


def test_balanced_accuracy_covers_with_a_class_of_three_images():
    random, trials, hits = np.random.default_rng(5), 1500, 0
    sizes, p = (200, 40, 3), np.array([0.9, 0.8, 0.6])
    weights = np.concatenate([np.full(n, 1 / (3 * n)) for n in sizes])
    for _ in range(trials):
        parts = [world(random, np.array([q]), 3, n, variants=1)[0, 0] for q, n in zip(p, sizes, strict=True)]
        found = proportion(np.concatenate(parts, axis=1), weights)
        hits += covered(found, p.mean())
    assert hits / trials > 0.94
    perfect = proportion(np.ones((3, 243)), weights)
    assert perfect.low < 0.9  # three images of one class are a third of the value


def test_a_gain_over_nothing_has_no_ratio_and_a_difference():
    a, c = np.array([[1.0, 0.0, 1.0]]), np.zeros((1, 3))
    assert relative(a, c) is None
    assert difference(a, c).mean == pytest.approx(2 / 3)


def test_an_area_ends_at_0_and_1():
    found = area(np.array([0.99, 1.0, 0.98]), np.full((3, 50), 0.002))
    assert 0 <= found.low < found.mean < found.high <= 1
    certain = area(np.ones(2), np.zeros((2, 20)))
    assert certain.low < 0.9


@pytest.mark.parametrize(("generators", "seeds"), [(2, 3), (2, 5), (3, 3), (3, 5)])
def test_an_interval_over_generators_and_seeds_covers_the_luck_of_both(generators, seeds):
    """One generator's alone holds 82 to 86 of 100 of these."""
    random, trials = np.random.default_rng(1), 250
    p = np.array([0.7, 0.7, 0.7])
    hits = 0
    for _ in range(trials):
        found = world(random, p, seeds, 200, generators=generators)
        hits += covered(difference(found[0], found[1, 0]), 0.0)
    assert hits / trials > 0.92


def test_the_variance_of_a_gain_is_split_into_generators_and_seeds():
    random = np.random.default_rng(2)
    found = []
    for _ in range(300):
        noise = random.normal(0, 0.3, (3, 4, 40))
        of_generators, of_seeds = random.normal(0, 0.5, (3, 1, 1)), random.normal(0, 0.2, (1, 4, 1))
        parts = components(of_generators + of_seeds + noise)
        found.append((parts.generator, parts.seed, parts.rest))
    assert np.mean(found, axis=0) == pytest.approx([0.25, 0.04, 0.09 / 40], rel=0.15)
    alone = components(random.normal(0, 1, (2, 1, 5)))
    assert (alone.seed, alone.rest) == (0, 0)
    with pytest.raises(ValueError, match="one generator"):
        components(np.zeros((1, 3, 5)))
