"""A backend that starts nothing: for run folders that a test fills by hand, or a worker that it starts
itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gmaug_core import runs
from gmaug_core.config import (
    AugmentationConfig,
    RunConfig,
    SimilarityConfig,
    VerdictConfig,
    augmentation_config,
    equivalence_config,
)
from gmaug_core.runs import RunPaths
from gmaug_core.runs.backends import LocalBackend
from gmaug_core.runs.estimate import Estimate


class Nowhere(LocalBackend):
    """What it was asked to start is in `started`; every estimate is the one given."""

    def __init__(self, estimate: Estimate | None = None) -> None:
        self.started: list[str] = []
        self.estimated: list[AugmentationConfig] = []
        self._estimate = estimate

    def start(self, paths: RunPaths) -> None:
        paths.lock.touch()
        self.started.append(paths.id)

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        raise AssertionError("nothing was started")

    def estimate(self, config: AugmentationConfig, n_classes: int) -> Estimate:
        assert self._estimate, "this test should measure nothing"
        assert n_classes > 0
        self.estimated.append(config)
        return self._estimate


def facts(settings: RunConfig) -> dict[str, Any]:
    """What else config.json says of a run of these settings: invented, for `runs.create`."""
    return {
        "settings": settings,
        "dataset_name": "Bars",
        "dataset_version": "0" * 64,
        "grouping": {"across": ["across"]},
        "grouping_revision": 0,
        "device": "cpu",
        "versions": {"gmaug": "0"},
    }


def new_run(kind: str = "augmentation", token: str | None = None) -> RunPaths:
    """A queued run on a dataset 'd' that is not there."""
    about = augmentation_config("d", image_size=16, colour="grey", symmetric=True)
    settings: dict[str, RunConfig] = {
        "similarity": SimilarityConfig(dataset="d"),
        "verdict": VerdictConfig.about(about),
        "augmentation": about,
        "equivalence": equivalence_config("d", lambda seed: np.full(10, 100), image_size=16, colour="grey"),
    }
    return runs.create(kind, facts(settings[kind]), token=token)[0]
