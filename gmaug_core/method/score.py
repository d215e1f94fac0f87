"""The score of a dataset's training images: one way for a similarity run and for the run that it predicts
for. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import Profile
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.splits import Part
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.scoring import explain, similarity
from gmaug_core.scoring.result import KnownSet, SimilarityResult, Stored


def score_training_images(
    images: NDArray[np.uint8],
    data: Dataset,
    part: Part,
    grouping: Mapping[str, Sequence[str]],
    *,
    profile: Profile,
    seed: int = 0,
    pairs: int | None = None,
    half_width: float | None = None,
    workers: int = 0,
    device: str = "cpu",
    known: Mapping[str, KnownSet] | None = None,
    explained: bool = False,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> SimilarityResult:
    """SSIM-mergeCls and SSIM-supSubCls of the training part of the dataset's three-way split.

    images: all of the dataset's as `profile` prepares them, may be memory-mapped; part: which are trained on
    (splits.training_part); explained: say what makes it high, too. Other arguments and errors:
    similarity.measure.
    """
    index = part.index
    given = images[index] if len(index) < len(data) else images  # all of them: the array stays on disk
    groups = {name: list(subs) for name, subs in grouping.items()}
    labels = data.labels[index]
    score = similarity.measure(
        given,
        labels,
        data.class_names,
        groups,
        profile=profile,
        seed=seed,
        pairs=pairs,
        half_width=half_width,
        workers=workers,
        device=device,
        known=known,
        report=report,
        should_stop=should_stop,
    )
    sizes = data.manifest.images.size
    found: dict[str, object] = {
        "training_images": len(index),
        "split_seed": part.seed,
        "stored": Stored.of((sizes[i] for i in index), profile.size),
    }
    if explained and not score.stopped:
        report("matrix", 0, 1, headline=_headline(score))  # whoever watches need not wait for the reasons
        found["explanation"] = explain.explain(
            given,
            labels,
            data.class_names,
            groups,
            score.argmax,
            profile=profile,
            seed=seed,
            workers=workers,
            numbers=index,
            report=report,
            should_stop=should_stop,
        )
    return score.model_copy(update=found)


def _headline(score: SimilarityResult) -> dict[str, object]:
    """The score itself, for the live page: {name, value, ci_low, ci_high, merge}."""
    best = score.ssim_supsubcls
    own = {"value": best.value, "ci_low": best.ci_low, "ci_high": best.ci_high}
    return {"name": score.argmax, **own, "merge": score.ssim_mergecls.value}
