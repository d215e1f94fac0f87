"""The published form of the equivalence (2508.09550), fitted to all base sizes of a run at once:

    n_syn / n_base = c1^(n_base / k) (c2^(n_real / n_base) - 1)

It is fitted to accuracies: every number of synthetic images is turned into real ones by the form, and those
into accuracy by the real curve of its base, so that "less than nothing" and "more than any" need no number.
c1 and k enter as ln(c1) / k alone and cannot be told apart: k is set to the geometric mean of the bases. The
constants are never assumed: none of the published ones is in the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.equivalence.result import (
    BaseEffect,
    Constant,
    EquivalenceMeasure,
    ExchangeRow,
    LeftOut,
    PublishedForm,
    Source,
)
from gmaug_core.method.verdict.curve import PowerLaw

Floats = NDArray[np.float64]
LOG_LOG_C2 = (-4.0, 4.0)  # of ln ln c2: real images as good as 1 / .02, down to worth next to nothing
LOG_C1 = (-6.0, 6.0)
SEARCHED = 1.001  # times as near to a limit, a constant lies at it
GRID = 33  # starts in each direction
STEPS = 25  # of Levenberg and Marquardt's method, at most
SETTLED = 1e-4  # relative change of every sum of squares at which they end
LEVEL_ENDS = (0.025, 0.975)


@dataclass(frozen=True)
class Drawn:
    """One base: its real curve and what its synthetic images did, in every resample, the measured values
    first. law: [m] curves; added: [points]; values: [m, points], percent; errors: [points], standard ones."""

    base: int
    law: PowerLaw
    added: Floats
    values: Floats
    errors: Floats

    def first(self) -> Drawn:
        """The measured values alone."""
        law = PowerLaw(self.law.level[:1], self.law.scale[:1], self.law.power[:1])
        return replace(self, law=law, values=self.values[:1])


@dataclass(frozen=True)
class Form:
    """log_log_c2, log_c1: [m]; k: real images."""

    log_log_c2: Floats
    log_c1: Floats
    k: float

    def real(self, base: int, synthetic: Floats) -> Floats:
        """Real images that synthetic [n] are worth, one row a fit: [m, n]."""
        ease = np.exp(-self.log_c1 * base / self.k)[:, None]
        with np.errstate(over="ignore"):
            return np.asarray(
                base * np.log1p(synthetic / base * ease) / np.exp(self.log_log_c2)[:, None], np.float64
            )

    def miss(self, each: Sequence[Drawn]) -> Floats:
        """What it predicts less what was measured, percentage points: [m, all points]."""
        found = []
        for one in each:
            growth = 1 + np.minimum(self.real(one.base, one.added) / one.base, 1e6)
            found.append(one.law.at(growth) - one.values)
        return np.concatenate(found, axis=1)


def fit(
    source: Source, key: EquivalenceMeasure, each: Sequence[Drawn], direct: Sequence[ExchangeRow]
) -> PublishedForm:
    """each: by base; direct: what the curves equated one by one say, to hold it against."""
    found = fitted(each)
    several = len(each) > 1
    c2 = _constant(np.exp(np.exp(found.log_log_c2)), [np.exp(np.exp(end)) for end in LOG_LOG_C2])
    c1 = _constant(np.exp(found.log_c1), [np.exp(end) for end in LOG_C1]) if several else None
    measured = [one.first() for one in each]
    first = Form(found.log_log_c2[:1], found.log_c1[:1], found.k)
    return PublishedForm(
        source=source,
        measure=key,
        bases=tuple(one.base for one in each),
        k=found.k,
        c1=c1,
        c2=c2,
        base_effect=_effect(c1),
        points_error=_error(first, measured),
        points_noise=float(np.sqrt(np.mean(np.concatenate([one.errors for one in each]) ** 2))),
        images_ratio=_ratio(first, direct),
        left_out=tuple(_left_out(k, measured, direct) for k in range(len(each))) if len(each) > 2 else (),
    )


def fitted(each: Sequence[Drawn]) -> Form:
    """Least squares in every resample: from the best of a grid, by Levenberg and Marquardt's method. c1 is 1
    where there is one base."""
    k = float(np.exp(np.mean([np.log(one.base) for one in each])))
    free = 2 if len(each) > 1 else 1
    second = np.linspace(*LOG_LOG_C2, GRID)
    first = np.linspace(*LOG_C1, GRID) if free == 2 else np.zeros(1)
    starts = np.stack([grid.ravel() for grid in np.meshgrid(second, first)], axis=1)
    at = starts[_loss(starts, k, [_repeated(one.first(), len(starts)) for one in each]).argmin()]
    now = np.repeat(at[None], len(each[0].values), axis=0)
    loss, damping = _loss(now, k, each), np.full(len(now), 1e-2)
    for _ in range(STEPS):
        step = _step(now, k, each, damping, free)
        tried = np.clip(now + step, (LOG_LOG_C2[0], LOG_C1[0]), (LOG_LOG_C2[1], LOG_C1[1]))
        new = _loss(tried, k, each)
        better = new < loss
        if not (loss - new > SETTLED * loss).any():
            break
        now[better], loss[better] = tried[better], new[better]
        damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-9, 1e9)
    return Form(now[:, 0], now[:, 1], k)


def _repeated(one: Drawn, times: int) -> Drawn:
    law = PowerLaw(*(np.repeat(each, times) for each in (one.law.level, one.law.scale, one.law.power)))
    return replace(one, law=law, values=np.repeat(one.values, times, axis=0))


def _loss(at: Floats, k: float, each: Sequence[Drawn]) -> Floats:
    return np.asarray((Form(at[:, 0], at[:, 1], k).miss(each) ** 2).sum(axis=1), np.float64)


def _step(at: Floats, k: float, each: Sequence[Drawn], damping: Floats, free: int) -> Floats:
    """One damped Gauss-Newton step a row."""
    miss = Form(at[:, 0], at[:, 1], k).miss(each)
    slopes = []
    for which in range(free):
        moved = at.copy()
        moved[:, which] += 1e-4
        slopes.append((Form(moved[:, 0], moved[:, 1], k).miss(each) - miss) / 1e-4)
    jacobian = np.stack(slopes, axis=2)  # [m, points, free]
    normal = np.einsum("mpa,mpb->mab", jacobian, jacobian)
    normal += (damping[:, None] * np.einsum("maa->ma", normal) + 1e-9)[:, :, None] * np.eye(free)
    solved = np.linalg.solve(normal, -np.einsum("mpa,mp->ma", jacobian, miss)[..., None])[..., 0]
    step = np.zeros_like(at)
    step[:, :free] = np.clip(solved, -1, 1)
    return step


def _constant(values: Floats, limits: Sequence[float]) -> Constant:
    """The measured fit and the quantiles of the resamples; an end at a limit of the search is no end: where
    nothing was worth anything every resample lies at the same limit, and none was found."""
    lowest, highest = limits[0] * SEARCHED, limits[1] / SEARCHED
    low, high = (float(end) for end in np.quantile(values[1:], LEVEL_ENDS))
    value = float(values[0])
    return Constant(
        value=value,
        low=min(low, value) if lowest < low < highest else None,
        high=max(high, value) if lowest < high < highest else None,
    )


def _effect(c1: Constant | None) -> BaseEffect:
    if c1 is not None and c1.low is not None and c1.low > 1:
        return "more"
    if c1 is not None and c1.high is not None and c1.high < 1:
        return "fewer"
    return "unclear"


def _error(form: Form, measured: Sequence[Drawn]) -> float:
    return float(np.sqrt((form.miss(measured) ** 2).mean()))


def _ratio(form: Form, direct: Sequence[ExchangeRow]) -> float | None:
    """Median of the larger of form / direct and direct / form, where direct is a number of at least 1."""
    found = []
    for row in direct:
        if row.measured and row.real.images is not None and row.real.images >= 1:
            said = float(form.real(row.base, np.array([row.synthetic], float))[0, 0])
            found.append(abs(np.log(max(said, 1e-9) / row.real.images)))
    return float(np.exp(np.median(found))) if found else None


def _left_out(k: int, measured: Sequence[Drawn], direct: Sequence[ExchangeRow]) -> LeftOut:
    """Base k predicted from the others: its own real curve, their constants."""
    others = fitted([one for number, one in enumerate(measured) if number != k])
    base = measured[k].base
    return LeftOut(
        base=base,
        points_error=_error(others, [measured[k]]),
        images_ratio=_ratio(others, [row for row in direct if row.base == base]),
    )
