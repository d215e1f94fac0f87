"""Equivalence experiments whose truth is known, and documents of them for tests and screenshots: invented
figures, never the result of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from scipy import stats

from gmaug_core.method.equivalence import exchange, words
from gmaug_core.method.equivalence.result import Cell, Effort, EquivalenceResult, Shares, Source, Way
from gmaug_core.method.parts.material import SplitSizes

CLASSES = 10
REAL = (-0.5, 0.25, 0.5, 1.0, 2.0, 4.0)
SYNTHETIC = (0.5, 1.0, 2.0, 4.0, 8.0)
SUBSTITUTED = (0.25, 0.5)
TAIL = np.arange(3)
KINDS: Mapping[tuple[Source, Way], Sequence[float]] = {
    ("closed", "added"): SYNTHETIC,
    ("closed", "substituted"): SUBSTITUTED,
}
Worth = Callable[[int, float], float]  # base, synthetic -> real


def accuracy(real: float) -> float:
    """True share of right images of trainings on so many real ones."""
    return 0.9 - 2.2 * real**-0.4


def half(base: int, synthetic: float) -> float:
    """Every synthetic image is worth half a real one."""
    return 0.5 * synthetic


def saturating(base: int, synthetic: float) -> float:
    """At most 0.6 bases."""
    return 0.6 * base * (1 - float(np.exp(-synthetic / (2 * base))))


def nothing(base: int, synthetic: float) -> float:
    """Worth nothing, and no harm."""
    return 0.0


def harmful(base: int, synthetic: float) -> float:
    """As if images had been taken away."""
    return -0.5 * base * (1 - float(np.exp(-synthetic / base)))


def simulated(
    worth: Worth = half,
    *,
    bases: Sequence[int] = (500, 1000, 2000),
    images: int = 1_500,
    seeds: int = 4,
    generators: int = 2,
    kinds: Mapping[tuple[Source, Way], Sequence[float]] = KINDS,
    seed: int = 0,
) -> tuple[tuple[Cell, ...], np.ndarray, np.ndarray]:
    """Cells, bool [cells, images] what each got right, and the images' labels. An image has its own
    difficulty in every training; a training shifts all of them a little, a generator as well."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % CLASSES
    difficulty = random.normal(0, 1.2, images)
    total = (1.2**2 + 0.5**2) ** 0.5
    cells: list[Cell] = []
    rows: list[np.ndarray] = []

    def training(
        base: int,
        n: int,
        source: Source,
        way: Way,
        generator: int | None,
        added: float,
        real: float,
        shift: float,
    ) -> None:
        limit = stats.norm.ppf(accuracy(real)) * total + shift + random.normal(0, 0.03)
        right = difficulty + random.normal(0, 0.5, images) + limit > 0
        tail = np.isin(labels, TAIL)
        shares = Shares(
            accuracy=float(right.mean()),
            balanced_accuracy=float(right.mean()),
            tail_accuracy=float(right[tail].mean()),
        )
        cell = Cell(
            base=base,
            seed=n,
            source=source,
            way=way,
            generator=generator,
            added=round(added),
            steps=800,
            shares=shares,
            answers=len(rows),
        )
        cells.append(cell)
        rows.append(right)

    for base in bases:
        for n in range(seeds):
            training(base, n, "none", "none", None, 0, base, 0.0)
            for times in REAL:
                training(base, n, "real", "added", None, times * base, base * (1 + times), 0.0)
        for (source, way), doses in kinds.items():
            for generator in range(generators):
                made = random.normal(0, 0.03)
                for times in doses:
                    kept = base * (1 - times) if way == "substituted" else base
                    real = max(kept + worth(base, times * base), 5)
                    for n in range(seeds):
                        training(
                            base, n, source, way, generator, times * base, real, made * times / (1 + times)
                        )
    return tuple(cells), np.stack(rows), labels


@cache
def equivalence(worth: Worth = saturating, images: int = 1_500) -> EquivalenceResult:
    """A document of a dataset like fashion-mnist, its figures made by exchange.measure."""
    cells, right, labels = simulated(worth, images=images)
    found = exchange.measure(cells, right, labels, TAIL, count=200)
    bases = tuple(sorted({cell.base for cell in cells}))
    efforts = tuple(
        Effort(
            base=base,
            source="closed",
            generator=generator,
            training_seconds=3_000.0,
            drawn=24 * base,
            accepted=9 * base,
            drawing_seconds=0.9 * base,
        )
        for base in bases
        for generator in (0, 1)
    )
    return EquivalenceResult.new(
        run="equivalence-invented",
        dataset="invented",
        dataset_name="Invented garments",
        preset="standard",
        size=28,
        generator="edm",
        classifier="resnet",
        augment="crop_flip",
        splits=SplitSizes(train=12_000, val=1_000, test=images),
        classes=CLASSES,
        proportions="balanced",
        bases=bases,
        seeds=4,
        generators=2,
        measure="accuracy",
        cells=cells,
        efforts=efforts,
        curves=tuple(found.curves),
        exchange=tuple(found.exchange),
        reverse=tuple(found.reverse),
        published=tuple(found.published),
        sentence=words.sentence(found.exchange, found.reverse, "accuracy"),
        skipped=(),
        seconds=5_400.0,
    )
