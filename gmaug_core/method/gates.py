"""What an accepted image must pass beside the judge's rule: each gate gives a reason of its own. Numpy alone.

copy: nearer in pixels to a training image than real images are that nobody trained on. A mirrored copy is
none: generators that train with mirroring draw such images rightly.
outlier: farther from its class, in the judge's features, than real images of the class are.
told_apart: what statistics of pixels tell from real images of the class (method.told_apart).
repeat: nearer to an earlier accepted image of its class than real images of a class are to each other
(method.twins).

All bounds come from the real validation images: `share` of them pass each gate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.selection import Gate
from gmaug_core.data.views import Images

COPY, OUTLIER = "nearly a copy of a training image", "far from its class"
TOLD_APART, REPEAT = "told from real images by its pixels", "nearly repeats an accepted image"
SIDE = 32  # pixels: larger images are compared as means of blocks
BLOCK = 512  # images compared at a time
LEAST_REAL = 10  # validation images of a class, below which all classes share one bound
Floats = NDArray[np.float64]


class Embeds(Protocol):
    """A judge, as far as gates ask it."""

    def features(self, images: Images) -> NDArray[np.float32]:
        """Float [n, d]."""


@dataclass(frozen=True)
class Distances:
    """One entry an image.

    real: root mean square difference in grey levels to the nearest training image; own: to the centre of its
    class in the judge's features, as a share of what is allowed there.
    """

    real: Floats
    own: Floats


@dataclass(frozen=True)
class Gates:
    """The gates of one judge.

    real: float32 [n, p], pixels of the training images; nearest: the least distance to one of them that is
    allowed; centres: float [classes, d]; farthest: float [classes], the largest distance to the own centre.
    """

    names: tuple[Gate, ...]
    judge: Embeds
    real: NDArray[np.float32]
    nearest: float
    centres: Floats
    farthest: Floats

    @classmethod
    def of(
        cls,
        names: Sequence[Gate],
        judge: Embeds,
        train: tuple[Images, NDArray[np.int64]],
        val: tuple[Images, NDArray[np.int64]],
        *,
        share: float,
        classes: int,
    ) -> Gates:
        """train, val: real images and their labels; share: of the validation images that pass each gate."""
        real, (images, labels) = pixels(train[0]), val
        nearest = float(np.quantile(to_nearest(pixels(images), real), 1 - share))
        features = np.asarray(judge.features(train[0]), np.float64)
        counts = np.maximum(np.bincount(train[1], minlength=classes), 1)
        centres = np.zeros((classes, features.shape[1]))
        np.add.at(centres, train[1], features)
        centres /= counts[:, None]
        apart = np.linalg.norm(np.asarray(judge.features(images), np.float64) - centres[labels], axis=1)
        farthest = np.full(classes, np.quantile(apart, share))
        for label in range(classes):
            if (labels == label).sum() >= LEAST_REAL:
                farthest[label] = np.quantile(apart[labels == label], share)
        return cls(tuple(names), judge, real, nearest, centres, farthest)

    def distances(self, images: Images, labels: NDArray[np.int64]) -> Distances:
        """Of images uint8 [n, h, w] or [n, h, w, 3], labels int [n]."""
        apart = np.asarray(self.judge.features(images), np.float64) - self.centres[labels]
        allowed = np.maximum(self.farthest[labels], np.finfo(float).tiny)
        return Distances(to_nearest(pixels(images), self.real), np.linalg.norm(apart, axis=1) / allowed)

    def reasons(self, found: Distances) -> NDArray[np.str_]:
        """Why an image is turned away, [n]; empty where it passes."""
        said = np.full(len(found.real), "", dtype=f"<U{max(len(COPY), len(OUTLIER))}")
        if "outlier" in self.names:
            said[found.own > 1] = OUTLIER
        if "copy" in self.names:  # an equal image is a copy even where the real images hold equal ones
            said[(found.real < self.nearest) | (found.real == 0)] = COPY
        return said


def pixels(images: Images) -> NDArray[np.float32]:
    """Float32 [n, p], grey levels: of square images, those above SIDE as means of blocks."""
    whole = np.asarray(images[np.arange(len(images))], np.float32)
    step = max(1, whole.shape[1] // SIDE)
    side = whole.shape[1] // step
    cut = whole[:, : side * step, : side * step].reshape(len(whole), side, step, side, step, *whole.shape[3:])
    means = cut.mean(axis=(2, 4), dtype=np.float32)
    return np.asarray(means.reshape(len(whole), math.prod(means.shape[1:])), np.float32)


def to_nearest(x: NDArray[np.float32], real: NDArray[np.float32]) -> Floats:
    """Root mean square difference of each row of x, float [n, p], to the nearest row of `real`: float [n]."""
    found = np.empty(len(x))
    norms = (real**2).sum(axis=1, dtype=np.float64)
    for first in range(0, len(x), BLOCK):
        part = x[first : first + BLOCK]
        squares = norms[None] - 2 * (part @ real.T)
        best = real[squares.argmin(axis=1)]  # exactly: the difference of large squares would not be 0
        found[first : first + BLOCK] = np.sqrt(((part - best) ** 2).mean(axis=1, dtype=np.float64))
    return found
