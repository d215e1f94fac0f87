"""How right classifiers are counted: the deciding measure, paired gains, the accuracies of a document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method import statistics
from gmaug_core.method.verdict.curve import image_weights, tail_classes
from gmaug_core.method.verdict.figures import Accuracies, Figure, MeasureKey

IMBALANCED = 2.0  # largest over smallest class from which balanced accuracy decides

Right = NDArray[np.bool_]  # [seeds, images]: whether each seed's classifier is right


@dataclass(frozen=True)
class Counting:
    """Validation images and what each counts for. labels: int64 [n]; counts: int64 [classes], of training."""

    labels: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def ratio(self) -> float:
        """Largest over smallest training class."""
        return float(self.counts.max() / max(self.counts.min(), 1))

    @property
    def measure(self) -> MeasureKey:
        """The deciding one."""
        return "balanced_accuracy" if self.ratio >= IMBALANCED else "accuracy"

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each image counts for in the deciding measure: float [n], sums to 1."""
        if self.measure == "accuracy":
            return np.full(len(self.labels), 1 / len(self.labels))
        return image_weights(self.labels)

    def value(self, right: Right) -> float:
        """The deciding measure, mean over seeds, 0 ... 1."""
        return float((right @ self.weights).mean())

    def accuracies(self, right: Right) -> Accuracies:
        """All three, mean over seeds."""
        each = right.mean(axis=0)
        return Accuracies(
            accuracy=float(each.mean()),
            balanced_accuracy=float(each @ image_weights(self.labels)),
            tail_accuracy=float(each @ image_weights(self.labels, tail_classes(self.counts))),
        )

    def differences(self, better: Right, control: Right) -> NDArray[np.float64]:
        """Paired differences in percentage points: [seeds, images], their mean is the gain."""
        scale = 100 * len(self.labels) * self.weights
        return (better.astype(np.float64) - control) * scale

    def gain(self, better: Right, control: Right) -> Figure:
        """Of one way of training over another, the same seeds, in percentage points."""
        scale = 100 * len(self.labels) * self.weights
        found = statistics.difference(better * scale, control * scale)
        return Figure(value=found.mean, low=found.low, high=found.high)


def disagreement(right: Right) -> float:
    """Share of images on which two seeds disagree in being right, mean over all pairs; 0 for one seed."""
    seeds = len(right)
    if seeds < 2:
        return 0.0
    p = right.mean(axis=0)
    return float((2 * p * (1 - p)).mean() * seeds / (seeds - 1))
