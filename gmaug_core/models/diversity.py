"""How varied the images of each class are: mean pairwise distances, synthetic over real. Pure numpy and
scipy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from gmaug_core.data.views import Images

MOST = 200  # images of a class that are compared with each other: more change the mean by less than it means


def class_spread(
    points: NDArray[np.generic] | Images, labels: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Mean Euclidean distance between two images of a class [n_classes]; NaN where a class has fewer than
    two.

    points: [n, ...], features or pixels, flattened here; labels: int [n]. The first MOST images of a class
    count.
    """
    found = np.full(n_classes, np.nan)
    for label in np.unique(labels):
        mine = points[np.flatnonzero(labels == label)[:MOST]]
        if len(mine) >= 2:
            found[label] = pdist(mine.reshape(len(mine), -1).astype(np.float64)).mean()
    return found


def relative_spread(synthetic: NDArray[np.float64], real: NDArray[np.float64]) -> NDArray[np.float64]:
    """synthetic / real [n_classes]: 1 as varied as real images, 0 all alike; NaN where either is unknown or
    real ones are all alike.
    """
    ratio: NDArray[np.float64] = np.full(len(real), np.nan)
    np.divide(synthetic, real, out=ratio, where=np.nan_to_num(real) > 0)
    return ratio
