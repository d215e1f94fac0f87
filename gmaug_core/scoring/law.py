"""The exponential law between similarity and gain: gain% = A exp(-k x), x = SSIM-supSubCls (paper A, equation
4).

The law that ships is the unrounded least-squares fit of the paper's eight points. The printed equation is the
same fit with its base rounded from 0.9373 to 0.94, which lowers predictions by 10 points at the paper's
steepest point.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from gmaug_core.errors import InputError

PRINTED_BASE, PRINTED_SLOPE, PRINTED_OFFSET = 0.94, 202.74, -79.92  # gain% = base ** (slope x + offset)
SUPSUB_THRESHOLD, MERGE_THRESHOLD = 0.1652, 0.1319  # table 5: the highest scores at which augmentation worked
LOWEST_FAILING = (
    0.2625  # table 5: the lowest SSIM-supSubCls at which it did not (scene); nothing was measured between
)
PAPER_PROFILE = "paper"
CONFIDENCE = 0.95
GAIN_FLOOR = (
    1.0  # percent: below this fitted gain the noise is taken not to shrink further (one image of a test set)
)

# Validation images behind each accuracy of table 3: iNaturalist-2019 has 3 a class; flowers is stated; for
# UTKFace and scene it is the smallest number of which every printed accuracy is a whole share.
VALIDATION_IMAGES = {
    "UTKFace": 1973,
    "Birds": 378,
    "Insects": 423,
    "scene": 1700,
    "flowers": 435,
    "Fungi": 36,
    "Reptiles": 117,
    "Amphibians": 30,
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """One dataset of the paper. Accuracies in percent (ResNet18), `se` of the gain in percentage points."""

    name: str
    supsub: float
    merge: float
    baseline: float
    augmented: float
    gain: float  # as printed in table 5; recomputed from the two accuracies to 0.01
    works: bool
    n: int
    se: float


@dataclass(frozen=True)
class Advice:
    """`verdict` and the reasons in plain words. `chance` is the probability that the gain is above zero,
    by the law.
    """

    verdict: Literal["likely", "unclear", "unlikely"]
    text: str
    gain: float
    low: float
    high: float
    chance: float

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)


@dataclass(frozen=True)
class Law:
    """gain% = amplitude exp(-rate x), with what is needed to say how far it may be off.

    base: equation 4's base when its slope is kept as printed, exp(-rate / 202.74). r2, mae and median_ae are
    of the fit on its own points. *_ci: 95 % intervals. covariance: of (amplitude, rate). noise: variance of a
    point about the curve per percentage point of fitted gain. freedom: degrees of freedom of that variance.
    """

    amplitude: float
    rate: float
    base: float
    r2: float
    mae: float
    median_ae: float
    n: int
    amplitude_ci: tuple[float, float]
    rate_ci: tuple[float, float]
    covariance: tuple[tuple[float, float], tuple[float, float]]
    noise: float
    freedom: float
    profile: str = PAPER_PROFILE

    def gain(self, x: npt.ArrayLike) -> Any:
        """The fitted gain in percent at score x."""
        return self.amplitude * np.exp(-self.rate * np.asarray(x, float))

    def predict(self, x: npt.ArrayLike) -> tuple[Any, Any, Any]:
        """(gain, low, high) in percent for a new dataset of score x; floats for a float, arrays for an array.

        95 % prediction interval: uncertainty of both parameters plus the scatter of datasets about the curve,
        whose variance grows with the fitted gain. `low` may be negative: augmentation can do harm. It cannot
        be below -100.
        """
        gain, deviation = self.gain(x), self._deviation(x)
        reach = stats.t.ppf(0.5 + CONFIDENCE / 2, self.freedom) * deviation
        low, high = np.maximum(gain - reach, -100.0), gain + reach
        if np.ndim(x) == 0:
            return float(gain), float(low), float(high)
        return gain, low, high

    def chance_above(self, x: float, gain: float = 0.0) -> float:
        """Probability that a new dataset of score x gains more than `gain` percent."""
        return float(stats.t.sf((gain - self.gain(x)) / max(float(self._deviation(x)), 1e-12), self.freedom))

    def advice(
        self, x: float, merge: float | None = None, *, interval: tuple[float, float] | None = None
    ) -> Advice:
        """Is deep generative augmentation worth it at score x? By the paper's thresholds and this law, in
        plain words.

        merge: SSIM-mergeCls of the same dataset; interval: of the score itself. A score whose interval
        crosses a threshold, or a SSIM-mergeCls that contradicts it, makes "likely" or "unlikely" into
        "unclear".
        """
        gain, low, high = self.predict(x)
        chance = self.chance_above(x)
        said = [
            f"The law predicts a relative gain of {gain:.1f} %, with 95 % probability between {low:.1f} % "
            f"and {high:.1f} %"
        ]
        said[0] += f" (chance of any gain: {_percent(chance)})."
        verdict: Literal["likely", "unclear", "unlikely"]
        if x <= SUPSUB_THRESHOLD:
            verdict = "likely"
            said.append(
                f"The score {x:.3f} is not above {SUPSUB_THRESHOLD}, the highest at which augmentation "
                "worked in the paper."
            )
            if x > 0.9 * SUPSUB_THRESHOLD:
                said.append(
                    "It is within 10 % of that threshold, and scores measured here on two of the paper's "
                    "datasets are 9 % lower."
                )
        elif x >= LOWEST_FAILING:
            verdict = "unlikely"
            said.append(
                f"The score {x:.3f} is not below {LOWEST_FAILING}, the lowest at which augmentation did not "
                "pay in the paper."
            )
        else:
            verdict = "unclear"
            said.append(
                f"The score {x:.3f} is between {SUPSUB_THRESHOLD} (worked) and {LOWEST_FAILING} (did not), "
                "where no dataset was."
            )
        edge = SUPSUB_THRESHOLD if verdict == "likely" else LOWEST_FAILING
        if interval is not None and verdict != "unclear" and interval[0] <= edge < interval[1]:
            verdict = "unclear"
            said.append(f"The score's own interval crosses {edge}: measure more pairs first.")
        if verdict == "likely" and low <= 0:
            said.append(
                "The interval still contains no gain at all: a small run first is the cheap way to know."
            )
        if merge is not None and verdict != "unclear" and (merge <= MERGE_THRESHOLD) != (verdict == "likely"):
            verdict = "unclear"
            side = "above" if merge > MERGE_THRESHOLD else "not above"
            said.append(
                f"SSIM-mergeCls {merge:.3f} is {side} its threshold {MERGE_THRESHOLD} and says the opposite."
            )
        said.append(
            f"This rests on {self.n} datasets; what else differs between datasets is only in the width of "
            "the interval."
        )
        return Advice(verdict, " ".join(said), gain, low, high, chance)

    def require_profile(self, profile: str) -> None:
        """Raises InputError when a score of `profile` must not be placed on this curve."""
        if profile != self.profile:
            raise InputError(
                f"a score of profile '{profile}' cannot be placed on a law of profile '{self.profile}'",
                expected=f"a score measured with profile '{self.profile}'",
                todo=(
                    f"run: similarity DATASET --profile {self.profile}; or refit the law with finished runs "
                    f"of profile '{profile}'"
                ),
            )

    def _deviation(self, x: npt.ArrayLike) -> Any:
        curve = self.gain(x)
        slope_k = -np.asarray(x, float) * curve
        slope_a = np.exp(-self.rate * np.asarray(x, float))
        (aa, ak), (_, kk) = self.covariance
        parameters = slope_a**2 * aa + 2 * slope_a * slope_k * ak + slope_k**2 * kk
        return np.sqrt(np.maximum(parameters, 0) + self.noise * np.maximum(curve, GAIN_FLOOR))


def fit_law(
    x: npt.ArrayLike,
    gain: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    profile: str = PAPER_PROFILE,
) -> Law:
    """Least-squares fit of gain% = A exp(-k x) on the gains themselves (not on their logarithms).

    x, gain: at least 3 points with at least 2 different x. weights: 1 / se^2 of each gain (see gain_se);
    None: equal. Intervals assume var(gain_i) = se_i^2 + noise * max(fitted_i, 1): the scatter grows with the
    gain, as the paper's residuals do (each 0.7-3 times the root of its fitted value). The noise is estimated
    by moments from the residuals, corrected for the two fitted parameters, and enters the parameters'
    covariance (sandwich form). Raises InputError for too few points, lengths that differ, or values that are
    not finite.
    """
    score, gains = np.asarray(x, float).ravel(), np.asarray(gain, float).ravel()
    weight = np.ones_like(score) if weights is None else np.asarray(weights, float).ravel()
    if not len(score) == len(gains) == len(weight):
        raise InputError(
            f"{len(score)} scores, {len(gains)} gains and {len(weight)} weights",
            expected="one of each a point",
        )
    if not (
        np.isfinite(score).all()
        and np.isfinite(gains).all()
        and np.isfinite(weight).all()
        and (weight > 0).all()
    ):
        raise InputError(
            "a point has a value that is not finite or a weight that is not positive",
            expected="finite numbers, weights > 0",
        )
    if len(score) < 3 or np.ptp(score) < 1e-9:
        raise InputError(
            f"{len(score)} points with {len(np.unique(score))} different scores cannot carry a two-parameter "
            "law",
            expected="at least 3 points and 2 different scores",
            todo="finish more augmentation runs on other datasets, or include the paper's points",
        )
    amplitude, rate = _least_squares(score, gains, weight)
    fitted = amplitude * np.exp(-rate * score)
    residual = gains - fitted
    measured = np.zeros_like(score) if weights is None else 1 / weight
    spread = np.maximum(fitted, GAIN_FLOOR)

    jacobian = np.stack([np.exp(-rate * score), -score * fitted], axis=1)
    projector = np.linalg.pinv(jacobian * np.sqrt(weight)[:, None]) * np.sqrt(
        weight
    )  # [2, n]: residual -> parameters
    maker = np.eye(len(score)) - jacobian @ projector  # noise -> residual
    scale = 1 / (spread + measured)
    trace = ((maker**2) @ spread) @ scale
    noise = (
        max(0.0, float((residual**2 @ scale - ((maker**2) @ measured) @ scale) / trace)) if trace > 0 else 0.0
    )
    variance = measured + noise * spread
    covariance = (projector * variance) @ projector.T
    # Satterthwaite: the residual sum is a weighted sum of chi-squares; without residual noise the given
    # errors are taken as known
    root = np.sqrt(variance)
    shape = root[:, None] * (maker.T * scale) @ maker * root
    freedom = float(np.trace(shape) ** 2 / np.sum(shape * shape.T)) if noise > 0 else float(len(score) - 2)
    reach = stats.t.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(np.diag(covariance))
    total = float(np.sum((gains - gains.mean()) ** 2))
    absolute = np.abs(residual)
    return Law(
        amplitude=float(amplitude),
        rate=float(rate),
        base=float(np.exp(-rate / PRINTED_SLOPE)),
        r2=1 - float(np.sum(residual**2)) / total if total > 0 else 0.0,
        mae=float(absolute.mean()),
        median_ae=float(np.median(absolute)),
        n=len(score),
        amplitude_ci=_root_interval(float(amplitude), float(reach[0])),
        rate_ci=(float(rate - reach[1]), float(rate + reach[1])),
        covariance=(
            (float(covariance[0, 0]), float(covariance[0, 1])),
            (float(covariance[1, 0]), float(covariance[1, 1])),
        ),
        noise=noise,
        freedom=freedom,
        profile=profile,
    )


def _least_squares(x: Floats, gain: Floats, weight: Floats) -> tuple[float, float]:
    """(A, k) of the least weighted squares.

    A has a closed form for every k, so only k is searched: no local trap.
    """

    def amplitude(rate: float) -> float:
        curve = np.exp(-rate * x)
        return float((weight * curve) @ gain / ((weight * curve) @ curve))

    def loss(rate: float) -> float:
        return float(weight @ (gain - amplitude(rate) * np.exp(-rate * x)) ** 2)

    lowest = float(x.min())
    x = x - lowest  # keeps the exponentials in range; undone in the amplitude
    limit = 60 / float(np.ptp(x))  # beyond this the curve is one point and zeros
    rates = np.linspace(-limit, limit, 1201)
    curves = np.exp(-rates[:, None] * x)
    explained = (curves @ (weight * gain)) ** 2 / (
        curves**2 @ weight
    )  # what the best amplitude takes off the loss
    best = int(np.argmax(explained))
    bracket = (rates[max(best - 1, 0)], rates[min(best + 1, len(rates) - 1)])
    rate = float(
        optimize.minimize_scalar(loss, bounds=bracket, method="bounded", options={"xatol": 1e-10 * limit}).x
    )
    return amplitude(rate) * math.exp(rate * lowest), rate


def _root_interval(value: float, reach: float) -> tuple[float, float]:
    """value +- reach, laid out on the square-root scale where noise that grows with the gain is even."""
    if value <= 0:
        return value - reach, value + reach
    root = math.sqrt(value)
    return max(root - reach / (2 * root), 0.0) ** 2, (root + reach / (2 * root)) ** 2


@cache
def paper_points() -> tuple[Point, ...]:
    """The paper's eight datasets (tables 3 and 5), `se` by the binomial error of both accuracies."""
    tables = json.loads((files("gmaug_core") / "scoring" / "paper_tables.json").read_text(encoding="utf-8"))
    table3 = tables["table3_top1_percent"]
    before, after = (
        table3["columns"].index("original_resnet18"),
        table3["columns"].index("cgan_augcls_resnet18"),
    )
    points = []
    for name, n in VALIDATION_IMAGES.items():
        merge, supsub, gain, works = tables["table5"][name]
        baseline, augmented = table3[name][before], table3[name][after]
        points.append(
            Point(name, supsub, merge, baseline, augmented, gain, works, n, gain_se(baseline, augmented, n))
        )
    return tuple(points)


