"""Learning curves of real images: which images each point has, what continues them, and how far one may go.

Two forms are fitted: an offset power law a - b g^-c (2207.01725), and a continuous piecewise line in log g
(2303.01598: a plain power law over-estimates at few images). g is the growth: the varied images as a multiple
of those that there are. A projection's interval covers seeds, validation images, the choice of the form, and
that the images there are, and those to come, are one draw each. Fitted to half of the training images,
28 of 30 intervals held for what all of them added on test images, and 32 of 33 upper ends
(benchmarks/verdicts.py, results/verdict_ceiling.json); without the draw 19 of 23 held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.verdict.figures import Figure, Fit
from gmaug_core.seeds import derive

Of = Literal["everything", "rare"]
POWERS = np.array([0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4])  # c of the power law: beyond lies no learning curve
RESAMPLES = 400
WIDEST = 20.0  # percentage points: an interval wider than this is not a projection
REACH = 1.25  # at most this multiple of the measured range, in log growth

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def tail_classes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The third of the classes with the fewest training images, at least one; ties by position."""
    return np.sort(np.argsort(counts, kind="stable")[: max(1, round(len(counts) / 3))])


def image_weights(labels: Labels, classes: NDArray[np.int64] | None = None) -> Floats:
    """What each image counts for in the mean recall of `classes` (default: all); they sum to 1.

    Classes without an image are left out; all 0 where none of them has one.
    """
    counts = np.bincount(labels)
    asked = np.flatnonzero(counts) if classes is None else classes[classes < len(counts)]
    present = asked[counts[asked] > 0]
    weights = np.isin(labels, present) / counts[labels]
    return np.asarray(weights / max(len(present), 1), np.float64)


def sizes(counts: NDArray[np.int64], growth: float, of: Of) -> NDArray[np.int64]:
    """Images a class at a growth of at most 1: at least one of each. rare: the largest classes keep all."""
    cut = np.maximum(np.rint(counts * growth), 1).astype(np.int64)
    return cut if of == "everything" else np.where(counts < counts.max(), cut, counts)


