"""Areas under the ROC and the precision-recall curve, each class against the rest, with what each image does
to them: from that come their errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """A macro mean over the classes that have images and others beside them.

    influence: float [images], the derivative of the value by the weight of each image; sums to 0.
    """

    value: float
    influence: Floats


def areas(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[Area, Area] | None:
    """(AUROC, AUPRC) of probabilities [images, classes], ties counted half and together; AUPRC is average
    precision, a sum without interpolation. None where no class has both images and others beside them."""
    classes = [c for c in np.unique(labels) if (labels == c).sum() < len(labels)]
    if not classes:
        return None
    found = [_one_against_rest(probabilities[:, c], labels == c) for c in classes]
    roc, precision = zip(*found, strict=True)
    return _mean(roc), _mean(precision)


def _mean(found: tuple[Area, ...]) -> Area:
    return Area(
        float(np.mean([area.value for area in found])), np.mean([area.influence for area in found], axis=0)
    )


def _one_against_rest(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> tuple[Area, Area]:
    """Both areas of one class. Images of equal score are one threshold."""
    levels, place = np.unique(scores, return_inverse=True)  # ascending
    at_pos = np.bincount(place[positive], minlength=len(levels)).astype(float)
    at_neg = np.bincount(place[~positive], minlength=len(levels)).astype(float)
    n_pos, n_neg = at_pos.sum(), at_neg.sum()
    below_pos, below_neg = np.cumsum(at_pos) - at_pos, np.cumsum(at_neg) - at_neg

    # DeLong 1988: the share of the other side that an image is on the right side of
    placed = np.where(
        positive,
        ((below_neg + at_neg / 2) / n_neg)[place],
        ((n_pos - below_pos - at_pos / 2) / n_pos)[place],
    )
    auroc = float(placed[positive].mean())
    roc = Area(auroc, (placed - auroc) / np.where(positive, n_pos, n_neg))

    above_pos, above_neg = n_pos - below_pos, n_neg - below_neg  # at this threshold or above
    every = above_pos + above_neg
    precision = above_pos / every
    value = float((at_pos * precision).sum() / n_pos)
    # an image above a threshold is in the precision of every positive at that threshold or below
    by_negative = -np.cumsum(at_pos * above_pos / every**2)[place]
    by_positive = (precision - value)[place] + np.cumsum(at_pos * above_neg / every**2)[place]
    return roc, Area(value, np.where(positive, by_positive, by_negative) / n_pos)
