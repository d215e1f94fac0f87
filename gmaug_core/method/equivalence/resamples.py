"""The trainings of an equivalence run as curves of means, and resamples of them that carry their whole error.

A mean over trainings errs by its seeds, its generators and the finite test images. Each part is estimated as
a covariance of all points at once, so what two curves share (images, the base's seed) stays shared; resamples
are drawn from their sum. What a seed does is pooled over the bases in shape and keeps each base's own size;
what a generator does is pooled whole: two generators a base say nothing alone. Resamples are spread by the
ratio of Student's t to the normal quantile at Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmaug_core.errors import InputError
from gmaug_core.method.equivalence.result import Cell, Source, Way
from gmaug_core.seeds import derive

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Group:
    """The trainings of one curve. added: ascending, the base alone is 0 in the group of real images and in no
    other; rows: int [points, generators, seeds], of the array of right answers."""

    base: int
    source: Source
    way: Way
    added: tuple[int, ...]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Base:
    """One base size: its curve of real images, and what else was measured beside it."""

    size: int
    real: Group
    others: tuple[Group, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The real images first."""
        return (self.real, *self.others)


def bases(cells: Sequence[Cell]) -> tuple[Base, ...]:
    """Sorted into curves, by growing base. A number of images whose trainings are not all there is left out;
    InputError where a base has fewer than three numbers of real images."""
    found = []
    for size in sorted({cell.base for cell in cells}):
        own = [cell for cell in cells if cell.base == size]
        seeds = sorted({cell.seed for cell in own if cell.way == "none"})
        real = [cell for cell in own if cell.source in ("none", "real")]
        group = _group(size, "real", "added", real, seeds)
        if group is None or len(group.added) < 3 or 0 not in group.added:
            raise InputError(
                f"the base of {size:,} images has too few trainings with real images",
                expected="the base alone and at least two more numbers of real images, each with every seed",
                todo="go on with the run until they are done",
            )
        kinds = sorted({(cell.source, cell.way) for cell in own if cell.source not in ("none", "real")})
        others = [
            _group(
                size, source, way, [cell for cell in own if (cell.source, cell.way) == (source, way)], seeds
            )
            for source, way in kinds
        ]
        found.append(Base(size, group, tuple(each for each in others if each is not None)))
    return tuple(found)


def _group(size: int, source: Source, way: Way, cells: Sequence[Cell], seeds: Sequence[int]) -> Group | None:
    """The numbers of images that every seed and generator has; None where there is none."""
    generators: list[int | None] = sorted({cell.generator for cell in cells}, key=lambda each: each or 0)
    by_name = {(cell.added, cell.generator, cell.seed): cell.answers for cell in cells}
    whole = [
        added
        for added in sorted({cell.added for cell in cells})
        if all((added, generator, seed) in by_name for generator in generators for seed in seeds)
    ]
    if not whole or not seeds:
        return None
    rows = [[[by_name[added, g, seed] for seed in seeds] for g in generators] for added in whole]
    return Group(size, source, way, tuple(whole), np.array(rows, np.int64))


