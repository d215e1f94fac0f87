"""Looking at a generator while it trains: a sheet to see, figures to read, and a monitor that notices a
collapse.

A look draws the same few images (fixed seeds) at every snapshot. Their diversity in each class, relative to
real images, is what the monitor watches; everything it remembers goes into the checkpoint, so a resumed
training decides alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data import pictures
from gmaug_core.data.views import Images
from gmaug_core.models.diversity import class_spread, relative_spread

Assess = Callable[[NDArray[np.uint8], NDArray[np.int64]], dict[str, Any]]
SHEET_COLUMNS = 8
SHEET_ROWS = 20  # a sheet of more classes shows this many of them
LOOK_CLASSES = 32  # of more classes this many are looked at, evenly spaced from the largest to the smallest
LOOK_SHARE = 0.05  # of the time between two snapshots may go into images that the sheet does not need anyway
PASSES = 3.0  # training on an image costs about as much as this many evaluations of the network
POPULATED = 10  # training images from which on a class's diversity is known well enough to end a training
FALLEN = 0.35  # of a class's best diversity so far (at most 1): below it, the class has collapsed ...
FLOOR = 0.1  # ... and so has a generator whose median class is less varied than this share of real images
PATIENCE = 2  # snapshots running


def look_size(classes: int, snapshot_images: float, evaluations: float, most: int) -> int:
    """Images of each class in a look: the sheet's, and as many more as LOOK_SHARE of the training time pays
    for.

    classes: that are looked at; snapshot_images: between two snapshots; evaluations: of the network, for one
    image drawn.
    """
    affordable = SHEET_COLUMNS * classes + LOOK_SHARE * snapshot_images * PASSES / evaluations
    return max(SHEET_COLUMNS, int(min(most, affordable)) // classes)


class Watch:
    """What is drawn at each snapshot, what was found so far, and whether the training has collapsed.

    The best snapshot is the one with the lowest KID, which is unbiased at the few images of a look and sees
    fidelity and coverage alike; where nobody assesses, the one whose median class is most varied (at most as
    varied as real ones). One at which a class has fallen does not qualify, and one before the generator knows
    its classes only if there is no other.
    """

    def __init__(
        self,
        images: Images,
        labels: NDArray[np.int64],
        class_names: Sequence[str],
        *,
        snapshot_images: float,
        evaluations: float,
        most: int,
        assess: Assess | None,
    ) -> None:
        self.names, n = tuple(class_names), len(class_names)
        self.counts = np.bincount(labels, minlength=n)
        by_size = np.argsort(-self.counts, kind="stable")
        looked_at = np.sort(
            by_size[np.unique(np.linspace(0, n - 1, min(n, LOOK_CLASSES)).round().astype(int))]
        )
        per_class = look_size(len(looked_at), snapshot_images, evaluations, most)
        self.labels, self.seeds = looked_at.repeat(per_class), np.tile(np.arange(per_class), len(looked_at))
        self.populated = self.counts >= min(POPULATED, int(np.median(self.counts)))
        self.assess = assess
        self.real_spread = class_spread(images, labels, n) if assess is None else None
        self.rows: list[dict[str, Any]] = []  # one a snapshot
        self.best: dict[str, Any] | None = None  # kimg and key of the best snapshot
        self.peak = np.zeros(n + 1)  # best diversity so far of each class, and of the median class
        self.low = np.zeros(n + 1, int)  # snapshots running at which it was too low
        self.collapse: dict[str, Any] | None = None

    def see(self, images: NDArray[np.uint8], *, kimg: float, conditional: bool) -> bool:
        """Take in the images of one snapshot, drawn for self.labels and self.seeds. Returns whether it is the
        best so far.

        conditional: the generator knows its classes by now; before, diversity says nothing about a class.
        """
        found = self.assess(images, self.labels) if self.assess else {}
        if self.real_spread is not None:
            ratio = relative_spread(class_spread(images, self.labels, len(self.names)), self.real_spread)
        else:
            ratio = np.array([np.nan if value is None else value for value in found.pop("diversity")], float)
        watched = np.where(self.populated, ratio, np.nan)
        median = float(np.nanmedian(watched)) if np.isfinite(watched).any() else float("nan")
        watched = np.append(watched, median)
        low = np.zeros(len(watched), bool)
        if conditional:
            self.peak = np.fmax(self.peak, np.minimum(watched, 1.0))
            low = watched < FALLEN * self.peak
            low[-1] |= median < FLOOR
            self.low = np.where(low, self.low + 1, 0)
        row = {"kimg": kimg, "n_synthetic": len(images), "n_classes": len(np.unique(self.labels)), **found}
        if np.isfinite(median):
            lowest = int(np.nanargmin(watched[:-1]))
            row |= {
                "diversity": median,
                "diversity_lowest": float(watched[lowest]),
                "lowest_class": self.names[lowest],
            }
        self.rows.append(row)
        score = (
            -found["kid"]
            if found.get("kid") is not None
            else min(median, 1.0)
            if np.isfinite(median)
            else 0.0
        )
        key = [conditional, not low.any(), float(score)]
        better = self.best is None or key >= self.best["key"]
        if better:
            self.best = {"kimg": kimg, "key": key}
        if (self.low >= PATIENCE).any():
            self._collapsed(kimg, watched)
        return better

    def _collapsed(self, kimg: float, watched: NDArray[np.float64]) -> None:
        assert self.best is not None
        fallen = [label for label in range(len(self.names)) if self.low[label] >= PATIENCE]
        worst = fallen or [
            label
            for label in range(len(self.names))
            if watched[label] < max(FLOOR, FALLEN * self.peak[label])
        ]
        self.collapse = {
            "kimg": kimg,
            "classes": [self.names[label] for label in worst],
            "diversity": {self.names[label]: float(watched[label]) for label in worst},
            "median_diversity": float(watched[-1]) if np.isfinite(watched[-1]) else None,
            "best_kimg": self.best["kimg"],
            "best_by": "kid" if self.assess else "diversity",
            "conditional": bool(self.best["key"][0]),
            "done": "training ended early with the weights of the best snapshot",
        }

    def state(self) -> dict[str, Any]:
        """All that it remembers, as JSON."""
        memory = {"rows": self.rows, "best": self.best, "collapse": self.collapse}
        return memory | {"peak": self.peak.tolist(), "low": self.low.tolist()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what state() gave."""
        self.rows, self.best, self.collapse = state["rows"], state["best"], state["collapse"]
        self.peak, self.low = np.array(state["peak"], float), np.array(state["low"], int)

    def sheet(self, images: NDArray[np.uint8]) -> bytes:
        """The first images of a look as a PNG, one row a class."""
        classes = np.unique(self.labels)
        shown = classes[
            np.unique(np.linspace(0, len(classes) - 1, min(len(classes), SHEET_ROWS)).round().astype(int))
        ]
        return pictures.sheet([images[self.labels == label] for label in shown], columns=SHEET_COLUMNS)
