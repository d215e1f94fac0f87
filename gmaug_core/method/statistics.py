"""Statistics of the comparison: intervals of shares, differences and ratios that cover seeds, the finite test
split and, where there are several, generators. How often they cover is measured by benchmarks/intervals.py.

Everything below is about arrays of what each test image contributes, whose mean is the value; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy import special

LEVEL = 0.95
LEAST_VARIANTS = 3  # trained with the same seeds, from which on they share one estimate of what a seed does
PRIOR = 2.0  # images' worth of the mean recall that a class's variance is drawn to: 7 of 7 is no certainty

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """The variance of a mean, and on how many degrees of freedom its estimate rests."""

    variance: float
    degrees: float

    def quantile(self) -> float:
        """Of Student's t, two-sided 95 %."""
        return float(special.stdtrit(max(self.degrees, 1.0), (1 + LEVEL) / 2))

    def interval(self, mean: float) -> Interval:
        """mean +- the quantile's worth of standard errors."""
        half = self.quantile() * self.variance**0.5 if self.variance > 0 else 0.0
        return Interval(mean, mean - half, mean + half)


@dataclass(frozen=True)
class SeedVariance:
    """What one more seed changes, estimated from all variants that were trained with the same seeds.

    own: variance of one variant's accuracy beside what the seed does to all of them; shared: of that part;
    degrees: of `own`.
    """

    own: float
    shared: float
    degrees: int

    def of(self, factor: float) -> float:
        """Variance over seeds of a - factor * c, of two of these variants."""
        return self.own * (1 + factor**2) + self.shared * (1 - factor) ** 2


def seed_variance(accuracies: Floats) -> SeedVariance | None:
    """From accuracies float [variants, seeds], variants by seeds without replication (two-way analysis of
    variance); None with fewer than two seeds or LEAST_VARIANTS variants.

    A run's variants share seeds, so they share the noise: 5 variants of 3 seeds give 8 degrees of freedom
    where a pair alone gives 2, and a t quantile of 2.3 instead of 4.3.
    """
    variants, seeds = accuracies.shape
    if seeds < 2 or variants < LEAST_VARIANTS:
        return None
    of_seed = accuracies.mean(axis=0)
    residual = accuracies - accuracies.mean(axis=1, keepdims=True) - of_seed + accuracies.mean()
    degrees = (variants - 1) * (seeds - 1)
    own = float((residual**2).sum()) / degrees
    return SeedVariance(own, max(float(np.var(of_seed, ddof=1)) - own / variants, 0.0), degrees)


def spread(contributions: Floats, *, seeds: tuple[float, int] | None = None) -> Spread:
    """Of the mean of contributions, float [generators, seeds, images] or [seeds, images] (crossed: the same
    seeds and images with every generator).

    Sums the variances of the means over each factor (Welch-Satterthwaite), less what the interaction of seeds
    and images, which is in both, is counted twice; a factor with one level adds nothing, and is not covered.
    seeds: the variance of one seed's mean and its degrees of freedom, where a pooled estimate is known.
    """
    grid = contributions if contributions.ndim == 3 else contributions[None]
    generators, n_seeds, images = grid.shape
    terms: list[tuple[float, float]] = []
    if generators > 1:
        terms.append((float(np.var(grid.mean(axis=(1, 2)), ddof=1)) / generators, generators - 1))
    if n_seeds > 1:
        own = (float(np.var(grid.mean(axis=(0, 2)), ddof=1)), n_seeds - 1)
        variance, degrees = seeds or own
        terms.append((variance / n_seeds, degrees))
    if images > 1:
        terms.append((float(np.var(grid.mean(axis=(0, 1)), ddof=1)) / images, images - 1))
    return combined(terms, _interaction(grid.mean(axis=0)) if n_seeds > 1 and images > 1 else 0.0)


@dataclass(frozen=True)
class Components:
    """Variances of one more generator, one more classifier seed, and what neither explains (both together,
    with the test images that they were measured on)."""

    generator: float
    seed: float
    rest: float


