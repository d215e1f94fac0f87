"""The law that ships: the unrounded least-squares fit of the paper's eight points, how far it is to be
trusted, and the same fit with a user's own datasets.

The printed equation is this fit with its base rounded from 0.9373 to 0.94, which lowers predictions by 10
points at the paper's steepest point.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from gmaug_core.errors import InputError
from gmaug_core.scoring.law import CONFIDENCE, PAPER_PROFILE, Law, fit_law, gain_se, leave_one_out

SUPSUB_THRESHOLD, MERGE_THRESHOLD = 0.1652, 0.1319  # table 5: the highest scores at which augmentation worked
LOWEST_FAILING = (
    0.2625  # table 5: the lowest SSIM-supSubCls at which it did not (scene); nothing was measured between
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
class Record:
    """How well the shipped law does on its own points.

    mean_error: of predicting each dataset from the others, in percentage points; significant: how many of the
    `n` gains are told from nothing by their test images (Fisher's exact test, p < .05, two-sided).
    """

    mean_error: float
    significant: int
    n: int


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


@cache
def paper_record() -> Record:
    """The record of the shipped law."""
    from scipy import stats  # half a second to import, and this is asked for on one page

    points = paper_points()
    left = leave_one_out([point.supsub for point in points], [point.gain for point in points])
    tables = []
    for point in points:
        right = [round(accuracy / 100 * point.n) for accuracy in (point.baseline, point.augmented)]
        tables.append([[count, point.n - count] for count in right])
    told = sum(float(stats.fisher_exact(table).pvalue) < 1 - CONFIDENCE for table in tables)
    return Record(float(np.mean([abs(row["error"]) for row in left])), told, len(points))


def refit(
    x: Sequence[float],
    gain: Sequence[float],
    se: Sequence[float],
    *,
    with_paper: bool,
    x_se: Sequence[float] | None = None,
    profile: str = PAPER_PROFILE,
) -> Law:
    """The law of a user's own datasets, one point each, with or without the paper's points.

    Each is weighted by its error and the scatter of datasets about the law (fitting.random_effects). Scores
    must be of `profile`; the paper's points join only a fit of profile 'paper' (InputError otherwise).
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
    of_scores = [*(x_se or [0.0] * len(x)), *(0.0 for _ in points)]
    gains = [*gain, *(point.gain for point in points)]
    return fit_law(scores, gains, 1 / errors**2, x_se=of_scores, profile=profile)