@cache
def paper_law() -> Law:
    """The shipped law: unrounded, unweighted least squares on the paper's points."""
    points = paper_points()
    return fit_law([point.supsub for point in points], [point.gain for point in points])


def printed_equation(x: npt.ArrayLike) -> Any:
    """Gain in percent by equation 4 as printed, 0.94 ** (202.74 x - 79.92); a float for a float."""
    gain = PRINTED_BASE ** (PRINTED_SLOPE * np.asarray(x, float) + PRINTED_OFFSET)
    return float(gain) if np.ndim(x) == 0 else gain


def errors_of(predicted: npt.ArrayLike, gain: npt.ArrayLike) -> dict[str, float]:
    """r2, mae, median_ae of predictions against measured gains: for showing any curve beside another."""
    gains = np.asarray(gain, float)
    residual = gains - np.asarray(predicted, float)
    return {
        "r2": float(1 - np.sum(residual**2) / np.sum((gains - gains.mean()) ** 2)),
        "mae": float(np.abs(residual).mean()),
        "median_ae": float(np.median(np.abs(residual))),
    }


def relative_gain(baseline: float, augmented: float) -> float:
    """(augmented - baseline) / baseline in percent; accuracies in one unit, baseline > 0."""
    return (augmented - baseline) / baseline * 100


