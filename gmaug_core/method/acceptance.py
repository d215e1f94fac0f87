"""What the filter does with real images: the most that synthetic ones can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.selection import SelectionConfig
from gmaug_core.data import samples
from gmaug_core.method.bench import Labels, Logits, limits
from gmaug_core.method.parts.synthetic import JudgeFigures, Passed, RealAcceptance
from gmaug_core.method.statistics import proportion
from gmaug_core.models import selection


def real_acceptance(folder: Path, class_names: Sequence[str]) -> RealAcceptance | None:
    """The share of real validation images that the first step's judges accept, with intervals over judges and
    images.

    folder: of a run's samples. None in runs from before judges were shown real images.
    """
    table = samples.real_table(folder)
    table = table[table["step"] == 1]
    if "part" in table:  # a cross-fitted judge says of training images what one of its members does
        table = table[table["part"] == "val"]
    if table.empty:
        return None
    rows = [mine for _, mine in table.groupby("seed")]
    labels = rows[0]["label"].to_numpy(int)
    accepted = np.array([mine["accepted"].to_numpy(float) for mine in rows])
    return RealAcceptance(
        total=_passed(accepted),
        per_class={
            name: _passed(accepted[:, labels == label])
            for label, name in enumerate(class_names)
            if (labels == label).any()
        },
    )


def foretold(rule: SelectionConfig, logits: Sequence[Logits], labels: Labels) -> Passed | None:
    """What a rule would let pass of real images, gates aside; None where there is no filter. logits: of each
    judge; labels: of the images."""
    if rule.mode == "none":
        return None
    accepted = list[NDArray[np.bool_]]()
    for own in logits:
        mine = limits([(own, labels)], rule.threshold, own.shape[1]) if rule.mode == "real_share" else None
        found = selection.select(
            own,
            labels,
            threshold=rule.threshold,
            mode=rule.mode,
            limits=mine,
            temperature=selection.fitted_temperature(own, labels),
        )
        accepted.append(found.accepted)
    return _passed(np.array(accepted, float))


def judge_figures(folder: Path, rule: SelectionConfig) -> JudgeFigures | None:
    """Who judged the first step. None where that was judged before temperatures were fitted."""
    table = samples.real_table(folder)
    if "temperature" not in table:
        return None
    first = table[table["step"] == 1].groupby("seed")["temperature"].first()
    return JudgeFigures(
        kind=rule.judge,
        folds=rule.judge_folds if rule.judge == "cross_fitted" else None,
        temperatures=tuple(map(float, first)),
    )


def _passed(accepted: NDArray[np.float64]) -> Passed:
    """accepted: 0 or 1, float [judges, images]."""
    found = proportion(accepted)
    return Passed(share=found.mean, ci_low=found.low, ci_high=found.high, n=accepted.shape[1])
