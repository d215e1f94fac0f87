"""What several tests of models look at."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bar_images() -> tuple[np.ndarray, np.ndarray]:
    """Three classes that a small network can tell apart: a bright horizontal, vertical or diagonal bar in
    noise.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 240)
    images = rng.integers(0, 60, (240, 16, 16)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(5, 11)
        if label == 0:
            image[place] = 255
        elif label == 1:
            image[:, place] = 255
        else:
            np.fill_diagonal(image, 255)
    return images, labels
