"""The score of a grouping while somebody edits it: what an edit touched is measured, all else is known.

The same images, pairs and profile as a similarity run with its defaults, so the same numbers; of a super-
class of more than a thousand images that no run has measured, fewer pairs and a wider interval.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import Profile, SimilarityConfig
from gmaug_core.data import splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError, Stopped
from gmaug_core.report.scores import earlier_sets
from gmaug_core.scoring import alike, similarity
from gmaug_core.scoring.law import PAPER_PROFILE
from gmaug_core.scoring.result import KnownSet, SimilarityResult

SECONDS = 1.5  # after so long the estimate so far is the answer, with its wider interval
PAIRS = 2000  # of a super-class, where a run takes more: of one with more than a thousand images
MOST_KNOWN = 20_000  # finished sets that are kept of a dataset: some 5 MB


@dataclass(eq=False)
class _Training:
    """The training images of a dataset as a similarity run sees them, and what is known of their sets."""

    config: SimilarityConfig
    images: NDArray[np.uint8]  # of the whole dataset, on disk
    part: splits.Part
    first: NDArray[np.int64]  # alike.first_of the part
    labels: NDArray[np.int64]  # of the part
    known: dict[str, KnownSet] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def possible(data: Dataset) -> bool:
    """Whether it would be quick: the images are decoded at the law's profile, as any score of them does."""
    return (data.folder / "cache" / f"{Profile.parse(PAPER_PROFILE).images}.npy").exists()


def of(data: Dataset, groups: Mapping[str, Sequence[str]]) -> SimilarityResult | None:
    """The score of the training images under super-classes; None where SECONDS are not enough for any.

    The first call of a process takes a moment more. result.stopped: not every set has all of its pairs.
    Raises InputError where nothing can be scored.
    """
    training = _training(data)
    deadline = time.monotonic() + SECONDS
    try:
        found = similarity.measure(
            training.images,
            training.labels,
            data.class_names,
            groups,
            profile=Profile.parse(PAPER_PROFILE),
            seed=training.config.seed,
            known=dict(training.known),
            rows=training.part.index,
            first=training.first,
            most=PAIRS,
            should_stop=lambda: time.monotonic() > deadline,
        )
    except Stopped:
        return None
    with training.lock:
        if len(training.known) > MOST_KNOWN:
            training.known.clear()
        training.known.update(found.known)
    return found


@lru_cache(maxsize=2)
def _training(data: Dataset) -> _Training:
    config = SimilarityConfig.model_validate({"dataset": data.id})
    try:
        part = splits.Part(splits.made(data, config.seed)["train"], config.seed)
    except InputError:  # it cannot be split: all of its training images are scored
        part = splits.Part(data.split("train"), None)
    images = data.images(Profile.parse(config.profile).images)
    training = _Training(config, images, part, alike.first_of(images[part.index]), data.labels[part.index])
    training.known.update(earlier_sets(config, data, part))
    return training
