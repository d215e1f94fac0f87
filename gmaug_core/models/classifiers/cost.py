"""What training classifiers will cost, from a few measured steps."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.views import Images
from gmaug_core.hooks import Report, ShouldStop, never
from gmaug_core.models.classifiers.many import Job, train_many
from gmaug_core.models.classifiers.training import train

FEW_STEPS = (4, 40)  # a few, and more where those took less than LEAST_S
LEAST_S = 1.0


def steps_per_second(
    images: Images,
    labels: NDArray[np.int64],
    classes: int,
    config: ClassifierConfig,
    *,
    planned: int = FEW_STEPS[-1],
    device: torch.device | str = "cpu",
    should_stop: ShouldStop = never,
) -> float:
    """Steps a second of all trainings together, as they will run: measured on as many as run at once.

    images: uint8 [n, h, w] or [n, h, w, 3]; planned: steps of one training, which are not exceeded. Raises
    Stopped.
    """

    def work(seed: int, steps: int, _: Report, end: ShouldStop) -> None:
        train(images, labels, classes, config, seed=seed, steps=steps, device=device, should_stop=end)

    for steps in FEW_STEPS:
        few = min(steps, planned)
        jobs = [Job(f"pace {seed}", partial(work, seed, few)) for seed in (0, 1)]
        begun = time.monotonic()
        train_many(jobs, device=device, should_stop=should_stop)
        seconds = time.monotonic() - begun
        if seconds > LEAST_S:
            break
    return 2 * few / seconds
