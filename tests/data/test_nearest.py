"""A sample that copies a training image shows at distance zero."""

from __future__ import annotations

import numpy as np

from gmaug_core.data import dataset
from gmaug_core.data import nearest as nearest_module
from gmaug_core.data.nearest import nearest


def test_the_nearest_real_image_is_a_training_image_and_itself_at_distance_zero(demo):
    data = dataset.load(demo)
    images = data.images("16-grey")
    train = data.split("train")
    label = int(data.labels[train[5]])
    found = nearest(images[train[5]], images, train, data.labels, label, most=4)
    assert found[0] == (int(train[5]), 0.0)
    assert [distance for _, distance in found] == sorted(distance for _, distance in found)
    assert all(index in set(train) for index, _ in found)
    assert nearest(images[0][:8, :8], images, train, data.labels, 0, most=4) == []


def test_beyond_the_limit_only_the_own_class_is_compared(monkeypatch):
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1)
    labels = np.array([0, 1, 0, 1, 0, 1])
    everyone = np.arange(6)
    assert [index for index, _ in nearest(images[2], images, everyone, labels, 0, most=3)] == [2, 1, 3]
    monkeypatch.setattr(nearest_module, "LIMIT", 5)
    assert nearest(images[2], images, everyone, labels, 0, most=2) == [(2, 0.0), (0, 2.0)]
