"""Statistics of the comparison: what a run measured of every variant, with intervals that cover seeds and
test images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmaug_core.method.result import Gain, Measure, VariantResult

if TYPE_CHECKING:
    from gmaug_core.models.classifiers import Evaluation


def interval(
    mean: float, seed_variance: float, seeds: int, image_variance: float, images: int
) -> tuple[float, float]:
    """95 % interval from two independent sources, seeds and the finite test split (Welch-Satterthwaite).

    seed_variance: of one seed's value; image_variance: of one test image's contribution.
    """
    a = seed_variance / seeds if seeds > 1 else 0.0
    b = image_variance / images
    total = a + b
    if total <= 0:
        return mean, mean
    degrees = total**2 / ((a**2 / (seeds - 1) if seeds > 1 else 0.0) + b**2 / max(images - 1, 1))
    half = float(stats.t.ppf(0.975, degrees)) * total**0.5
    return mean - half, mean + half


def mean_with_interval(
    values: Sequence[float], contributions: NDArray[np.float64]
) -> tuple[float, float, float]:
    """(mean, low, high) over seeds and images. values: one a seed; contributions: [seeds, images], whose mean
    over images is the value."""
    mean = float(np.mean(values))
    seed_variance = float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
    image_variance = float(np.var(contributions.mean(axis=0), ddof=1))
    return mean, *interval(mean, seed_variance, len(values), image_variance, contributions.shape[1])


def share(values: Sequence[float], contributions: NDArray[np.float64]) -> Measure:
    """The mean of values in 0 ... 1, its interval no wider than that."""
    mean, low, high = mean_with_interval(values, contributions)
    return Measure(
        mean=mean,
        ci_low=max(low, 0.0),
        ci_high=min(high, 1.0),
        values=tuple(map(float, values)),
        n=contributions.shape[1],
    )


def summary(label: str, evaluations: Sequence[Evaluation], labels: NDArray[np.int64]) -> VariantResult:
    """Accuracy and balanced accuracy over seeds. labels: int [images], of the test split."""
    correct = np.array([e.correct for e in evaluations], float)
    # balanced accuracy is the mean of correct * w with w = images / (classes * images of the class)
    n = evaluations[0].n
    weight = len(labels) / ((n > 0).sum() * n[labels])
    return VariantResult(
        label=label,
        accuracy=share([e.accuracy for e in evaluations], correct),
        balanced_accuracy=share([e.balanced_accuracy for e in evaluations], correct * weight),
    )


def relative_gain(augmented: Sequence[Evaluation], control: Sequence[Evaluation], name: str) -> Gain:
    """(augmented - control) / control in percent, paired by seed and test image.

    The control's accuracy is taken as known in the denominator (first-order delta method: the ratio's own
    error is small beside the difference's). name: the control's key.
    """
    a, c = np.array([e.correct for e in augmented], float), np.array([e.correct for e in control], float)
    base = float(c.mean())
    if base == 0:
        return Gain(value=None, ci_low=None, ci_high=None, values=(), n_seeds=len(a), control=name)
    ratio = 100 / base
    values = ((a - c).mean(axis=1) * ratio).tolist()
    mean, low, high = mean_with_interval(values, (a - c) * ratio)
    return Gain(
        value=mean,
        ci_low=low,
        ci_high=high,
        values=tuple(values),
        n=a.shape[1],
        n_seeds=len(a),
        control=name,
    )
