"""What synthetic images gave of the headroom that was predicted for them, over the datasets of the record:
gain = share x headroom, with scatter between datasets.

A headroom counts every synthetic image as a new real one. What a run may expect is that times the share that
was realised where it was measured. The share is a meta-regression through the origin with random effects: the
scatter by Paule and Mandel (1982), the share's error by Hartung and Knapp (2001), a new dataset's interval by
Higgins, Thompson and Spiegelhalter (2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from gmaug_core.numbers import true_minus
from gmaug_core.scoring.record import Z_95, Measured, collections, cut_from

LEAST = 8  # datasets: with fewer the interval of a new one says nothing
CAUTION = 0.75  # probability that the scatter is below what is taken
ROUNDS = 8  # of share and weights in turn
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Realised:
    """share: of the headroom, with its 95 % interval; share_se: its standard error; scatter: standard
    deviation between datasets of what is left, in percentage points; n: datasets; collections: that they are
    cut from, 0 where that is not known.
    """

    share: float
    low: float
    high: float
    share_se: float
    scatter: float
    n: int
    collections: int = 0

    def expected(self, headroom: float, se: float = 0.0) -> tuple[float, float, float]:
        """What a run on a new dataset would gain, with its 95 % interval; all in percentage points.

        headroom: what it would gain were every image a new real one, se its standard error.
        """
        variance = self.scatter**2 + (headroom * self.share_se) ** 2 + (self.share * se) ** 2
        half = _t(self.n - 2) * math.sqrt(variance)
        middle = self.share * headroom
        return middle, middle - half, middle + half

    @property
    def words(self) -> str:
        """'in 16 measured datasets synthetic images gave −3 % [−9, 4] of such a headroom'."""
        share = f"{100 * self.share:z.0f} % [{100 * self.low:z.0f}, {100 * self.high:z.0f}]"
        of = cut_from(self.n, self.collections or self.n)
        return (
            f"in {self.n} measured datasets{of} synthetic images gave {true_minus(share)} of such a headroom"
        )


def of_record(measured: Sequence[Measured]) -> Realised | None:
    """From the datasets whose verdict projected a headroom; None where they are fewer than LEAST."""
    known = [cell for cell in measured if cell.headroom is not None and cell.points_high > cell.points_low]
    if len(known) < LEAST:
        return None
    found = fitted(
        np.array([cell.headroom for cell in known], np.float64),
        np.array([cell.points for cell in known], np.float64),
        np.array([(cell.points_high - cell.points_low) / (2 * Z_95) for cell in known], np.float64),
        np.array([cell.headroom_se for cell in known], np.float64),
    )
    return replace(found, collections=collections(known))


def fitted(headroom: Floats, gain: Floats, se: Floats, headroom_se: Floats | None = None) -> Realised:
    """headroom, gain, se (of the gain, > 0), headroom_se (>= 0): [n] in percentage points, n > 2, not every
    headroom 0.

    The scatter is not its best estimate but what it is below with CAUTION: the best one is often 0 where it
    is as small as the gains' own errors, and the interval of a new dataset then held 82 % in simulations. As
    it is that held 91 to 100 %, and the share's own 93 to 99 % (8 to 24 datasets, errors in the headroom of a
    fifth of it included).
    """
    n, of_headroom = len(headroom), np.zeros_like(se) if headroom_se is None else headroom_se

    def weighted(between: float) -> tuple[Floats, float]:
        share = 0.0
        weight = 1 / (se**2 + between)
        for _ in range(ROUNDS):  # what a headroom's error does to the gain depends on the share
            weight = 1 / (se**2 + (share * of_headroom) ** 2 + between)
            share = float(weight @ (headroom * gain) / (weight @ headroom**2))
        return weight, share

    def squares(between: float) -> float:
        weight, share = weighted(between)
        return float(weight @ (gain - share * headroom) ** 2)

    def scatter(expected: float) -> float:
        """The variance at which the weighted squares are what is expected."""
        most = float(np.mean(gain**2)) + 1.0
        while squares(most) > expected:
            most *= 2
        if squares(0.0) <= expected:
            return 0.0
        return float(optimize.brentq(lambda between: squares(between) - expected, 0.0, most))

    weight, share = weighted(scatter(n - 1))
    left = max(1.0, float(weight @ (gain - share * headroom) ** 2) / (n - 1))
    error = math.sqrt(left / float(weight @ headroom**2))
    half = _t(n - 1) * error
    cautious = scatter(float(special.chdtri(n - 1, CAUTION)))
    return Realised(share, share - half, share + half, error, math.sqrt(cautious), n)


def _t(freedom: int) -> float:
    return float(special.stdtrit(freedom, 0.975))
