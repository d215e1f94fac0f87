"""The progress of many trainings as one: a stage moves evenly from its first step to its last, whichever of
its trainings runs, so that what is left of it can be foretold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gmaug_core.hooks import Report


class Tally:
    """Steps done of a stage's trainings, together. Only one training at a time may report (train_many)."""

    def __init__(self, report: Report, stage: str, steps: Mapping[str, int], done: Mapping[str, int]) -> None:
        """steps: SGD steps of each training, by its name; done: of those that are finished already."""
        self._stage, self._steps = stage, dict(steps)
        self._done = dict.fromkeys(steps, 0) | dict(done)
        self._total = sum(self._steps.values())
        if self._total:
            report(stage, sum(self._done.values()), self._total)

    def of(self, name: str, report: Report, *, after: int = 0) -> Report:
        """A report for one training, of its own steps: the stage hears of all, and of these as `sgd_step`.
        after: steps of a stage of the same training that is over."""

        def told(stage: str, step: int, total: int, **metrics: Any) -> None:  # noqa: ARG001 - the hook's form
            self._done[name] = min(after + step, self._steps[name])
            report(self._stage, sum(self._done.values()), self._total, sgd_step=step, **metrics)

        return told
