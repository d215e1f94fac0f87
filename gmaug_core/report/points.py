"""A person's own finished runs as points on the curve, and the law fitted again with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gmaug_core import runs
from gmaug_core.errors import InputError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.scoring.law import PAPER_PROFILE, Law, refit

Z_95 = 1.96  # half of a 95 % interval in standard errors


@dataclass(frozen=True)
class OwnPoint:
    """One finished augmentation run.

    x: its SSIM-supSubCls; gain, low, high: relative gain over the baseline in percent, 95 % interval.
    """

    run: str
    name: str
    x: float
    gain: float
    low: float
    high: float

    @property
    def se(self) -> float:
        """Standard error of the gain, in percent: from the width of its interval."""
        return (self.high - self.low) / (2 * Z_95)


def own_points() -> list[OwnPoint]:
    """Every finished run whose score has the law's profile and whose gain could be computed, newest first."""
    points = []
    for paths in runs.list_runs("augmentation"):
        if not paths.result.exists():
            continue
        result = AugmentationResult.read(paths.result)
        x, gain = result.score.ssim_supsubcls.value, result.relative_gain_percent
        if result.score.profile != PAPER_PROFILE:
            continue
        if gain.value is None or gain.ci_low is None or gain.ci_high is None:
            continue
        name = f"{result.dataset_name}, {result.preset}, {result.generator.name}"
        points.append(OwnPoint(paths.id, name, x, gain.value, gain.ci_low, gain.ci_high))
    return points


def usable(points: Sequence[OwnPoint]) -> list[OwnPoint]:
    """Those with a standard error to weigh them by: a run of one seed has none."""
    return [point for point in points if point.se > 0]


def law_with(points: Sequence[OwnPoint], *, with_paper: bool) -> Law:
    """The law fitted to own points, each weighted by its error, with or without the paper's.

    Points without a standard error are left out. Raises InputError when too few are left to fit a curve.
    """
    weighed = usable(points)
    if not weighed:
        raise InputError(
            "no finished run can join the fit",
            expected="a finished augmentation run with a score of profile paper and a gain with an interval",
            todo="finish a run of at least two seeds",
        )
    x, gain = [point.x for point in weighed], [point.gain for point in weighed]
    return refit(x, gain, [point.se for point in weighed], with_paper=with_paper)
