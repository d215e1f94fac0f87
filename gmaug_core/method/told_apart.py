"""A gate: images that statistics of their pixels tell from real images of their class.

A logistic regression learns it from real training images and as many synthetic ones of each class, drawn
beforehand for this alone; its bounds come from real validation images, `share` of which pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.views import Images
from gmaug_core.method.gates import LEAST_REAL, Floats
from gmaug_core.models.pixel_statistics import statistics

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PILOT = 256  # synthetic images that it learns from, together
LEAST = 10  # of either kind, below which it says nothing
Labelled = tuple[Images, NDArray[np.int64]]


def pilot_counts(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Images of each class to learn from, int [classes]: of all that are wanted alike. wanted: int
    [classes]."""
    short = int((wanted > 0).sum())
    return np.where(wanted > 0, -(-PILOT // max(short, 1)), 0)


@dataclass(frozen=True)
class ToldApart:
    """model: of pixel statistics; limits: float [classes], log odds of being synthetic that are allowed."""

    model: Pipeline
    limits: Floats

    @classmethod
    def of(
        cls, train: Labelled, val: Labelled, pilot: Labelled, *, share: float, classes: int
    ) -> ToldApart | None:
        """train, val, pilot: images and labels; None where there are too few to say anything."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        rows = [_first(train[1], pilot[1], label) for label in range(classes)]
        real, made = (np.concatenate(each) for each in zip(*rows, strict=True))
        if len(real) < LEAST:
            return None
        given = np.concatenate([statistics(train[0][real]), statistics(pilot[0][made])])
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        model.fit(given, np.repeat([0, 1], len(real)))
        odds = model.decision_function(statistics(val[0]))
        limits = np.full(classes, np.quantile(odds, share))
        for label in range(classes):
            own = odds[val[1] == label]
            if len(own) >= LEAST_REAL:
                limits[label] = np.quantile(own, share)
        return cls(model, limits)

    def margins(self, images: Images, labels: NDArray[np.int64]) -> Floats:
        """Log odds above what is allowed, float [n]: above 0 an image is turned away."""
        odds = self.model.decision_function(statistics(images))
        return np.asarray(odds - self.limits[labels], np.float64)


def _first(
    real: NDArray[np.int64], made: NDArray[np.int64], label: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As many rows of either kind of a class."""
    own, other = np.flatnonzero(real == label), np.flatnonzero(made == label)
    n = min(len(own), len(other))
    return own[:n], other[:n]
