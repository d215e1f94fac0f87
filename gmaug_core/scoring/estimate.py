"""The mean SSIM of a set of images from some of its pairs, and the highest of such means: values with
intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from gmaug_core.scoring.pairs import Index, draw_pairs, pair_at, pair_count
from gmaug_core.scoring.result import ROUGH_PAIRS, Highest, KnownSet, SetMean, SuperClassMean

CONFIDENCE = 0.95
NEAR = (
    2.0  # super-classes whose mean is within this many standard errors of the highest may be the true highest
)


@dataclass(eq=False)
class PairMean:
    """Mean SSIM over the pairs of one set: `target` are planned, `drawn` given out, `count` in the mean."""

    members: Index
    key: str
    target: int
    stream: npt.NDArray[np.uint64]
    drawn: int = 0
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0  # sum of squared deviations
    half_width: float | None = None
    pilot: tuple[int, float] | None = None  # pairs and standard deviation of the first stage

    def state(self) -> KnownSet:
        """What `restore` needs."""
        return KnownSet(count=self.count, mean=self.mean, squares=self.squares, pilot=self.pilot)

    def restore(self, state: KnownSet) -> None:
        """Take over a finished set."""
        self.count = self.drawn = self.target = state.count
        self.mean, self.squares, self.pilot = state.mean, state.squares, state.pilot

    @property
    def total(self) -> int:
        return pair_count(len(self.members))

    @property
    def exact(self) -> bool:
        return self.count == self.total

    def next_pairs(self, most: int) -> Index:
        """At most `most` further pairs, as indices of images."""
        start, self.drawn = self.drawn, min(self.target, self.drawn + most)
        if self.target == self.total:  # all of them: in an order that keeps images in the cache
            return self.members[pair_at(np.arange(start, self.drawn))]
        return self.members[draw_pairs(len(self.members), start, self.drawn, self.stream)]

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Merge a run of values (Chan's update); the runs are cut alike whoever does the work."""
        n, mean = len(values), float(values.mean())
        difference = mean - self.mean
        total = self.count + n
        self.squares += float(np.sum((values - mean) ** 2)) + difference**2 * self.count * n / total
        self.mean += difference * n / total
        self.count = total
        if self.half_width is not None and self.pilot is None and self.count >= self.target:
            self._plan()

    def _plan(self) -> None:
        """Stein's second stage: how many pairs the wanted half-width needs, from the pilot's deviation alone.

        The final interval uses that deviation too, so looking at the data does not cost coverage (Stein
        1945).
        """
        self.pilot = (self.count, self.deviation)
        reach = special.stdtrit(self.count - 1, 0.5 + CONFIDENCE / 2) * self.deviation
        if not self.exact and reach > 0 and self.half_width:
            self.target = min(
                self.total,
                max(self.count, int(np.ceil(1 / (1 / self.total + (self.half_width / reach) ** 2)))),
            )

    @property
    def deviation(self) -> float:
        return float(np.sqrt(self.squares / max(self.count - 1, 1)))

    @property
    def freedom(self) -> int:
        return max((self.pilot[0] if self.pilot else self.count) - 1, 1)

    @property
    def error(self) -> float:
        """Standard error of the mean of distinct pairs out of a finite number; 0 when all were taken."""
        if self.exact:
            return 0.0
        deviation = self.pilot[1] if self.pilot else self.deviation
        return deviation * float(np.sqrt(max(0.0, 1 / self.count - 1 / self.total)))

    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over all pairs of this set; of zero width when all were taken."""
        if self.exact:
            return self.mean, self.mean
        reach = float(special.stdtrit(self.freedom, 0.5 + CONFIDENCE / 2)) * self.error
        return float(max(self.mean - reach, -1.0)), float(min(self.mean + reach, 1.0))

    @property
    def approximate(self) -> bool:
        """Whether the interval is only roughly a 95 % one."""
        return not self.exact and self.count < ROUGH_PAIRS

    @property
    def known(self) -> bool:
        """Whether there are enough pairs for a value with an interval."""
        return self.count >= 2 or self.exact

    def measured(self) -> SetMean:
        """What is known of the set; value and interval are None while too few pairs are there."""
        low, high = self.interval() if self.known else (None, None)
        return SetMean(
            n=len(self.members),
            value=self.mean if self.known else None,
            ci_low=low,
            ci_high=high,
            pairs=self.count,
            exact=self.exact,
            approximate=self.approximate,
            se=self.error if self.known else None,
        )

    def named(self, name: str) -> SuperClassMean:
        """The same, of a super-class."""
        return SuperClassMean(name=name, **self.measured().model_dump())


def highest(named: Mapping[str, PairMean]) -> Highest:
    """SSIM-supSubCls = the highest of the super-classes' means, and what is uncertain about it.

    A maximum of noisy means is too high on average by `bias` (expected excess if the means were as
    estimated); bias_corrected takes it off. Interval: the upper end is the highest of the upper ends (valid
    whichever is the true maximum); the lower end asks how far the maximum of all super-classes within NEAR
    standard errors of the top could exceed the truth by chance, so near-ties do not lose coverage (they gain
    some: 97 % where 95 % are meant). argmax_certain: nobody is within NEAR.
    """
    names, sets = list(named), list(named.values())
    means, errors = np.array([each.mean for each in sets]), np.array([each.error for each in sets])
    freedom = np.array([each.freedom for each in sets])
    order = np.argsort(-means, kind="stable")
    best = int(order[0])
    top = float(means[best])
    near = means + NEAR * np.hypot(errors, errors[best]) >= top
    noisy = np.flatnonzero(near & (errors > 0))
    level = 0.5 + CONFIDENCE / 2

    def excess(reach: float) -> float:
        return float(np.prod(special.stdtr(freedom[noisy], reach / errors[noisy]))) - level

    low = top - optimize.brentq(excess, 0.0, float(errors.max()) * 1e4) if len(noisy) else top
    if errors[best] == 0:
        low = top  # an exact mean is a floor of the maximum
    high = float(np.max(means + special.stdtrit(freedom, level) * errors))
    bias = _expected_maximum(means, errors) - top
    second = int(order[1]) if len(sets) > 1 else None
    return Highest(
        value=top,
        ci_low=max(low, -1.0),
        ci_high=min(high, 1.0),
        pairs=sum(each.count for each in sets),
        exact=bool((errors == 0).all()),
        name=names[best],
        bias=bias,
        bias_corrected=top - bias,
        argmax_certain=bool(near.sum() == 1),
        runner_up=None if second is None else names[second],
        gap=None if second is None else top - float(means[second]),
    )


def _expected_maximum(means: npt.NDArray[np.float64], errors: npt.NDArray[np.float64]) -> float:
    """E max of independent normals, by quadrature; errors may be 0."""
    floor = float(np.max(means - 8 * errors))  # the maximum is practically never below this
    ceiling = float(np.max(means + 8 * errors))
    if ceiling <= floor:
        return float(np.max(means))
    grid = np.linspace(floor, ceiling, 1001)
    below = np.ones_like(grid)
    for mean, error in zip(means, errors, strict=True):
        below *= special.ndtr((grid - mean) / error) if error > 0 else grid >= mean
    return ceiling - float(np.trapezoid(below, grid))
