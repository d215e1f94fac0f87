"""What a run measured of every variant: evaluations on the test split -> the figures of its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.curves import areas
from gmaug_core.method.parts.accuracy import Gain, GeneratorSpread, Measure, VariantResult
from gmaug_core.method.statistics import (
    Floats,
    Interval,
    SeedVariance,
    area,
    components,
    difference,
    proportion,
    relative,
    seed_variance,
)

if TYPE_CHECKING:
    from gmaug_core.models.classifiers import Evaluation


def correct(evaluations: Sequence[Evaluation]) -> Floats:
    """float [seeds, images]: 1 where a seed's classifier put the image in its class."""
    return np.array([e.correct for e in evaluations], float)


def pooled_seeds(tested: Mapping[str, Sequence[Evaluation]]) -> SeedVariance | None:
    """What a seed changes, from every variant that was trained with the same seeds. One whose classifiers are
    the baseline's own (nothing was accepted) would say that a seed changes less than it does: left out."""
    rows: dict[tuple[float, ...], None] = {}
    for found in tested.values():
        rows.setdefault(tuple(e.accuracy for e in found))
    return seed_variance(np.array(list(rows)))


def summary(label: str, evaluations: Sequence[Evaluation], labels: NDArray[np.int64]) -> VariantResult:
    """Accuracy, balanced accuracy, AUROC and AUPRC over seeds. labels: int [images], of the test split."""
    right, n = correct(evaluations), evaluations[0].n
    tested = int((n > 0).sum())
    return VariantResult(
        label=label,
        accuracy=measure(proportion(right), [e.accuracy for e in evaluations], len(labels)),
        balanced_accuracy=measure(
            proportion(right, 1 / (tested * n[labels])),
            [e.balanced_accuracy for e in evaluations],
            len(labels),
        ),
        classes_tested=tested,
        **_areas(evaluations, labels),
    )


def _areas(evaluations: Sequence[Evaluation], labels: NDArray[np.int64]) -> dict[str, Measure]:
    """AUROC and AUPRC; empty where one class alone is tested."""
    found = [areas(e.probabilities, labels) for e in evaluations]
    known = [pair for pair in found if pair is not None]
    return {
        key: measure(
            area(
                np.array([pair[k].value for pair in known]), np.array([pair[k].influence for pair in known])
            ),
            [pair[k].value for pair in known],
            len(labels),
        )
        for k, key in enumerate(("auroc", "auprc"))
        if known
    }


def measure(found: Interval, values: Sequence[float], n: int) -> Measure:
    """A share with its interval, one value a seed and the number of images."""
    return Measure(
        mean=found.mean, ci_low=found.low, ci_high=found.high, values=tuple(map(float, values)), n=n
    )


def recall(evaluations: Sequence[Evaluation], labels: NDArray[np.int64], label: int) -> Interval | None:
    """Of one class; None where it has no test image."""
    own = labels == label
    return proportion(correct(evaluations)[:, own]) if own.any() else None


def _covers(seeds: int, *, generators: bool) -> str:
    """What an interval covers for certain. generators: whether there are several, as folds have."""
    if seeds < 2:
        return "images"
    return "generators, seeds and images" if generators else "seeds and images"


def relative_gain(
    augmented: Sequence[Evaluation],
    control: Sequence[Evaluation],
    name: str,
    *,
    of: str = "augmented",
    pooled: SeedVariance | None = None,
    fold: NDArray[np.int64] | None = None,
    repeats: Sequence[Sequence[Evaluation]] = (),
) -> Gain:
    """(augmented - control) / control in percent, paired by seed and test image; its difference in points
    decides. name, of: the keys of control and augmented; fold: int [images], that tested each image; repeats:
    the augmented one with other generators."""
    grid, c = np.array([correct(each) for each in (augmented, *repeats)]), correct(control)
    a = grid.mean(axis=0)
    if repeats:
        pooled = None  # of variants that one generator served
    points = difference(grid, c, pooled, fold)
    known = {
        "n_seeds": len(a),
        "control": name,
        "of": of,
        "points": 100 * points.mean,
        "points_low": 100 * points.low,
        "points_high": 100 * points.high,
        "generators": len(grid),
        "covers": _covers(len(a), generators=bool(repeats) or fold is not None),
    }
    found = relative(grid, c, pooled, fold)
    if found is None:
        return Gain.model_validate({"value": None, "ci_low": None, "ci_high": None, "values": (), **known})
    values = 100 * (a - c).mean(axis=1) / c.mean()
    return Gain.model_validate(
        {
            "value": 100 * found.mean,
            "ci_low": 100 * found.low,
            "ci_high": 100 * found.high,
            "values": tuple(values.tolist()),
            "n": a.shape[1],
            **known,
        }
    )


def generator_spread(
    augmented: Sequence[Sequence[Evaluation]], control: Sequence[Evaluation]
) -> GeneratorSpread:
    """What the generators' own luck does to a gain. augmented: with each generator, two at least."""
    grid = np.array([correct(each) for each in augmented]) - correct(control)
    found = components(grid)
    sd = {key: 100 * getattr(found, key) ** 0.5 for key in ("generator", "seed", "rest")}
    held = (
        " Of two generators that differ much such an interval holds 91 % of the time, not 95."
        if len(grid) == 2
        else ""
    )
    return GeneratorSpread(
        points=tuple((100 * grid.mean(axis=(1, 2))).tolist()),
        **sd,
        words=(
            f"{len(grid)} trainings of the generator, {grid.shape[1]} classifier seeds each: another "
            f"generator moves the gain by {sd['generator']:.2f} points, another classifier seed by "
            f"{sd['seed']:.2f}, and {sd['rest']:.2f} is of neither alone (standard deviations); the interval "
            f"covers all.{held}"
        ),
    )
