"""Curves of accuracy against images added to a base of n0: real ones, and synthetic ones, which may also do
harm.

Two forms of each. Real: an offset power law of the total, level - scale ((n0 + m) / n0)^-c, and a monotone
one (isotonic regression, linear in the log of the total between its points; Barlow 1972). Synthetic: start +
rise (1 - (1 + m / h)^-c), whose rise may be below 0, from where the real curve starts; and a monotone one,
rising or falling, whichever is nearer. All are fitted to many resamples at once, one a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.verdict.curve import POWERS, REACH, PowerLaw, offset_power_law

Floats = NDArray[np.float64]
BENDS = np.array([0.1, 0.3, 1.0, 3.0, 10.0, 30.0])  # h of the synthetic curve, in bases


def isotonic(values: Floats) -> Floats:
    """The nearest rows that never fall, least squares: the largest over starts of the smallest over ends of
    the means between (Robertson, Wright and Dykstra 1988). values: [m, points]."""
    n = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
    lengths = np.arange(1, n + 1)[None] - np.arange(n)[:, None]
    between = (sums[:, None, 1:] - sums[:, :-1, None]) / np.where(lengths > 0, lengths, 1)
    between = np.where(lengths > 0, between, np.inf)  # [m, starts, ends]
    from_end = np.minimum.accumulate(between[:, :, ::-1], axis=2)[:, :, ::-1]
    reached = np.where(lengths > 0, from_end, -np.inf)
    return np.asarray(reached.max(axis=1), np.float64)


@dataclass(frozen=True)
class RealCurve:
    """Both forms, one row a resample. added: [points], the base alone is 0; steps: [m, points], monotone."""

    base: int
    added: Floats
    law: PowerLaw
    steps: Floats

    @property
    def reach(self) -> float:
        """Images added up to which it may be continued: REACH times what was measured, in log growth."""
        return float(self.base * (1 + self.added[-1] / self.base) ** REACH - self.base)

    def at(self, added: Floats) -> tuple[Floats, Floats]:
        """Of both forms, percent: [m, n] for [n] numbers of images. The monotone form goes on like the law
        outside of what was measured."""
        growth = 1 + added / self.base
        by_law = self.law.at(growth)
        by_steps = _between(np.log1p(self.added / self.base), self.steps, np.log(growth))
        outside = (added < self.added[0]) | (added > self.added[-1])
        ends = self.law.at(1 + np.clip(added, self.added[0], self.added[-1]) / self.base)
        return by_law, by_steps + np.where(outside, by_law - ends, 0.0)

    def worth(self, accuracies: Floats) -> tuple[Floats, Floats]:
        """Images added that do as much, by both forms: [m, n] for accuracies [m, n]; inf where none within
        reach does."""
        by_law = self._by_law(accuracies)
        by_steps = self._by_steps(accuracies)
        outside = (accuracies > self.steps[:, -1:]) | (accuracies < self.steps[:, :1])
        # beyond its ends: the law, moved so that both meet there
        ends = np.where(accuracies > self.steps[:, -1:], self.added[-1], self.added[0])
        moved = accuracies - np.clip(accuracies, self.steps[:, :1], self.steps[:, -1:])
        at_ends = self.law.level[:, None] - self.law.scale[:, None] * (1 + ends / self.base) ** (
            -self.law.power[:, None]
        )
        found = np.where(outside, self._by_law(at_ends + moved), by_steps)
        return self._cut(by_law), self._cut(found)

    def _cut(self, found: Floats) -> Floats:
        return np.where(found > self.reach, np.inf, found)

    def _by_law(self, accuracies: Floats) -> Floats:
        short = self.law.level[:, None] - accuracies
        scale = np.maximum(self.law.scale[:, None], 1e-12)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            growth = np.where(
                short > 0, (np.maximum(short, 1e-300) / scale) ** (-1 / self.law.power[:, None]), np.inf
            )
        return np.asarray(self.base * (growth - 1), np.float64)

    def _by_steps(self, accuracies: Floats) -> Floats:
        """Inside of the monotone form; in the middle of a flat part of it."""
        x = np.log1p(self.added / self.base)
        level = self.steps[:, None, :]
        asked = accuracies[:, :, None]
        below = (level < asked).sum(axis=2)  # points strictly below
        upto = (level <= asked).sum(axis=2)
        last = len(self.added) - 1
        rows = np.arange(len(accuracies))[:, None]
        left, right = np.clip(below - 1, 0, last), np.clip(below, 0, last)
        y0, y1 = self.steps[rows, left], self.steps[rows, right]
        part = np.where(y1 > y0, (accuracies - y0) / np.where(y1 > y0, y1 - y0, 1), 0.0)
        inside = x[left] + part * (x[right] - x[left])
        flat = upto > below
        middle = (x[np.clip(below, 0, last)] + x[np.clip(upto - 1, 0, last)]) / 2
        return np.asarray(self.base * np.expm1(np.where(flat, middle, inside)), np.float64)


def real_curve(base: int, added: Sequence[int], values: Floats) -> RealCurve:
    """values: [m, points], percent, at `added` real images, ascending, 0 among them."""
    places = np.asarray(added, float)
    growth = 1 + places / base
    return RealCurve(base, places, offset_power_law(growth.tolist(), values), isotonic(values))


@dataclass(frozen=True)
class SyntheticCurve:
    """Both forms, one row a resample. start: [m], where the law starts; rise, bend, power: [m]; added:
    [points + 1], from 0 on; steps: [m, points + 1], monotone."""

    start: Floats
    rise: Floats
    bend: Floats
    power: Floats
    added: Floats
    steps: Floats

    def at(self, added: Floats) -> tuple[Floats, Floats]:
        """Of both forms, percent: [m, n] for [n] numbers of images up to the largest measured."""
        shape = 1 - (1 + added / self.bend[:, None]) ** -self.power[:, None]
        x = np.log1p(self.added / self.added[1])
        by_steps = _between(x, self.steps, np.log1p(added / self.added[1]))
        return self.start[:, None] + self.rise[:, None] * shape, by_steps


def synthetic_curve(
    base: int, added: Sequence[int], values: Floats, start: Floats, first: Floats
) -> SyntheticCurve:
    """values: [m, points], percent, at `added` synthetic images, all above 0; start, first: [m], the base
    alone by the two forms of the real curve."""
    places = np.asarray(added, float)
    best = np.full(len(values), np.inf)
    rise, bend, powers = (np.zeros(len(values)) for _ in range(3))
    over = values - start[:, None]
    for h in BENDS * base:
        for power in POWERS:
            shape = 1 - (1 + places / h) ** -power
            scale = over @ shape / (shape @ shape)
            error = ((over - scale[:, None] * shape) ** 2).sum(axis=1)
            better = error < best - 1e-12
            best[better] = error[better]
            rise[better], bend[better], powers[better] = scale[better], h, power
    steps = np.concatenate([first[:, None], values], axis=1)
    rising, falling = isotonic(steps), -isotonic(-steps)
    nearer = ((steps - rising) ** 2).sum(axis=1) <= ((steps - falling) ** 2).sum(axis=1)
    monotone = np.where(nearer[:, None], rising, falling)
    return SyntheticCurve(start, rise, bend, powers, np.concatenate([[0.0], places]), monotone)


def _between(x: Floats, rows: Floats, at: Floats) -> Floats:
    """Linear interpolation of every row at the same places, flat outside; [m, n]."""
    right = np.clip(np.searchsorted(x, at), 1, len(x) - 1)
    part = np.clip((at - x[right - 1]) / (x[right] - x[right - 1]), 0, 1)
    return np.asarray(rows[:, right - 1] * (1 - part) + rows[:, right] * part, np.float64)
