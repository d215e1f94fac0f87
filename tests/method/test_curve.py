"""Learning curves: the points, the two forms, how far one may go."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method.verdict import ceiling, curve
from gmaug_core.method.verdict.curve import Points

GROWTHS = (0.125, 0.25, 0.5, 1.0)


def points(shares, *, images=2_000, seeds=4, growth=GROWTHS, seed=0) -> Points:
    """A curve with these true shares of right images; an image has its own difficulty throughout."""
    rng = np.random.default_rng(seed)
    hard = rng.random(images)
    correct = tuple(hard + rng.normal(0, 0.02, (seeds, images)) < share for share in shares)
    return Points(growth, correct, np.zeros(images, int), np.full(images, 1 / images))


def test_subsets_are_nested_and_grow_only_what_is_varied():
    labels = np.repeat([0, 1, 2], [80, 40, 10])
    counts = np.bincount(labels)
    half = curve.subset(labels, curve.sizes(counts, 0.5, "everything"), seed=3)
    quarter = curve.subset(labels, curve.sizes(counts, 0.25, "everything"), seed=3)
    assert set(quarter) < set(half)
    assert np.bincount(labels[half]).tolist() == [40, 20, 5]
    assert curve.sizes(counts, 0.25, "rare").tolist() == [80, 10, 2]
    assert curve.sizes(counts, 0.001, "everything").tolist() == [1, 1, 1]


def test_weights_make_accuracy_into_recall():
    labels = np.array([0, 0, 0, 1, 3])
    assert curve.image_weights(labels).tolist() == pytest.approx([1 / 9] * 3 + [1 / 3] * 2)
    assert curve.image_weights(labels, np.array([1, 2])).tolist() == [0, 0, 0, 1, 0]
    assert curve.tail_classes(np.array([50, 4, 9, 70, 60, 80])).tolist() == [1, 2]


def test_both_forms_give_back_what_made_them():
    g = np.array(GROWTHS)
    gain, fitted = curve.power_law(GROWTHS, (80 - 10 * g**-0.5)[None], 2.0)
    assert gain[0] == pytest.approx(10 * (1 - 2**-0.5))
    assert fitted[0] == pytest.approx(80 - 10 * g**-0.5)
    bent = 60 + 3 * np.log2(g) + np.minimum(np.log2(g) + 2, 0) * 4
    assert curve.piecewise_line(GROWTHS, bent[None], 2.0)[0][0] == pytest.approx(3.0)
    falling = curve.power_law(GROWTHS, (50 - 2 * np.log2(g))[None], 2.0)[0]
    assert falling[0] == 0  # more real images do no harm


def test_a_rising_curve_is_carried_on_with_an_interval():
    found = curve.project(points((0.5, 0.56, 0.62, 0.68)), 2.0)
    assert found.refused is None
    assert found.gain is not None
    assert found.gain.low < 6 < found.gain.high + 1
    assert found.gain.low > 2
    assert found.at_most == found.gain.high


def nearest_neighbour(rng, classes=6, images=180, features=8):
    """The nearest neighbour among Gaussian classes: validation images of any training subset, as the verdict
    has them, and what as many images again add in truth on test images."""
    middle = rng.normal(0, 0.8, (classes, features))

    def sample(n):
        labels = np.arange(n) % classes
        return middle[labels] + rng.normal(0, 1, (n, features)), labels

    def right(train, tested):
        apart = -2 * tested[0] @ train[0].T + (train[0] ** 2).sum(axis=1)
        return train[1][apart.argmin(axis=1)] == tested[1]

    pool, validated, tested = sample(2 * images), sample(400), sample(2_000)
    half = (pool[0][:images], pool[1][:images])
    correct = []
    for growth in GROWTHS:
        wanted = np.full(classes, round(images / classes * growth))
        kept = [curve.subset(half[1], wanted, seed=seed) for seed in range(4)]
        correct.append(np.array([right((half[0][index], half[1][index]), validated) for index in kept]))
    added = 100 * (right(pool, tested).mean() - right(half, tested).mean())
    return Points(GROWTHS, tuple(correct), validated[1], np.full(400, 1 / 400)), float(added)


@pytest.mark.slow
def test_its_interval_holds_for_what_is_added_though_images_are_drawn_once():
    """80 learners: from half of the images to all of them. Without the draw of images 81 % hold."""
    rng = np.random.default_rng(5)
    held, told = 0, 0
    for trial in range(80):
        found, added = nearest_neighbour(rng)
        gain = curve.project(found, 2.0, seed=trial).gain
        if gain is not None:
            told += 1
            held += gain.low <= added <= gain.high
    assert told > 35
    assert 0.9 <= held / told <= 0.995


@pytest.mark.parametrize(
    ("given", "at", "words"),
    [
        (points((0.6, 0.6, 0.6, 0.6)), 2.0, "does not rise"),
        (points((0.5, 0.56, 0.62, 0.68)), 100.0, "further than it was measured"),
        (points((0.1, 0.3, 0.4, 0.6), images=40, seeds=2), 8.0, "points wide"),
        (points((0.5, 0.6), growth=(0.5, 1.0)), 2.0, "fewer than three"),
    ],
)
def test_a_curve_that_does_not_allow_it_is_refused(given, at, words):
    found = curve.project(given, at)
    assert found.gain is None
    assert words in (found.refused or "")
    assert found.at_most is not None


def test_nothing_is_projected_above_all_right():
    found = curve.project(points((0.7, 0.8, 0.9, 0.99)), 4.0)
    assert found.at_most is not None
    assert found.at_most < 2


def test_the_amounts_that_matter():
    counts = np.array([100, 50, 25])
    by_key = {amount.key: amount for amount in ceiling.amounts(counts, None)}
    assert by_key["twice"].added == 175
    assert by_key["balance"].added == by_key["run"].added == 125
    assert by_key["balance"].growth == pytest.approx(8**0.5)
    run = ceiling.amounts(counts, 200)[-1]
    assert (run.of, run.added) == ("everything", 425)
    balanced = ceiling.amounts(np.array([40, 40]), None)
    projected = ceiling.projections(balanced, {"everything": points((0.5, 0.56, 0.62, 0.68))})
    assert [each.at_most for each in projected if each.key == "run"] == [0]


def test_the_classifiers_own_step_is_carried_on_by_the_shape_of_the_fast_curve():
    fast = points((0.5, 0.56, 0.62, 0.68))
    flat, steep = points((0.7, 0.701), growth=(0.5, 1.0)), points((0.6, 0.65), growth=(0.5, 1.0))
    amounts = ceiling.amounts(np.array([100, 100]), None)
    twice = {
        name: next(
            p
            for p in ceiling.projections(amounts, {"everything": fast}, {"everything": own})
            if p.key == "twice"
        )
        for name, own in (("flat", flat), ("steep", steep))
    }
    assert twice["flat"].gain is None
    assert "cannot be told apart" in (twice["flat"].refused or "")
    assert twice["steep"].gain is not None
    assert 3 < twice["steep"].gain.value <= 5.5


def test_an_interval_at_the_top_has_a_width():
    """What is left to 100 % is as uncertain as the accuracy itself."""
    found = curve.project(points((0.4, 0.6, 0.8, 0.95), images=300, seeds=4), 4.0).gain
    assert found is not None
    assert found.high - found.low > 0.5
