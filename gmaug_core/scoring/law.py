"""The exponential law between similarity and gain: gain% = A exp(-k x), x = SSIM-supSubCls (paper A, equation
4). The one that ships is in paper.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from gmaug_core.errors import InputError
from gmaug_core.scoring.fitting import GAIN_FLOOR, equal_weights, random_effects

PRINTED_BASE, PRINTED_SLOPE, PRINTED_OFFSET = 0.94, 202.74, -79.92  # gain% = base ** (slope x + offset)
PAPER_PROFILE = "paper"
CONFIDENCE = 0.95

Floats = npt.NDArray[np.float64]


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
        reach = special.stdtrit(self.freedom, 0.5 + CONFIDENCE / 2) * deviation
        low, high = np.maximum(gain - reach, -100.0), gain + reach
        if np.ndim(x) == 0:
            return float(gain), float(low), float(high)
        return gain, low, high

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
    x_se: npt.ArrayLike | None = None,
    profile: str = PAPER_PROFILE,
) -> Law:
    """Least-squares fit of gain% = A exp(-k x) on the gains themselves (not on their logarithms).

    x, gain: at least 3 points with at least 2 different x. weights: 1 / se^2 of each gain (see gain_se), to
    which the scatter of datasets about the law is added (fitting.random_effects); None: all points alike.
    x_se: standard errors of x, where there are weights. Intervals allow for that scatter, whose variance
    grows with the fitted gain, as the paper's residuals do (each 0.7-3 times the root of its fitted value).
    Raises InputError for too few points, lengths that differ, or values that are not finite.
    """
    score, gains = np.asarray(x, float).ravel(), np.asarray(gain, float).ravel()
    weight = np.ones_like(score) if weights is None else np.asarray(weights, float).ravel()
    error = np.zeros_like(score) if x_se is None else np.asarray(x_se, float).ravel()
    _check_points(score, gains, weight, error)
    fit = equal_weights(score, gains)
    if weights is not None:
        fit = random_effects(score, gains, 1 / np.sqrt(weight), error)
    found = errors_of(fit.amplitude * np.exp(-fit.rate * score), gains)
    reach = special.stdtrit(fit.freedom, 0.5 + CONFIDENCE / 2) * np.sqrt(np.diag(fit.covariance))
    (aa, ak), (_, kk) = fit.covariance.tolist()
    return Law(
        amplitude=fit.amplitude,
        rate=fit.rate,
        base=float(np.exp(-fit.rate / PRINTED_SLOPE)),
        r2=found["r2"],
        mae=found["mae"],
        median_ae=found["median_ae"],
        n=len(score),
        amplitude_ci=_root_interval(fit.amplitude, float(reach[0])),
        rate_ci=(fit.rate - float(reach[1]), fit.rate + float(reach[1])),
        covariance=((aa, ak), (ak, kk)),
        noise=fit.noise,
        freedom=fit.freedom,
        profile=profile,
    )


def _check_points(score: Floats, gains: Floats, weight: Floats, error: Floats) -> None:
    """Raises InputError where these points cannot carry a law."""
    if not len(score) == len(gains) == len(weight) == len(error):
        raise InputError(
            f"{len(score)} scores, {len(gains)} gains, {len(weight)} weights, {len(error)} errors of scores",
            expected="one of each a point",
        )
    finite = all(np.isfinite(values).all() for values in (score, gains, weight, error))
    if not (finite and (weight > 0).all() and (error >= 0).all()):
        raise InputError(
            "a point has a value that is not finite, or a weight that is not positive",
            expected="finite numbers, weights > 0",
        )
    if len(score) < 3 or np.ptp(score) < 1e-9:
        raise InputError(
            f"{len(score)} points with {len(np.unique(score))} different scores cannot carry a two-parameter "
            "law",
            expected="at least 3 points and 2 different scores",
            todo="finish more augmentation runs on other datasets, or include the paper's points",
        )


def _root_interval(value: float, reach: float) -> tuple[float, float]:
    """value +- reach, laid out on the square-root scale where noise that grows with the gain is even."""
    if value <= 0:
        return value - reach, value + reach
    root = math.sqrt(value)
    return max(root - reach / (2 * root), 0.0) ** 2, (root + reach / (2 * root)) ** 2


def printed_equation(x: npt.ArrayLike) -> Any:
    """Gain in percent by equation 4 as printed, 0.94 ** (202.74 x - 79.92); a float for a float."""
    gain = PRINTED_BASE ** (PRINTED_SLOPE * np.asarray(x, float) + PRINTED_OFFSET)
    return float(gain) if np.ndim(x) == 0 else gain


def errors_of(predicted: npt.ArrayLike, gain: npt.ArrayLike) -> dict[str, float]:
    """r2, mae, median_ae of predictions against measured gains: for showing any curve beside another."""
    gains = np.asarray(gain, float)
    residual = gains - np.asarray(predicted, float)
    total = float(np.sum((gains - gains.mean()) ** 2))
    return {
        "r2": 1 - float(np.sum(residual**2)) / total if total > 0 else 0.0,
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
