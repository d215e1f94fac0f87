"""Super-classes to start from: clusters of sub-classes that look alike, as many as hold together best.

A proposal drawn from looks alone; people know better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.decode import canonical
from gmaug_core.errors import InputError
from gmaug_core.workspace.grouping import Grouping

SIDE = 32  # pixels of the pictures that are compared
MOST_PICTURES = 2000  # decoded in all: some three seconds
FEWEST_A_CLASS, MOST_A_CLASS = 4, 20
LITTLE = 0.25  # of a silhouette: no substantial structure was found (Kaufman & Rousseeuw 1990, table 4)
MOST_CUTS = 100  # numbers of clusters that are tried, then those around the best of them

Distances = NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """Clusters as a grouping. A sub-class that is like no other keeps its own name and stands alone.

    silhouette: mean over the sub-classes, -1 ... 1; None where there is nothing to compare (one cluster, or
    each alone).
    """

    grouping: Grouping
    basis: str
    silhouette: float | None

    @property
    def words(self) -> str:
        """Where the grouping came from, as a sentence."""
        sure = "" if self.silhouette is None else f" (silhouette {self.silhouette:.2f})"
        if self.silhouette is not None and self.silhouette < LITTLE:
            sure = f"{sure[:-1]}: hardly any structure, look at each)"
        return f"Suggested by looks: {len(self.grouping.super_classes)} clusters by {self.basis}{sure}"


def by_pictures(data: Dataset) -> Distances:
    """float64 [classes, classes]: Euclidean distances between the mean pictures of the sub-classes.

    Means over a few training images of each at 32 px in colour, evenly spread over it.
    """
    per_class = int(np.clip(MOST_PICTURES // len(data.class_names), FEWEST_A_CLASS, MOST_A_CLASS))
    chosen = pictures.shots(data, per_class)

    def mean(name: str) -> NDArray[np.float64]:
        seen = [canonical(data.decoded(row).image, SIDE, "rgb") for row in chosen[name]]
        return np.mean(seen, axis=0, dtype=np.float64).ravel() / 255

    with ThreadPoolExecutor() as pool:
        means = np.stack(list(pool.map(mean, data.class_names)))
    length = (means**2).sum(axis=1)
    squared = length[:, None] + length[None, :] - 2 * means @ means.T
    distances: Distances = np.sqrt(np.maximum(squared, 0))
    return distances


def by_likeness(mean: Sequence[Sequence[float | None]]) -> Distances | None:
    """float64 [classes, classes]: 1 - mean SSIM of every two sub-classes. None where a cell was not measured.

    mean: of a score's matrix whose classes are all sub-classes, in order.
    """
    values = np.array(mean, np.float64)  # None becomes nan
    np.fill_diagonal(values, 1.0)
    return None if np.isnan(values).any() else 1.0 - values


def suggest(
    class_names: Sequence[str], distances: Distances, k: int | None = None, *, basis: str = "their pictures"
) -> Suggestion:
    """k super-classes by average-linkage clustering; None: the k with the largest mean silhouette,
    from sqrt(n / 2) to n / 2.

    distances: float64 [classes, classes], symmetric (Rousseeuw 1987 for the silhouette). Raises InputError
    when k does not fit.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    n = len(class_names)
    if k is not None and not 1 <= k <= n:
        raise InputError(f"{k} super-classes cannot be made of {n} sub-classes", expected=f"1 to {n}")
    if n < 3:
        labels = np.zeros(n, int) if k == 1 else np.arange(n)
        return Suggestion(_named(class_names, labels), basis, None)
    even = (distances + distances.T) / 2
    np.fill_diagonal(even, 0.0)
    tree = linkage(squareform(even, checks=False), "average")
    fewest = max(
        2, round(math.sqrt(n / 2))
    )  # Mardia's rule of thumb: fewer tell an odd one out from the rest

    @cache
    def cut(each: int) -> NDArray[np.int_]:
        labels: NDArray[np.int_] = fcluster(tree, each, "maxclust")
        return labels

    @cache
    def scored(each: int) -> float | None:
        return _silhouette(even, cut(each))

    def height(each: int) -> float:
        value = scored(each)
        return -2.0 if value is None else value

    tried = range(k, k + 1) if k else range(fewest, max(fewest + 1, n // 2 + 1))
    stride = -(-len(tried) // MOST_CUTS)  # of a thousand sub-classes not every number is tried at once
    best = max(tried[::stride], key=height)
    best = max((each for each in range(best - stride + 1, best + stride) if each in tried), key=height)
    return Suggestion(_named(class_names, cut(best)), basis, scored(best))


def _silhouette(distances: Distances, labels: NDArray[np.int_]) -> float | None:
    from sklearn.metrics import silhouette_score

    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(distances, labels, metric="precomputed"))


def _named(class_names: Sequence[str], labels: NDArray[np.int_]) -> Grouping:
    """Clusters as super-classes: those of several are numbered from the largest on, one alone bears its own
    name."""
    clusters: dict[int, list[str]] = {}
    for name, cluster in zip(class_names, labels, strict=True):
        clusters.setdefault(int(cluster), []).append(name)
    ordered = sorted(clusters.values(), key=len, reverse=True)
    taken = set(class_names)
    groups: dict[str, list[str]] = {}
    for number, subs in enumerate(ordered, start=1):
        title = subs[0] if len(subs) == 1 else f"group {number}"
        groups[title if len(subs) == 1 or title not in taken else f"group {number} of {len(ordered)}"] = subs
    return Grouping(f"suggested {len(groups)}", groups)
