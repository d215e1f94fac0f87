"""Keep or reject a synthetic image, with a reason. Pure numpy. Paper A, section 3.4, step 2.

An image is kept when the classifier's first choice is the class it was drawn for AND its score exceeds the
threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Mode = Literal["logit", "probability", "quantile"]
ACCEPTED, WRONG_CLASS, LOW_SCORE = "accepted", "predicted as another class", "score below the threshold"


@dataclass(frozen=True)
class Selection:
    """One entry an image, in input order.

    accepted: bool [n]; reason: str [n]; score: float64 [n], what was compared with the threshold (the logit
    or the probability of the image's own class); predicted: int64 [n], the classifier's first choice.
    """

    accepted: NDArray[np.bool_]
    reason: NDArray[np.str_]
    score: NDArray[np.float64]
    predicted: NDArray[np.int64]


def probabilities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis, computed without overflow."""
    shifted = np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True)
    exponentials: NDArray[np.float64] = np.exp(shifted)
    shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return shares


def select(
    logits: NDArray[np.floating], labels: NDArray[np.integer], *, threshold: float, mode: Mode = "logit"
) -> Selection:
    """Apply the rule.

    logits: float [n, classes]; labels: int [n], the class each image was drawn for. mode: "logit" compares
    the raw logit (paper A: 10 to 30 for ResNet18), "probability" the softmax, "quantile" the probability with
    that quantile (threshold in 0..1) of the images drawn for the same class. Raises ValueError for shapes
    that do not fit, values that are not finite, or labels outside the classes.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels, np.int64)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"logits [n, classes] and labels [n] are needed, not {logits.shape} and {labels.shape}"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits are not finite")
    if len(labels) == 0:
        return Selection(
            np.zeros(0, bool), np.zeros(0, f"<U{len(WRONG_CLASS)}"), np.zeros(0), np.zeros(0, np.int64)
        )
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels must lie in 0..{logits.shape[1] - 1}")
    rows = np.arange(len(labels))
    predicted = logits.argmax(axis=1)
    score = logits[rows, labels] if mode == "logit" else probabilities(logits)[rows, labels]
    limit = np.full(len(labels), float(threshold))
    if mode == "quantile":
        for label in np.unique(labels):
            limit[labels == label] = np.quantile(score[labels == label], threshold)
    right, high = predicted == labels, score > limit
    reason = np.where(right, np.where(high, ACCEPTED, LOW_SCORE), WRONG_CLASS)
    return Selection(right & high, reason, score, predicted)