def components(contributions: Floats) -> Components:
    """From contributions float [generators, seeds, images], crossed: random effects by the moments of the
    two-way table of means (a component below 0 is 0). With one seed the rest is part of the generator's.

    Raises ValueError with fewer than two generators.
    """
    means = contributions.mean(axis=2)
    generators, seeds = means.shape
    if generators < 2:
        raise ValueError("one generator says nothing of another one")
    of_generators = float(np.var(means.mean(axis=1), ddof=1))
    if seeds < 2:
        return Components(of_generators, 0.0, 0.0)
    of_seeds = float(np.var(means.mean(axis=0), ddof=1))
    residual = means - means.mean(axis=1, keepdims=True) - means.mean(axis=0) + means.mean()
    rest = float((residual**2).sum()) / ((generators - 1) * (seeds - 1))
    return Components(max(of_generators - rest / seeds, 0.0), max(of_seeds - rest / generators, 0.0), rest)


def combined(terms: Sequence[tuple[float, float]], twice: float = 0.0) -> Spread:
    """One spread from independent ones: see `satterthwaite`."""
    variance, degrees = satterthwaite([(np.array(term), own) for term, own in terms], twice)
    return Spread(float(variance), float(degrees))


def satterthwaite(
    terms: Sequence[tuple[Floats, float]], twice: Floats | float = 0.0
) -> tuple[Floats, Floats]:
    """The variance of a mean and its degrees of freedom from independent factors (Satterthwaite 1946), for
    many means at once. terms: variance of the mean over one factor, any shape, and its degrees of freedom;
    twice: what two of them both contain. Where nothing varies: 0 and 1."""
    variances = [variance for variance, _ in terms]
    variance = reduce(np.maximum, variances, np.maximum(sum(variances) - twice, 0.0))
    squares = np.asarray(sum(own**2 / degrees for own, degrees in terms))
    return variance, np.divide(variance**2, squares, out=np.ones_like(squares), where=squares > 0)


def between_folds(values: Floats, fold: NDArray[np.int64]) -> Spread:
    """Of the mean over all images where each fold's images were tested by classifiers, and a generator, of
    its own: from how far the folds' means are apart. values: float [..., images]; fold: int [images].

    Where generators differ by 2 to 5 points the interval over seeds and images covers in .63 to .91 of
    simulated runs, with this one .96 to .99 (benchmarks/folds.py)."""
    of_image = values.reshape(-1, values.shape[-1]).mean(axis=0)
    share = np.bincount(fold) / len(fold)
    means = np.bincount(fold, weights=of_image) / np.bincount(fold)
    folds = len(means)
    squares = float((share**2 * (means - of_image.mean()) ** 2).sum())
    return Spread(squares * folds / (folds - 1), folds - 1)


def _interaction(contributions: Floats) -> float:
    """What the interaction of seeds and images adds to the variance of the mean; float [seeds, images]."""
    seeds, images = contributions.shape
    residual = contributions - contributions.mean(axis=1, keepdims=True) - contributions.mean(axis=0)
    residual = residual + contributions.mean()
    return float((residual**2).sum() / ((seeds - 1) * (images - 1) * seeds * images))


def difference(
    a: Floats, c: Floats, pooled: SeedVariance | None = None, fold: NDArray[np.int64] | None = None
) -> Interval:
    """Of mean(a) - mean(c), paired by seed and image: what decides whether one is better.

    a: float [generators, seeds, images] or [seeds, images]; c: [seeds, images], of a control that needs no
    generator, or of a's shape; fold: int [images], that tested each, where there are several: the wider of
    the two intervals, over seeds and images and over folds, so that each fold's own generator is covered.
    """
    return _contrast(a, c, 1.0, pooled, fold).interval(float(a.mean() - c.mean()))


