"""What makes a score high: matrix against exact means, leave-one-out against real moves, planted twins."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config import Profile
from gmaug_core.errors import Stopped
from gmaug_core.scoring import alike, explain, similarity

SMALL = Profile(16)
NAMES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def images():
    """Four classes of 16 px images: 90, 70, 40 and 1; likeness falls from the first to the third."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), (90, 70, 40, 1))
    patterns = rng.normal(0, 60, (4, 16, 16))
    noise = np.array([30, 60, 120, 60])[labels]
    pixels = 128 + patterns[labels] + noise[:, None, None] * rng.normal(size=(len(labels), 16, 16))
    return pixels.clip(0, 255).astype(np.uint8), labels


def scores(images, grouping, **options):
    return similarity.measure(*images, NAMES, grouping, profile=SMALL, **options)


def test_class_matrix_and_leave_one_out(images):
    matrix = explain.class_matrix(*images, NAMES, profile=SMALL, pairs_per_cell=10_000)
    mean = np.array(matrix.mean, float)
    assert np.array_equal(mean, mean.T, equal_nan=True)
    assert np.isnan(mean[3, 3])
    assert matrix.n == (90, 70, 40, 1)
    exact = scores(images, {"AB": ["a", "b"], "C": ["c"]}, pairs=20_000)
    assert explain.set_mean(matrix, ["a", "b"]) == pytest.approx(exact.super_classes[0].value, abs=1e-12)
    grouping = {"AB": ["a", "b", "d"], "C": ["c"]}
    effects = explain.leave_one_out(matrix, grouping)
    assert {each.name for each in effects} == {"a", "b", "d"}
    for each in effects:
        rest = [name for name in grouping["AB"] if name != each.name]
        moved = scores(images, {"AB": rest, "C": ["c"], "New": [each.name]}, pairs=20_000)
        assert each.supsub == pytest.approx(moved.ssim_supsubcls.value, abs=1e-12)
    sampled = explain.class_matrix(*images, NAMES, profile=SMALL, pairs_per_cell=50, classes=["a", "c"])
    assert sampled.classes == ("a", "c")
    assert sampled.pairs == ((50, 50), (50, 50))
    assert abs(sampled.mean[0][0] - mean[0, 0]) < 5 * sampled.se[0][0]
    with pytest.raises(Stopped):
        explain.class_matrix(*images, NAMES, profile=SMALL, should_stop=lambda: True)


def test_most_similar(images):
    pixels, labels = images
    planted = pixels.copy()
    planted[150] = planted[3]
    for budget in (100_000, 2_000):
        found = alike.most_similar(planted, profile=SMALL, k=5, budget=budget)
        first = found.pairs[0]
        assert (first.i, first.j) == (3, 150)
        assert first.value == pytest.approx(1, abs=1e-6)
        assert found.exact == (budget == 100_000)
        assert len(found.pairs) == 5
    inside = alike.most_similar(planted, profile=SMALL, members=np.flatnonzero(labels == 2), k=3)
    assert all(labels[each.i] == labels[each.j] == 2 for each in inside.pairs)
