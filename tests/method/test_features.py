"""The fast learner: features of an image depend on it alone; ridge regression is that of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from sklearn.linear_model import Ridge

from gmaug_core.errors import Stopped
from gmaug_core.method.verdict import features, first


def bars(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.integers(0, 3, n))
    return np.stack([tiny.draw(("across", "down", "slant")[label], rng) for label in labels]), labels


def test_an_image_has_the_same_features_in_any_company():
    images, _ = bars(300)
    bank = features.random_bank(images, seed=0, filters=8)
    together = features.extract(images, bank)
    assert together.shape == (300, 8, bank.numbers // 8)
    assert np.allclose(together[170:], features.extract(images[170:], bank), atol=1e-5)
    assert not np.array_equal(bank.weights, features.random_bank(images, seed=1, filters=8).weights)
    with pytest.raises(Stopped):
        features.extract(images, bank, should_stop=lambda: True)


def test_grey_and_colour_and_flat_images():
    flat = np.full((20, 8, 8, 3), 77, np.uint8)
    bank = features.random_bank(flat, seed=0, filters=4)
    assert np.isfinite(features.extract(flat, bank)).all()


@pytest.mark.parametrize("n", [30, 200])  # fewer images than features, and more
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_is_scikit_learns(n, weighted):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(n, 50)).astype(np.float32), rng.normal(size=(9, 50)).astype(np.float32)
    labels = rng.integers(0, 3, n)
    weights = rng.random(n) + 0.5 if weighted else None
    found = features.ridge_scores(x, labels, 3, z, np.array([0.1, 2.0]), weights)
    for scores, ridge in zip(found, (0.1, 2.0), strict=True):
        scaled = None if weights is None else weights / weights.mean()
        model = Ridge(alpha=ridge * n).fit(x, np.eye(3)[labels], sample_weight=scaled)
        assert scores == pytest.approx(model.predict(z), abs=1e-3)


def test_the_first_reading_learns_the_bars():
    images, labels = bars(240)
    index = np.random.default_rng(1).permutation(240)
    train, validate = np.sort(index[:160]), np.sort(index[160:])
    taken = first.first_reading(images, labels, train, validate, 3)
    assert taken.reading.accuracies.accuracy > 0.9
    assert taken.reading.images == 160
    assert [point.growth for point in taken.reading.curves[0].points] == [0.125, 0.25, 0.5, 1.0]
    assert taken.free.best == "plain"
    again = first.first_reading(images, labels, train, validate, 3)
    assert again.points["everything"].means.tolist() == taken.points["everything"].means.tolist()


def test_many_images_are_cut_alike_but_for_rare_classes():
    labels = np.repeat([0, 1, 2], [4_000, 1_000, 60])
    kept = first.fewer(labels, np.arange(5_060), 3, 1_000, 0)
    assert np.bincount(labels[kept]).tolist() == [791, 198, 50]