def gain_se(baseline: float, augmented: float, n: int) -> float:
    """Standard error of the relative gain in percentage points: accuracies in percent, both measured on n
    images.

    Delta method on two independent binomials: an upper bound when both classifiers saw the same images. Half
    an image is added on each side, so an accuracy of 0 or 100 % does not claim to be exact.
    """
    before, after = ((accuracy / 100 * n + 0.5) / (n + 1) for accuracy in (baseline, augmented))
    variance = after * (1 - after) / n / before**2 + before * (1 - before) / n * (after / before**2) ** 2
    return 100 * math.sqrt(variance)


def leave_one_out(
    x: npt.ArrayLike, gain: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> list[dict[str, float]]:
    """Each point predicted by the law of all others: x, gain, predicted, low, high, error (predicted - gain).

    Needs at least 4 points.
    """
    score, gains = np.asarray(x, float), np.asarray(gain, float)
    weight = None if weights is None else np.asarray(weights, float)
    found = []
    for left_out in range(len(score)):
        keep = np.arange(len(score)) != left_out
        law = fit_law(score[keep], gains[keep], None if weight is None else weight[keep])
        predicted, low, high = law.predict(float(score[left_out]))
        here = {
            "x": float(score[left_out]),
            "gain": float(gains[left_out]),
            "predicted": predicted,
            "low": low,
            "high": high,
        }
        found.append(here | {"error": predicted - here["gain"]})
    return found


def refit(
    x: Sequence[float],
    gain: Sequence[float],
    se: Sequence[float],
    *,
    with_paper: bool,
    profile: str = PAPER_PROFILE,
) -> Law:
    """The law of a user's own finished runs, each weighted by 1 / se^2, with or without the paper's points.

    Scores must be of `profile`; the paper's points join only a fit of profile 'paper' (InputError otherwise).
    """
    if with_paper:
        paper_law().require_profile(profile)
    points = paper_points() if with_paper else ()
    errors = np.array([*se, *(point.se for point in points)], float)
    if not (np.isfinite(errors).all() and (errors > 0).all()):
        raise InputError(
            "a standard error is not positive",
            expected="se > 0 of every gain",
            todo="use more seeds or gain_se",
        )
    scores = [*x, *(point.supsub for point in points)]
    return fit_law(scores, [*gain, *(point.gain for point in points)], 1 / errors**2, profile=profile)


def _percent(chance: float) -> str:
    return "over 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"