def relative(
    a: Floats, c: Floats, pooled: SeedVariance | None = None, fold: NDArray[np.int64] | None = None
) -> Interval | None:
    """Of mean(a) / mean(c) - 1, shapes as in `difference`: to first order its error is that of a - (1 + g) c,
    in which the control's own error is, too. None where c is 0 throughout."""
    base = float(c.mean())
    if base == 0:
        return None
    factor = float(a.mean()) / base
    found = _contrast(a, c, factor, pooled, fold)
    return Spread(found.variance / base**2, found.degrees).interval(factor - 1)


def _contrast(
    a: Floats, c: Floats, factor: float, pooled: SeedVariance | None, fold: NDArray[np.int64] | None
) -> Spread:
    """Of a - factor * c. The pooled variance of seeds is used unless this pair's own is the larger: where one
    variant's seeds scatter more than the others' pooling alone would cover too seldom."""
    values = a - factor * c
    known: tuple[float, int] | None = None
    if pooled is not None:
        own = float(np.var(values.mean(axis=-1).reshape(-1, values.shape[-2]).mean(axis=0), ddof=1))
        known = (pooled.of(factor), pooled.degrees) if own <= pooled.of(factor) else None
    found = spread(values, seeds=known)
    if fold is None:
        return found
    return max(found, between_folds(values, fold), key=lambda each: each.quantile() * each.variance**0.5)


def proportion(correct: Floats, weights: Floats | None = None) -> Interval:
    """A share with an interval inside 0 ... 1 that is never a point: Wilson's, at the effective number of
    images that also carries the seeds' variance.

    correct: float [seeds, images], 0 or 1; weights: float [images] that sum to 1, equal within a stratum (for
    balanced accuracy: 1 / (classes * images of the class)); default: all alike. The images' variance is the
    binomial one (a stratum's share drawn to the mean by PRIOR images), whatever averaging over seeds hides.
    """
    images = correct.shape[1]
    w = np.full(images, 1 / images) if weights is None else weights
    values = correct @ w
    mean = _share(values)
    strata, of_image = np.unique(w, return_inverse=True)
    variance = 0.0
    for k, weight in enumerate(strata):
        own = correct[:, of_image == k]
        n = own.shape[1]
        share = (float(own.mean()) * n + PRIOR * mean) / (n + PRIOR) if len(strata) > 1 else mean
        variance += weight**2 * n * share * (1 - share)
    return _inside(mean, variance, values, nominal=1 / float((w**2).sum()))


def area(values: Floats, influence: Floats) -> Interval:
    """An area under a curve, 0 ... 1, with an interval that is never a point. values: float [seeds];
    influence: float [seeds, images], what one more copy of an image would change (models.curves)."""
    shared = influence.mean(axis=0)
    images = influence.shape[1]
    return _inside(_share(values), float((shared**2).sum()), values, nominal=images)


def _share(values: Floats) -> float:
    """Their mean; what rounding adds to a certainty would make it none."""
    return float(np.clip(round(float(values.mean()), 12), 0.0, 1.0))


def _inside(mean: float, of_images: float, values: Floats, nominal: float) -> Interval:
    """Wilson's interval at the number of images whose binomial variance is this one, at most `nominal`, with
    Student's quantile at the seeds' degrees of freedom. values: float [seeds]."""
    seeds = len(values)
    of_seeds = float(np.var(values, ddof=1)) / seeds if seeds > 1 else 0.0
    total = of_images + of_seeds
    certain = mean * (1 - mean) == 0 or total == 0
    effective = nominal if certain else min(mean * (1 - mean) / total, nominal)
    degrees = total**2 / (of_seeds**2 / (seeds - 1)) if of_seeds > 0 else np.inf
    return wilson(mean, effective, float(special.stdtrit(degrees, (1 + LEVEL) / 2)))


def wilson(mean: float, n: float, z: float = 1.959964) -> Interval:
    """Wilson's score interval (1927) of a share seen in n images; n need not be whole."""
    centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (mean * (1 - mean) / n + z**2 / (4 * n**2)) ** 0.5
    return Interval(mean, max(min(centre - half, mean), 0.0), min(max(centre + half, mean), 1.0))
