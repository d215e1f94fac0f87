"""Which real images a synthetic one is most like: a copy of a training image shows here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIMIT = 60_000_000  # pixel values to compare with; beyond this only those of the same class


def nearest(
    pixels: NDArray[np.uint8],
    images: NDArray[np.uint8],
    index: NDArray[np.int64],
    labels: NDArray[np.int64],
    label: int,
    *,
    most: int,
) -> list[tuple[int, float]]:
    """(index, root mean square difference in grey levels) of the images most like `pixels`, nearest first.

    images: uint8 [n, h, w] or [n, h, w, 3], of which those at `index` are compared and `most` at most
    returned; with more than LIMIT pixel values only those of `label`. Empty when `pixels` has another shape.
    """
    if images.shape[1:] != pixels.shape:
        return []
    if len(index) * pixels.size > LIMIT:
        index = index[labels[index] == label]
    real = images[index].reshape(len(index), -1).astype(np.float32)
    difference = real - pixels.reshape(1, -1).astype(np.float32)
    distance = np.sqrt(np.einsum("ij,ij->i", difference, difference) / pixels.size)
    best = np.argsort(distance, kind="stable")[:most]
    return [(int(index[k]), float(distance[k])) for k in best]
