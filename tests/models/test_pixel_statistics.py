"""Real against synthetic in pixels: a faint checkerboard is seen, real against real is not."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.models.pixel_statistics import pixel_auc, statistics


def pictures(n, seed, colour=False):
    rng = np.random.default_rng(seed)
    coarse = rng.normal(128, 40, (n, 4, 4))
    smooth = np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2) + rng.normal(0, 6, (n, 16, 16))
    smooth = np.stack([smooth] * 3, axis=3) if colour else smooth
    return np.clip(smooth, 0, 255).astype(np.uint8), np.arange(n) % 3


@pytest.mark.parametrize("colour", [False, True])
def test_a_checkerboard_of_three_grey_levels_is_seen_and_real_against_real_is_not(colour):
    real, (others, labels) = pictures(240, 1, colour), pictures(240, 2, colour)
    auc, n = pixel_auc(real, (others, labels), 0)
    assert n == 240
    assert 0.4 < auc < 0.6
    board = 3 * (np.indices((16, 16)).sum(axis=0) % 2)
    marked = np.clip(others + (board[..., None] if colour else board), 0, 255).astype(np.uint8)
    assert pixel_auc(real, (marked, labels), 0)[0] > 0.97


def test_another_mix_of_classes_is_not_told_apart():
    images, labels = pictures(300, 3)
    bright = np.where((labels == 0)[:, None, None], np.minimum(images, 155) + 100, images).astype(np.uint8)
    real = bright[:150], labels[:150]
    rare = np.flatnonzero((labels[150:] == 0) | (np.arange(150) % 5 == 0)) + 150  # mostly the bright class
    assert 0.3 < pixel_auc(real, (bright[rare], labels[rare]), 0)[0] < 0.7
    assert pixel_auc(real, (bright[:4], labels[:4]), 0) is None
    assert np.isfinite(statistics(np.zeros((2, 8, 8), np.uint8))).all()
