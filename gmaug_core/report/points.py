"""A person's own finished runs as points on the curve, and the law fitted again with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gmaug_core import runs
from gmaug_core.config import Profile
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.advice import refusal
from gmaug_core.scoring.fitting import pooled
from gmaug_core.scoring.law import PAPER_PROFILE, Law
from gmaug_core.scoring.paper import refit
from gmaug_core.scoring.record import Z_95

log = logging.getLogger("gmaug")


@dataclass(frozen=True)
class OwnPoint:
    """One finished augmentation run, or all of one dataset together (by_dataset).

    x: its SSIM-supSubCls, x_se its standard error; gain, low, high: relative gain over the baseline in
    percent, 95 % interval; content: version of the dataset's images, equal for runs of one dataset.
    """

    run: str
    name: str
    x: float
    gain: float
    low: float
    high: float
    x_se: float = 0.0
    content: str = ""

    @property
    def se(self) -> float:
        """Standard error of the gain, in percent: from the width of its interval."""
        return (self.high - self.low) / (2 * Z_95)


def own_points() -> list[OwnPoint]:
    """Every finished run that measured a gain, and whose score has a place on the curve, newest first.

    A result that cannot be read is left out, with a word in the log.
    """
    points = []
    for paths in runs.list_runs("augmentation"):
        if not paths.result.exists():
            continue
        try:
            point = point_of(AugmentationResult.read(paths.result), paths)
        except GMAugError as error:
            log.warning("the result of %s is no point on the curve: %s", paths.id, error.what)
            continue
        if point is not None:
            points.append(point)
    return points


def point_of(result: AugmentationResult, paths: RunPaths) -> OwnPoint | None:
    """The point of one run; None where nothing was added, so that no gain was measured, where the gain has no
    interval, and where the score has no place on the curve."""
    x, gain = result.score.ssim_supsubcls, result.relative_gain_percent
    if result.status == "not tested" or gain.value is None or gain.ci_low is None or gain.ci_high is None:
        return None
    if no_place(result):
        return None
    return OwnPoint(
        run=paths.id,
        name=f"{result.dataset_name}, {result.preset}, {result.generator.name}",
        x=x.value,
        gain=gain.value,
        low=gain.ci_low,
        high=gain.ci_high,
        x_se=(x.ci_high - x.ci_low) / (2 * Z_95),
        content=RunConfigFile.read(paths.config).dataset_version,
    )


def no_place(result: AugmentationResult) -> bool:
    """Whether a run's score must not be placed on the curve.

    Of results from before sizes were noted, the dataset is asked where it is still there.
    """
    score = result.score
    if score.stored is None and score.profile == PAPER_PROFILE:
        try:
            median = dataset.load(result.dataset).image_size
        except GMAugError:
            return False
        return median < Profile.parse(score.profile).size
    return refusal(score.profile, score.stored) is not None


def usable(points: Sequence[OwnPoint]) -> list[OwnPoint]:
    """Those with a standard error to weigh them by: a run of one seed has none."""
    return [point for point in points if point.se > 0]


def by_dataset(points: Sequence[OwnPoint]) -> list[OwnPoint]:
    """One point a dataset: its runs are measurements of one gain (fitting.pooled), each with an error."""
    groups: dict[str, list[OwnPoint]] = {}
    for point in points:
        groups.setdefault(point.content or point.run, []).append(point)
    found = []
    for members in groups.values():
        gain, se = pooled(np.array([p.gain for p in members]), np.array([p.se for p in members]))
        share = np.array([1 / p.se**2 for p in members])
        share /= share.sum()
        found.append(
            OwnPoint(
                run=members[0].run,
                name=members[0].name,
                x=float(share @ [p.x for p in members]),
                gain=gain,
                low=gain - Z_95 * se,
                high=gain + Z_95 * se,
                x_se=float(share @ [p.x_se for p in members]),
                content=members[0].content,
            )
        )
    return found


def law_with(points: Sequence[OwnPoint], *, with_paper: bool) -> Law:
    """The law fitted to own datasets, one point each, with or without the paper's.

    Runs without a standard error are left out. Raises InputError when too few are left to fit a curve.
    """
    weighed = by_dataset(usable(points))
    if not weighed:
        raise InputError(
            "no finished run can join the fit",
            expected="a finished augmentation run that added images, with a gain that has an interval, and a "
            "score of profile paper of images that are not enlarged",
            todo="finish a run of at least two seeds",
        )
    x, gain = [point.x for point in weighed], [point.gain for point in weighed]
    se, x_se = [point.se for point in weighed], [point.x_se for point in weighed]
    return refit(x, gain, se, x_se=x_se, with_paper=with_paper)
