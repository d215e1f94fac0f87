"""Images that nearly repeat an earlier one of their class, and images of the parts that are held out. Numpy
alone: differences of pixels, whatever a judge says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.samples import HELD_OUT, TEST_IMAGE, VALIDATION_IMAGE
from gmaug_core.data.views import Images, View
from gmaug_core.method.gates import LEAST_REAL, Floats, pixels, to_nearest

MOST_COMPARED = 2000  # real images of a class, evenly spread, whose distances to each other are looked at
TAIL = 50  # of the smallest distances, that say how fast even smaller ones become rare
CHUNK = 2048  # images whose pixels are in memory at a time
# grey levels: a JPEG of quality 75 of the original moves photographs by 2 to 6 (median of four sets, at most
# 8); no two of 700 of a set are nearer than 24
SAME = 8.0


def bounds(
    train: tuple[Images, NDArray[np.int64]],
    val: tuple[Images, NDArray[np.int64]],
    asked: NDArray[np.int64],
    *,
    share: float,
) -> Floats:
    """How near another image of its class may not come, a class each: float [classes], grey levels.

    train, val: real images and their labels; asked: int [classes], images that are drawn for. So near that of
    this share of new real images none among `asked` others of their class is nearer: from all distances
    between validation and training images of a class. A class with fewer than LEAST_REAL validation images
    has the bound of all classes together.
    """
    apart = [_between(train, val, label) for label in range(len(asked))]
    enough = np.bincount(val[1], minlength=len(asked)) >= LEAST_REAL
    together = np.concatenate(apart)
    return np.array(
        [
            smallest(own if good else together, (1 - share) / max(int(n), 1))
            for own, good, n in zip(apart, enough, asked, strict=True)
        ]
    )


def _between(
    train: tuple[Images, NDArray[np.int64]], val: tuple[Images, NDArray[np.int64]], label: int
) -> Floats:
    """Root mean square differences of all pairs of a class, one image of either part: float [pairs]."""
    here, there = (_some(images, labels == label) for images, labels in (val, train))
    if not len(here) or not len(there):
        return np.zeros(0)
    squares = (here**2).sum(axis=1)[:, None] + (there**2).sum(axis=1)[None] - 2 * (here @ there.T)
    return np.asarray(np.sqrt(np.maximum(squares, 0) / here.shape[1]).ravel(), np.float64)


def _some(images: Images, own: NDArray[np.bool_]) -> NDArray[np.float32]:
    rows = np.flatnonzero(own)
    chosen = rows[:: max(1, -(-len(rows) // MOST_COMPARED))]
    return pixels_of(images, chosen)


def pixels_of(images: Images, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """As gates.pixels, of some of the images."""
    return pixels(View([np.asarray(images[rows])], np.arange(len(rows))))


def smallest(distances: Floats, probability: float) -> float:
    """The distance that a pair falls below with this probability.

    Where that is rarer than the pairs that there are, by the power law of the smallest ones (Hill 1975), as
    distances in d dimensions have. 0 without pairs.
    """
    pairs = np.sort(distances)
    expected = probability * len(pairs)
    tail = min(TAIL, len(pairs) // 20)
    if tail < 2 or expected >= tail:
        return float(np.quantile(pairs, probability)) if len(pairs) else 0.0
    least = np.maximum(pairs[:tail], np.finfo(float).tiny)
    rate = float(np.log(least[-1] / least[:-1]).mean())  # one over the dimension
    return float(least[-1] * (expected / tail) ** rate)


class Twins:
    """The first images of their kind among those drawn in a step; every other one nearly repeats one of them.

    An image's twin depends on the images before it alone: neither on a judge nor on the size of a batch.
    """

    def __init__(self, bounds: Floats) -> None:
        """bounds: float [classes], as `bounds` gives them."""
        self._bounds = bounds
        self._first: list[list[int]] = [[] for _ in bounds]  # rows of the step

    def known(self, rows: NDArray[np.int64], labels: NDArray[np.int64], twins: NDArray[np.int64]) -> None:
        """Take up the images that an earlier process drew: rows, labels, twins: int [n], twins as rows."""
        for row, label in zip(rows[twins == rows].tolist(), labels[twins == rows].tolist(), strict=True):
            self._first[label].append(row)

    def of(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64], before: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        """The row of each image's twin, int [n]; its own where it is the first of its kind.

        images: uint8 [n, h, w] or [n, h, w, 3], the next ones drawn; before: those of the step until now.
        """
        found = len(before) + np.arange(len(images))
        for label in np.unique(labels):
            mine, first = np.flatnonzero(labels == label), self._first[label]
            own = pixels_of(images, mine)
            nearest, twin = self._nearest(own, np.array(first, np.int64), before)
            fresh, new = np.empty_like(own), list[int]()
            for k, row in enumerate(mine.tolist()):
                near, which = nearest[k], twin[k]
                if new:
                    apart = np.sqrt(((fresh[: len(new)] - own[k]) ** 2).mean(axis=1, dtype=np.float64))
                    best = int(apart.argmin())
                    if apart[best] < near:
                        near, which = float(apart[best]), new[best]
                if near < self._bounds[label] or near == 0:
                    found[row] = which
                else:
                    fresh[len(new)] = own[k]
                    new.append(len(before) + row)
            first += new
        return found

    @staticmethod
    def _nearest(
        own: NDArray[np.float32], first: NDArray[np.int64], before: NDArray[np.uint8]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Distance to the nearest first image, and its row."""
        near, which = np.full(len(own), np.inf), np.full(len(own), -1)
        for start in range(0, len(first), CHUNK):
            rows = first[start : start + CHUNK]
            there = pixels_of(before, rows)
            squares = (there**2).sum(axis=1, dtype=np.float64)[None] - 2 * (own @ there.T)
            best = squares.argmin(axis=1)
            apart = np.sqrt(((own - there[best]) ** 2).mean(axis=1, dtype=np.float64))
            better = apart < near
            near[better], which[better] = apart[better], rows[best[better]]
        return near, which


class HeldOut:
    """The images of the parts that nothing may be trained on, to be found among images made elsewhere.

    Nothing but that is done with them: the same picture at the size of the run, also when it was stored again
    with losses. A part of one, or a mirrored one, is not found.
    """

    def __init__(self, val: Images, test: Images, train: Images) -> None:
        """train: pictures that are others: half as near as the nearest of these to validation images an image
        must be, where that is nearer than SAME."""
        usual = float(np.quantile(to_nearest(pixels(val), pixels(train)), 0.01))
        self._near = min(SAME, usual / 2)
        self._parts = {VALIDATION_IMAGE: pixels(val), TEST_IMAGE: pixels(test)}
        assert tuple(self._parts) == HELD_OUT

    def reasons(self, images: NDArray[np.uint8]) -> NDArray[np.str_]:
        """Of which part an image is, [n]; empty where it is of none."""
        own = pixels(images)
        said = np.full(len(own), "", dtype=f"<U{max(map(len, HELD_OUT))}")
        for name, real in self._parts.items():
            if len(real):
                apart = to_nearest(own, real)
                said[(apart < self._near) | (apart == 0)] = name
        return said
