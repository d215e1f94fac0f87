"""Keep or reject a synthetic image, with a reason. Pure numpy. Paper A, section 3.4, step 2.

An image is kept when the classifier's first choice is the class it was drawn for AND its score exceeds the
threshold. What it takes can also be learned from real images: `real_limits`. Mode "none" keeps every image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.selection import Mode

if TYPE_CHECKING:
    import pandas as pd

ACCEPTED, WRONG_CLASS, LOW_SCORE = "accepted", "predicted as another class", "score below the threshold"
COLUMN: dict[Mode, str] = {  # of samples.table: what the threshold is compared with
    "logit": "logit",
    "probability": "probability",
    "calibrated": "calibrated",
    "real_share": "probability",
    "none": "probability",
}
LEAST_REAL = 10  # correctly classified real images of a class, below which all classes share one limit


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
    logits: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    threshold: float,
    mode: Mode = "logit",
    limits: NDArray[np.float64] | None = None,
    temperature: float = 1.0,
) -> Selection:
    """Apply the rule.

    logits: float [n, classes]; labels: int [n], the class each image was drawn for. mode: "logit" compares
    the raw logit with the threshold (paper A: 10 to 30 for ResNet18), "probability" the softmax, "calibrated"
    the softmax of logits / temperature, "real_share" the softmax with `limits`, float [classes], what
    real_limits found for the threshold; "none" accepts every image. Raises ValueError for shapes that do not
    fit, values that are not finite, or labels outside the classes.
    """
    logits, own = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    if logits.ndim != 2 or own.shape != logits.shape[:1]:
        raise ValueError(f"logits [n, classes] and labels [n] are needed, not {logits.shape} and {own.shape}")
    if not np.isfinite(logits).all():
        raise ValueError("logits are not finite")
    if len(own) and (own.min() < 0 or own.max() >= logits.shape[1]):
        raise ValueError(f"labels must lie in 0..{logits.shape[1] - 1}")
    if (limits is None) == (mode == "real_share"):
        raise ValueError("limits belong to mode 'real_share', and it needs them")
    rows = np.arange(len(own))
    predicted = np.asarray(logits.argmax(axis=1), np.int64)
    scale = temperature if mode == "calibrated" else 1.0
    compared = logits if mode == "logit" else probabilities(logits / scale)
    score = np.asarray(compared[rows, own], np.float64)
    accepted, reason = _judged(own, predicted, score, None if mode == "none" else threshold, limits)
    return Selection(accepted, reason, score, predicted)


def _judged(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    score: NDArray[np.float64],
    threshold: float | None,
    limits: NDArray[np.float64] | None,
) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """(accepted, reason), an image each. threshold: None accepts all."""
    if threshold is None:
        return np.ones(len(labels), bool), np.full(len(labels), ACCEPTED)
    limit = np.full(len(labels), float(threshold)) if limits is None else limits[labels]
    right, high = predicted == labels, score > limit
    return right & high, np.where(right, np.where(high, ACCEPTED, LOW_SCORE), WRONG_CLASS)


def real_limits(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probability: NDArray[np.float64],
    share: float,
    classes: int,
) -> NDArray[np.float64]:
    """What a probability must exceed, float64 [classes], so that at least `share` of the correctly classified
    real images of each class do.

    labels, predicted: int [n], of real images that the judge was not trained on; probability: float [n], of
    an image's own class. A class with fewer than LEAST_REAL such images gets the limit of all of them
    together; without any image there is none: 0.
    """
    right = predicted == labels
    shared = _exceeded(probability[right], share)
    limits = np.full(classes, shared)
    for label in range(classes):
        own = probability[right & (labels == label)]
        if len(own) >= LEAST_REAL:
            limits[label] = _exceeded(own, share)
    return limits


def _exceeded(values: NDArray[np.float64], share: float) -> float:
    """The largest number that at least this share of the values exceed."""
    if len(values) == 0:
        return 0.0
    rank = int(np.ceil(share * len(values)))
    return float(np.nextafter(np.sort(values)[::-1][max(rank, 1) - 1], -np.inf))


def fitted_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """What logits are divided by so that their softmax is calibrated (Guo 2017, arXiv 1706.04599).

    logits: float [n, classes], of real images that the judge was not trained on; labels: int [n]. The most
    likely temperature where, beforehand, its logarithm is standard normal: that matters only where few images
    speak, or none is wrong, which alone would say 0.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    own, given = (np.arange(len(labels)), labels), np.asarray(logits, np.float64)

    def loss(logarithm: float) -> float:
        scaled = given * np.exp(-logarithm)
        return float((logsumexp(scaled, axis=1) - scaled[own]).sum() + logarithm**2 / 2)

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def recount(
    table: pd.DataFrame,
    mode: Mode,
    threshold: float,
    *,
    real: pd.DataFrame | None = None,
    nearest: float | None = None,
    farthest: float | None = None,
    told_apart: bool = False,
    once: bool = False,
) -> NDArray[np.bool_]:
    """Which images another rule would accept, bool [rows]: nothing is drawn or asked again.

    table: rows of data.samples.table, or of data.samples.real_table; real: the latter, in mode "real_share":
    each judge's limits, of each step, come from its own rows. nearest: the least real_distance, farthest: the
    largest class_distance that pass, told_apart: whether images with told_apart > 0 do not, once: of images
    that nearly repeat each other the first alone, where the run has these gates (method.gates). What people
    decided stays, and images of the held-out parts stay out.
    Raises ValueError for mode "calibrated" in runs from before it was measured.
    """
    from gmaug_core.data import samples

    if mode == "calibrated" and "calibrated" not in table:
        raise ValueError("this run measured no calibrated probability")
    accepted = np.zeros(len(table), bool)
    for (step, seed), rows in table.groupby(["step", "seed"]).indices.items():
        mine = table.iloc[rows]
        labels, predicted = (mine[name].to_numpy(np.int64) for name in ("label", "predicted"))
        limits = None
        if mode == "real_share":
            if real is None:
                raise ValueError("mode 'real_share' needs the verdicts on real images")
            own = real[(real["step"] == step) & (real["seed"] == seed)]
            limits = real_limits(
                own["label"].to_numpy(np.int64),
                own["predicted"].to_numpy(np.int64),
                own["probability"].to_numpy(float),
                threshold,
                int(max(labels.max(), own["label"].max() if len(own) else 0)) + 1,
            )
        score = mine[COLUMN[mode]].to_numpy(float)
        limit = None if mode == "none" else threshold
        accepted[rows] = _judged(labels, predicted, score, limit, limits)[0]
    if nearest is not None:  # where no distance was measured, none is too small
        distance = table["real_distance"].to_numpy(float)
        accepted &= ~((distance < nearest) | (distance == 0))
    if farthest is not None:
        accepted &= ~(table["class_distance"].to_numpy(float) > farthest)
    if told_apart and "told_apart" in table:
        accepted &= ~(table["told_apart"].to_numpy(float) > 0)
    accepted = samples.settled(table, accepted)
    return samples.settled(table, samples.first_of_twins(table, accepted)) if once else accepted