def subset(labels: Labels, wanted: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """`wanted` random images of each class, ascending positions; smaller wants are parts of larger ones."""
    rng = np.random.default_rng(derive("verdict subset", seed))
    picked = []
    for label, n in enumerate(wanted):
        picked.append(rng.permutation(np.flatnonzero(labels == label))[:n])
    return np.sort(np.concatenate(picked))


def growth_to(counts: NDArray[np.int64], target: NDArray[np.int64]) -> float:
    """Geometric mean over the classes that grow of target / counts; 1 where none does."""
    short = target > counts
    return float(np.exp(np.log(target[short] / counts[short]).mean())) if short.any() else 1.0


@dataclass(frozen=True)
class Points:
    """A learning curve as measured. growth: ascending, the last one 1; correct: bool [points][seeds, images],
    whether each seed's classifier is right; labels: int [images]; weights: what each image counts for."""

    growth: tuple[float, ...]
    correct: tuple[NDArray[np.bool_], ...]
    labels: Labels
    weights: Floats

    @property
    def means(self) -> Floats:
        """The measure at each point, mean over seeds, in percentage points."""
        return np.array([100 * (c @ self.weights).mean() for c in self.correct])

    def resampled(self, resamples: int, *, seed: int) -> Floats:
        """[resamples, points]: the same with seeds and images drawn again, images within their class."""
        rng = np.random.default_rng(derive("verdict bootstrap", seed))
        counted = np.zeros((resamples, len(self.labels)))
        for label in np.unique(self.labels):
            members = np.flatnonzero(self.labels == label)
            counted[:, members] = rng.multinomial(
                len(members), np.full(len(members), 1 / len(members)), size=resamples
            )
        weights = counted * self.weights
        found = np.empty((resamples, len(self.growth)))
        for point, correct in enumerate(self.correct):
            seeds = len(correct)
            values = weights @ correct.T.astype(np.float64)  # [resamples, seeds]
            picked = rng.integers(0, seeds, (resamples, seeds))
            means = np.take_along_axis(values, picked, axis=1).mean(axis=1)
            # a bootstrap of s values has (s - 1) / s of their variance
            middle = values.mean(axis=1)
            found[:, point] = middle + (means - middle) * (seeds / max(seeds - 1, 1)) ** 0.5
        return 100 * found

    @property
    def draw_variance(self) -> float:
        """Variance of the measure over draws of as many images as there are, in squared percentage points.

        Each seed of a point below 1 has a subset of its own. Of a statistic that is a mean over its n images,
        the variance over draws falls as 1 / n; over subsets of share g of one set it is (1 - g) / g times
        that of the whole set (finite population), and the seeds' own, which growth 1 shows, comes on top.
        Pooled over the points by their degrees of freedom; 0 where no point has two seeds.
        """
        own = self._over_seeds(self.correct[-1])
        found, freedom = 0.0, 0
        for growth, correct in zip(self.growth[:-1], self.correct[:-1], strict=True):
            degrees = len(correct) - 1
            found += degrees * (self._over_seeds(correct) - own) * growth / (1 - growth)
            freedom += max(degrees, 0)
        return max(found / freedom, 0.0) if freedom else 0.0

    def _over_seeds(self, correct: NDArray[np.bool_]) -> float:
        """Variance over seeds, in squared percentage points."""
        return float(np.var(100 * (correct @ self.weights), ddof=1)) if len(correct) > 1 else 0.0


@dataclass(frozen=True)
class PowerLaw:
    """level - scale growth^-power, one curve a row. level, scale, power: float [m]; scale is never below
    0."""

    level: Floats
    scale: Floats
    power: Floats

    def at(self, growth: Floats) -> Floats:
        """Its values at growth > 0: float [n] for all rows alike, or [m, n]; [m, n]."""
        return np.asarray(
            self.level[:, None] - self.scale[:, None] * growth ** -self.power[:, None], np.float64
        )


def offset_power_law(growth: Sequence[float], values: Floats) -> PowerLaw:
    """Least squares over POWERS. values: [m, points], rising or not."""
    g = np.asarray(growth, float)
    best = np.full(len(values), np.inf)
    level, scale, powers = values.mean(axis=1), np.zeros(len(values)), np.full(len(values), POWERS[0])
    for power in POWERS:
        shape = g**-power
        centred = shape - shape.mean()
        b = np.maximum(-(values @ centred) / (centred @ centred), 0)
        curve = values.mean(axis=1, keepdims=True) - b[:, None] * centred
        error = ((values - curve) ** 2).sum(axis=1)
        better = error < best - 1e-12
        best[better] = error[better]
        level[better] = (values.mean(axis=1) + b * shape.mean())[better]
        scale[better] = b[better]
        powers[better] = power
    return PowerLaw(level, scale, powers)


def power_law(growth: Sequence[float], values: Floats, at: float) -> tuple[Floats, Floats]:
    """What an offset power law adds at growth `at`, and its fitted values: ([m], [m, points])."""
    law = offset_power_law(growth, values)
    found = law.at(np.array([1.0, at]))
    return found[:, 1] - found[:, 0], law.at(np.asarray(growth, float))


def piecewise_line(growth: Sequence[float], values: Floats, at: float) -> tuple[Floats, Floats]:
    """The same for a continuous line in log growth that bends once, at the second point from the end but one,
    and goes on with its last slope. Fewer than four points: one straight line."""
    x = np.log(np.asarray(growth, float))
    columns = [np.ones_like(x), x]
    if len(x) >= 4:
        columns.append(np.maximum(x - x[-3], 0))
    design = np.stack(columns, axis=1)
    solved = values @ np.linalg.pinv(design).T  # [m, columns]
    slope = solved[:, 1:].sum(axis=1)
    return slope * np.log(at), solved @ design.T


def fits(points: Points) -> tuple[Fit, ...]:
    """Both forms on the points as measured, the worse one last."""
    values = points.means[None]
    found = []
    for form, function in (("offset power law", power_law), ("piecewise linear in log n", piecewise_line)):
        gain, fitted = function(points.growth, values, 2.0)
        error = float(np.sqrt(((values - fitted) ** 2).mean()))
        found.append(Fit.model_validate({"form": form, "error": error, "twice": float(gain[0])}))
    return tuple(sorted(found, key=lambda fit: fit.error))


@dataclass(frozen=True)
class Projected:
    """gain: in percentage points over growth 1, None where refused, with the reason; at_most: its upper end
    in either case."""

    gain: Figure | None
    refused: str | None
    at_most: float | None


def drawn(points: Points, at: float, *, seed: int) -> Floats:
    """[2 * RESAMPLES] what the draw of the images that make `at` times as many changes, in percentage points:
    of a mean over images the difference to those that there are has 1 - 1 / at of the variance over draws."""
    deviation = (points.draw_variance * (1 - 1 / at)) ** 0.5
    rng = np.random.default_rng(derive("verdict draws", seed))
    return np.asarray(deviation * rng.standard_normal(2 * RESAMPLES), np.float64)


def project(points: Points, at: float, *, seed: int = 0) -> Projected:
    """What the curve says of growth `at` >= 1.

    Half of the resamples follow the power law, half the line; to each comes what the draw of the new images
    changes. Refused where the curve does not rise over its
    points, where `at` is further (in log growth) than REACH times the measured range, or where the interval
    is wider than WIDEST.
    """
    if at <= 1:
        return Projected(Figure(value=0.0, low=0.0, high=0.0), None, 0.0)
    resampled = points.resampled(RESAMPLES, seed=seed)
    room = np.tile(100 - resampled[:, -1], 2)  # no accuracy is above 100 %
    by_power, by_line = (
        power_law(points.growth, resampled, at)[0],
        piecewise_line(points.growth, resampled, at)[0],
    )
    gains = np.minimum(np.concatenate([by_power, by_line]) + drawn(points, at, seed=seed), room)
    low, middle, high = (float(each) for each in np.quantile(gains, (0.025, 0.5, 0.975)))
    at_most = max(high, 0.0)
    measured = resampled[:, -1] - resampled[:, 0]
    if len(points.growth) < 3:
        return Projected(None, "it has fewer than three points", at_most)
    if np.quantile(measured, 0.025) <= 0:
        return Projected(None, "it does not rise over the amounts that were measured", at_most)
    if np.log(at) > REACH * -np.log(points.growth[0]):
        return Projected(
            None,
            f"{at:.1f} times as many is further than it was measured "
            f"(from {points.growth[0]:.3g} of the images on)",
            at_most,
        )
    if high - low > WIDEST:
        return Projected(None, f"its interval would be {high - low:.0f} points wide", at_most)
    return Projected(Figure(value=middle, low=low, high=high), None, at_most)
