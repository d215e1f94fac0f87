from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method.measures import pooled_seeds, recall, relative_gain, summary
from gmaug_core.models.classifiers import Evaluation


def evaluation(said, labels, classes=3):
    said, labels = np.array(said), np.array(labels)
    right, n = said == labels, np.bincount(labels, minlength=classes)
    rates = np.bincount(labels, weights=right, minlength=classes) / np.maximum(n, 1)
    probabilities = (0.7 * np.eye(classes)[said] + 0.1).astype(np.float32)
    return Evaluation(float(right.mean()), float(rates[n > 0].mean()), rates, n, right, probabilities)


LABELS = np.array([0, 0, 0, 0, 1, 1])  # nothing of the third class


def test_balanced_accuracy_is_over_the_tested_classes_and_says_how_many():
    found = summary("x", [evaluation([0, 0, 0, 1, 1, 0], LABELS)] * 2, LABELS)
    assert found.balanced_accuracy.mean == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.classes_tested == 2
    assert found.accuracy.n == 6
    assert found.auroc.mean == pytest.approx(0.625)
    assert found.auprc.values == pytest.approx((found.auprc.mean,) * 2)


def test_a_class_without_test_images_has_no_recall():
    tested = [evaluation(LABELS, LABELS)]
    assert recall(tested, LABELS, 2) is None
    all_right = recall(tested, LABELS, 0)
    assert all_right.mean == 1
    assert all_right.low < 0.6


def test_a_gain_is_paired_in_percent_and_in_points():
    labels = np.zeros(4, np.int64)
    after, before = evaluation([0, 0, 0, 1], labels), evaluation([0, 0, 1, 1], labels)
    gain = relative_gain([after] * 2, [before] * 2, "oversampling", of="filled")
    assert gain.value == pytest.approx(50)
    assert gain.points == pytest.approx(25)
    assert gain.values == pytest.approx((50, 50))
    assert (gain.n, gain.n_seeds, gain.control, gain.of) == (4, 2, "oversampling", "filled")
    assert gain.covers == "seeds and images"
    single = relative_gain([after], [before], "baseline")
    assert (single.covers, single.verdict) == ("images", "one seed")
    again = relative_gain([after], [before], "baseline", repeats=[[after]])
    assert (again.covers, again.verdict) == ("images", "one seed"), "two generators are no second seed"


def test_a_gain_over_nothing_has_points_and_no_value():
    labels = np.zeros(2, np.int64)
    gain = relative_gain([evaluation([0, 1], labels)], [evaluation([1, 1], labels)], "baseline")
    assert gain.value is None
    assert gain.values == ()
    assert gain.points == pytest.approx(50)
    assert "n" not in gain.model_dump(exclude_unset=True)


def test_seeds_that_differ_alone_are_called_better_as_often_as_promised():
    """One seed called one of two equal classifiers better in 16 % of pairs; three seeds, at most 2.5 %."""
    random, trials, better = np.random.default_rng(0), 800, 0
    labels = np.zeros(150, np.int64)
    for _ in range(trials):
        image = random.normal(size=150)
        scatter = 0.1 * random.normal(size=(2, 3, 1)) + 0.5 * random.normal(size=(2, 3, 150))
        said = (image + scatter + 0.8 < 0).astype(int)
        a, c = ([evaluation(row, labels) for row in variant] for variant in said)
        better += relative_gain(a, c, "baseline").verdict == "better"
        assert relative_gain(a[:1], c[:1], "baseline").verdict == "one seed"
    assert better / trials < 0.035


def test_a_variant_that_is_the_baseline_does_not_calm_the_seeds():
    labels, random = np.zeros(40, np.int64), np.random.default_rng(1)
    rows = {k: [evaluation(random.integers(0, 2, 40), labels) for _ in range(3)] for k in "abc"}
    assert pooled_seeds(rows | {"d": rows["a"]}) == pooled_seeds(rows)
