"""The smallest gain that a run can tell from nothing, for exactly the paired test that it uses.

The test is statistics.difference: an interval of the mean difference from the variance over seeds and test
images, t with Satterthwaite's degrees. A gain is found when that interval lies above zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from gmaug_core.method.statistics import combined

POWER = 0.8
NODES = 64  # of the average over what the spread of the seeds will look like

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How paired differences (in any unit) vary; all variances are of one seed and one image.

    seed: of a seed's true mean difference; image: of an image's true mean difference over seeds; both: of
    what is left, a seed on an image.
    """

    seed: float
    image: float
    both: float

    @classmethod
    def of(cls, differences: Floats) -> Spread:
        """Estimated from differences [seeds, images], at least two seeds and images (two-way layout without
        repetition, moments; a component below 0 counts as 0)."""
        seeds, images = differences.shape
        rest = (
            differences
            - differences.mean(axis=0)
            - differences.mean(axis=1, keepdims=True)
            + differences.mean()
        )
        both = float((rest**2).sum() / ((seeds - 1) * (images - 1)))
        seed = float(differences.mean(axis=1).var(ddof=1)) - both / images
        image = float(differences.mean(axis=0).var(ddof=1)) - both / seeds
        return cls(max(seed, 0.0), max(image, 0.0), both)

    def variance(self, seeds: int, images: int) -> float:
        """Of the mean difference of a run with so many seeds and test images."""
        return self.seed / seeds + self.image / images + self.both / (seeds * images)


def power(gain: float, spread: Spread, seeds: int, images: int) -> float:
    """The probability, 0 ... 1, that a run's interval lies above zero when the true difference is `gain`.

    The mean difference is normal; the variance over seeds that the run will estimate is a scaled chi-square
    and is averaged over, the one over images is taken as known.
    """
    deviation = spread.variance(seeds, images) ** 0.5
    if deviation <= 0:
        return 1.0 if gain > 0 else 0.0
    of_seed = spread.seed + spread.both / images  # what the variance of the seeds' means estimates
    of_image = spread.image + spread.both / seeds
    if seeds < 2:
        reach = combined([(of_image / images, images - 1)]).interval(0.0).high
        return float(stats.norm.sf((reach - gain) / deviation))
    middles = (np.arange(NODES) + 0.5) / NODES
    factors = stats.chi2.ppf(middles, seeds - 1) / (seeds - 1)
    images_term, twice = (of_image / images, images - 1.0), spread.both / (seeds * images)
    terms = ([(of_seed * factor / seeds, seeds - 1.0), images_term] for factor in factors)
    reaches = np.array([combined(each, twice).interval(0.0).high for each in terms])
    return float(stats.norm.sf((reaches - gain) / deviation).mean())


def smallest_visible(spread: Spread, seeds: int, images: int, *, wanted: float = POWER) -> float:
    """The gain that is found with probability `wanted`, in the unit of the differences; 0 without spread."""
    deviation = spread.variance(seeds, images) ** 0.5
    if deviation <= 0:
        return 0.0
    upper = 4 * deviation
    while power(upper, spread, seeds, images) < wanted:
        upper *= 2
    found = optimize.brentq(
        lambda gain: power(gain, spread, seeds, images) - wanted, 0.0, upper, xtol=1e-4 * deviation
    )
    return float(found)
