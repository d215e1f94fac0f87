"""A backend that starts nothing: for run folders that a test fills by hand, or a worker that it starts
itself.
"""

from __future__ import annotations

from gmaug_core.config import AugmentationConfig
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
