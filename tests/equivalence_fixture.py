"""An equivalence made by hand for tests and screenshots: classifiers that are right as often as a formula
says, never the result of a run. The curves and numbers are what the program makes of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from gmaug_core.method.equivalence import exchange, words
from gmaug_core.method.equivalence import result as e
from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.verdict.curve import image_weights

LABELS = np.arange(300) % 10
RATE = 0.3  # a synthetic image is worth so many real ones, here


def share(images: float) -> float:
    """Of the test images that are right after training on so many real ones."""
    return 0.92 - 2.2 * images**-0.5


@cache
def measured() -> tuple[tuple[e.Cell, ...], exchange.Equated]:
    """Two bases, three seeds, two generators."""
    rng, cells, right = np.random.default_rng(0), [], []

    def cell(base: int, seed: int, source: e.Source, way: e.Way, generator: int | None, added: int) -> None:
        worth = added if source in ("none", "real") else RATE * added - (way == "substituted") * added
        mine = rng.random(len(LABELS)) < share(base + worth)
        shares = e.Shares(
            accuracy=mine.mean(),
            balanced_accuracy=mine @ image_weights(LABELS),
            tail_accuracy=mine @ image_weights(LABELS, np.arange(3)),
        )
        cells.append(
            e.Cell(
                base=base,
                seed=seed,
                source=source,
                way=way,
                generator=generator,
                added=added,
                steps=200,
                shares=shares,
                answers=len(right),
            )
        )
        right.append(mine)

    for base in (100, 200):
        for seed in range(3):
            cell(base, seed, "none", "none", None, 0)
            for times in (-0.5, 0.5, 1, 2, 4):
                cell(base, seed, "real", "added", None, round(times * base))
            for generator in (0, 1):
                for times in (0.5, 1, 2, 4, 8):
                    cell(base, seed, "closed", "added", generator, round(times * base))
                cell(base, seed, "closed", "substituted", generator, base // 2)
    return tuple(cells), exchange.measure(cells, np.array(right), LABELS, np.arange(3), count=40)


def equivalence(**changes: object) -> e.EquivalenceResult:
    """A finished run's document."""
    cells, found = measured()
    document = e.EquivalenceResult.new(
        run="equivalence-digits-0000",
        dataset="digits-00000000",
        dataset_name="digits",
        preset="small",
        size=16,
        generator="edm",
        classifier="resnet18",
        augment="none",
        splits=SplitSizes(train=1000, val=100, test=300),
        classes=10,
        proportions="balanced",
        bases=(100, 200),
        seeds=3,
        generators=2,
        measure="accuracy",
        cells=cells,
        efforts=tuple(
            e.Effort(
                base=base,
                source="closed",
                generator=generator,
                training_seconds=60.0,
                drawn=20 * base,
                accepted=8 * base,
                drawing_seconds=30.0,
            )
            for base in (100, 200)
            for generator in (0, 1)
        ),
        curves=tuple(found.curves),
        exchange=tuple(found.exchange),
        reverse=tuple(found.reverse),
        published=tuple(found.published),
        sentence=words.sentence(found.exchange, found.reverse, "accuracy"),
        skipped=(),
        seconds=1800.0,
    )
    return document.model_copy(update=changes)
