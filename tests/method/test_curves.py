from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from gmaug_core.method.curves import areas
from gmaug_core.method.statistics import area


def scores(random, labels, classes, *, levels=0):
    logits = random.normal(size=(len(labels), classes)) + 1.2 * np.eye(classes)[labels]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return (np.round(found * levels) / levels if levels else found).astype(np.float32)


@pytest.mark.parametrize("levels", [0, 5])
def test_areas_are_scikit_learns(levels):
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 120)
    given = scores(random, labels, 5, levels=levels)  # the fifth class has no image
    roc, precision = areas(given, labels)
    one = [(given[:, c], labels == c) for c in range(4)]
    assert roc.value == pytest.approx(np.mean([roc_auc_score(y, x) for x, y in one]))
    assert precision.value == pytest.approx(np.mean([average_precision_score(y, x) for x, y in one]))


@pytest.mark.parametrize("levels", [0, 4])
def test_an_images_influence_is_what_a_little_more_of_it_changes(levels):
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 25)
    given = scores(random, labels, 3, levels=levels)
    found = areas(given, labels)
    step = 1e-6
    for image in (0, 7, 24):
        weight = np.ones(25)
        weight[image] += step
        for area_, score in zip(found, (roc_auc_score, average_precision_score), strict=True):
            more, before = (
                np.mean([score(labels == c, given[:, c], sample_weight=w) for c in range(3)])
                for w in (weight, None)
            )
            assert area_.influence[image] == pytest.approx((more - before) / step, abs=1e-4)
    assert all(abs(area_.influence.sum()) < 1e-9 for area_ in found)


def test_intervals_of_areas_cover():
    random = np.random.default_rng(2)
    many = random.integers(0, 3, 60_000)
    truth = [each.value for each in areas(scores(random, many, 3), many)]
    hits, trials = np.zeros(2), 400
    for _ in range(trials):
        labels = random.integers(0, 3, 120)
        found = areas(scores(random, labels, 3), labels)
        for k, each in enumerate(found):
            interval = area(np.array([each.value]), each.influence[None])
            hits[k] += interval.low <= truth[k] <= interval.high
    assert (hits / trials > 0.92).all()


def test_one_class_alone_has_no_area():
    assert areas(np.full((4, 3), 1 / 3, np.float32), np.zeros(4, np.int64)) is None