@dataclass(frozen=True)
class Means:
    """All points of all bases in one row. values: float [points], percent; the three covariances: float
    [points, points], of these means; degrees: of seeds and of generators; places: of each group's points."""

    values: Floats
    images: Floats
    seeds: Floats
    generators: Floats
    degrees: tuple[int, int]
    places: Mapping[tuple[int, Source, Way], slice]

    def of(self, group: Group) -> slice:
        """Where this group's points are."""
        return self.places[group.base, group.source, group.way]

    def errors(self, group: Group) -> Floats:
        """Standard errors of a group's points, in percentage points."""
        place = self.of(group)
        total = self.images + self.seeds + self.generators
        return np.asarray(np.sqrt(np.diag(total)[place]), np.float64)

    def wider(self, real: Group, other: Group | None = None) -> float:
        """Student's t over the normal quantile for a difference of both curves (of one alone: its level)."""
        contrast = np.zeros(len(self.values))
        contrast[self.of(real)] = -1 / len(real.added)
        if other is not None:
            contrast[self.of(other)] = 1 / len(other.added)
        of_images, of_seeds, of_generators = (
            float(contrast @ part @ contrast) for part in (self.images, self.seeds, self.generators)
        )
        total = of_images + of_seeds + of_generators
        if total <= 0:
            return 1.0
        uncertain = sum(
            part**2 / degrees
            for part, degrees in zip((of_seeds, of_generators), self.degrees, strict=True)
            if degrees
        )
        p = (1 + LEVEL) / 2
        if uncertain <= 0:
            return 1.0
        return float(stats.t.ppf(p, max(total**2 / uncertain, 1.0)) / stats.norm.ppf(p))

    def noise(self, resamples: int, *, seed: int) -> Floats:
        """float [resamples, points]: errors of the means, normal, with all three covariances."""
        rng = np.random.default_rng(derive("equivalence resamples", seed))
        values, vectors = np.linalg.eigh(self.images + self.seeds + self.generators)
        scale = vectors * np.sqrt(np.maximum(values, 0))
        # in pairs of opposite sign: their mean is exactly 0
        half = rng.standard_normal(((resamples + 1) // 2, len(values)))
        return np.asarray(np.concatenate([half, -half])[:resamples] @ scale.T, np.float64)


def means(
    found: Sequence[Base], right: NDArray[np.bool_], labels: NDArray[np.int64], weights: Floats
) -> Means:
    """right: bool [cells, images]; labels: int [images], the strata of the test images; weights: float
    [images], what each counts for, sum 1."""
    groups = [group for base in found for group in base.groups]
    places, start = {}, 0
    for group in groups:
        places[group.base, group.source, group.way] = slice(start, start + len(group.added))
        start += len(group.added)
    counted = np.flatnonzero(weights)  # of the tail's measure most images count for nothing
    right, labels, weights = right[:, counted], labels[counted], weights[counted]
    each = np.empty((start, len(labels)))  # what an image contributes, mean over trainings
    shared = np.zeros(start)  # what the interaction of seeds and images adds to a point's variance
    for group in groups:
        grid = right[group.rows].astype(np.float32)  # [points, generators, seeds, images]
        by_seed = grid.mean(axis=1)
        each[places[group.base, group.source, group.way]] = by_seed.mean(axis=1)
        if grid.shape[2] > 1:
            within = by_seed.var(axis=1, ddof=1) @ (weights**2) / grid.shape[2]
            shared[places[group.base, group.source, group.way]] = within
    accuracies = right @ weights
    of_seeds, seed_degrees = _seeds(found, accuracies, shared, places, start)
    of_generators, generator_degrees = _generators(found, accuracies, places, start)
    return Means(
        100 * each @ weights,
        1e4 * _images(each, labels, weights),
        1e4 * of_seeds,
        1e4 * of_generators,
        (seed_degrees, generator_degrees),
        places,
    )


def _images(each: Floats, labels: NDArray[np.int64], weights: Floats) -> Floats:
    """Covariance of weighted means over images drawn again within their class; each: [points, images]."""
    total = np.zeros((len(each), len(each)))
    for label in np.unique(labels):
        own = labels == label
        n = int(own.sum())
        if n < 2:
            continue
        values = each[:, own] * weights[own]
        values = values - values.mean(axis=1, keepdims=True)
        total += values @ values.T * (n / (n - 1))
    return total


Places = Mapping[tuple[int, Source, Way], slice]


def _seeds(
    found: Sequence[Base], accuracies: Floats, shared: Floats, places: Places, points: int
) -> tuple[Floats, int]:
    """What a seed does to the means of its base: its shape over the points from all bases where they were
    measured alike, its size from each base; less what resampling images has already."""
    total = np.zeros((points, points))
    deviations, where = [], []
    for base in found:
        parts = [accuracies[group.rows].mean(axis=1) for group in base.groups]  # [points, seeds]
        values = np.concatenate(parts)
        deviations.append(values - values.mean(axis=1, keepdims=True))
        where.append(np.concatenate([np.arange(points)[places[_key(group)]] for group in base.groups]))
    degrees = [each.shape[1] - 1 for each in deviations]
    if not sum(degrees):
        return total, 0
    sizes = [
        float((each**2).sum() / max(n, 1) / len(each)) for each, n in zip(deviations, degrees, strict=True)
    ]
    alike = len({tuple((g.source, g.way, len(g.added)) for g in base.groups) for base in found}) == 1
    shapes = [
        each @ each.T / size if size > 0 else np.zeros((len(each), len(each)))
        for each, size in zip(deviations, sizes, strict=True)
    ]
    for k, (index, size, n) in enumerate(zip(where, sizes, degrees, strict=True)):
        shape = sum(shapes) / sum(degrees) if alike else shapes[k] / max(n, 1)
        twice = float(shared[index].sum() * (n + 1)) / (size * len(index)) if size > 0 else 0.0
        total[np.ix_(index, index)] = size * shape / (n + 1) * max(0.0, 1 - twice)
    return total, sum(degrees) if alike else min(degrees)


def _generators(found: Sequence[Base], accuracies: Floats, places: Places, points: int) -> tuple[Floats, int]:
    """What a generator does to the means of its curve, pooled over the bases where they were measured alike;
    less what the scatter of trainings does to it, which the seeds' part has."""
    total, degrees = np.zeros((points, points)), []
    kinds = sorted({(group.source, group.way) for base in found for group in base.others})
    for kind in kinds:
        own = [group for base in found for group in base.others if (group.source, group.way) == kind]
        alike = len({len(group.added) for group in own}) == 1
        for pool in [own] if alike else [[group] for group in own]:
            freedom = sum(group.rows.shape[1] - 1 for group in pool)
            if not freedom:
                continue
            degrees.append(freedom)
            spread = np.zeros((len(pool[0].added),) * 2)
            scatter = 0.0
            for group in pool:
                values = accuracies[group.rows]  # [points, generators, seeds]
                by_generator = values.mean(axis=2)
                apart = by_generator - by_generator.mean(axis=1, keepdims=True)
                spread += apart @ apart.T / freedom
                rest = values - by_generator[..., None] - values.mean(axis=1, keepdims=True)
                rest = rest + values.mean(axis=(1, 2))[:, None, None]
                cells = (values.shape[1] - 1) * (values.shape[2] - 1)
                if cells:
                    scatter += float((rest**2).sum()) / cells / values.shape[2] / len(pool)
            kept = max(0.0, 1 - scatter / max(float(np.trace(spread)), 1e-12))
            for group in pool:
                place = places[_key(group)]
                total[place, place] = kept * spread / group.rows.shape[1]
    return total, min(degrees, default=0)


def _key(group: Group) -> tuple[int, Source, Way]:
    return group.base, group.source, group.way
