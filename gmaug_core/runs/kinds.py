"""One record a kind of run: all that the program must know of it. A new kind is one file and a line in KINDS.

A kind's `work` is named, not imported: only the worker loads it, so that nothing here has torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gmaug_core.config import (
    AugmentationConfig,
    EquivalenceConfig,
    RunConfig,
    SimilarityConfig,
    VerdictConfig,
)
from gmaug_core.config.documents import Document
from gmaug_core.errors import InputError
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.scoring.result import SimilarityResult


@dataclass(frozen=True)
class Kind:
    """A kind of run."""

    key: str  # the first part of a run's id
    title: str  # for people
    config: type[RunConfig]  # its settings
    result: type[Document]  # what it leaves behind in result.json
    stages: tuple[str, ...]  # in order; some may not be needed
    stage_words: Mapping[str, str]  # stage, without the number of its step -> what is done in it
    heavy: bool  # one at a time on a device; the others wait
    work: str  # "module:function" that the worker calls; gives the result


SCORE_WORDS = {
    "images": "Decode images",
    "decode": "Decode images",
    "similarity": "Measure similarity",
    "score": "Measure similarity",
}
KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            key="similarity",
            title="Similarity",
            config=SimilarityConfig,
            result=SimilarityResult,
            stages=("decode", "similarity"),
            stage_words=SCORE_WORDS,
            heavy=False,  # seconds
            work="gmaug_core.work.similarity:similarity_result",
        ),
        Kind(
            key="verdict",
            title="Verdict",
            config=VerdictConfig,
            result=Verdict,
            stages=("decode", "first", "score", "pace", "trainings"),
            stage_words=SCORE_WORDS
            | {
                "first": "First reading",
                "pace": "Measure the pace",
                "trainings": "Train classifiers",
            },
            heavy=True,
            work="gmaug_core.work.verdict:verdict_result",
        ),
        Kind(
            key="augmentation",
            title="Augmentation",
            config=AugmentationConfig,
            result=AugmentationResult,
            stages=(
                "decode",
                "score",
                "baseline",
                "filter",
                "generator",
                "sample-1",
                "amounts",
                "retrain-1",
                "sample-2",
                "retrain-2",
                "controls",
                "counting",
                "quality",
            ),
            stage_words=SCORE_WORDS
            | {
                "generator": "Train generator",
                "baseline": "Train baseline",
                "filter": "Try the filter on real images",
                "probe": "Look early",
                "sample": "Draw and select",
                "amounts": "Choose the amount",
                "retrain": "Retrain",
                "controls": "Train controls",
                "counting": "Count as the paper does",
                "quality": "Measure quality",
            },
            heavy=True,
            work="gmaug_core.work.augmentation:augmentation_result",
        ),
        Kind(
            key="equivalence",
            title="Equivalence",
            config=EquivalenceConfig,
            result=EquivalenceResult,
            stages=("decode", "judges", "generator", "draw", "trainings", "curves"),
            stage_words=SCORE_WORDS
            | {
                "judges": "Train judges",
                "generator": "Train generators",
                "draw": "Draw and select",
                "trainings": "Train classifiers",
                "curves": "Fit curves",
            },
            heavy=True,
            work="gmaug_core.work.equivalence:equivalence_result",
        ),
    )
}


def kind_of(key: str) -> Kind:
    """The record of a kind. Raises InputError for one that is not there."""
    if key not in KINDS:
        raise InputError(
            f"'{key}' is not a kind of run", expected=" or ".join(KINDS), todo="update the program"
        )
    return KINDS[key]
