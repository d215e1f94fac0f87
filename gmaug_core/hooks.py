"""The two hooks that run through every loop: progress out, a wish to stop in.

Progress bars, the live page, the command line and the tests all use these two, so no loop knows who watches
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Report(Protocol):
    """Called with where the work is: `step` of `total` (total >= 1, 0 <= step <= total) within a named stage.

    metrics: figures of this moment by name, JSON values alone.
    """

    def __call__(self, stage: str, step: int, total: int, **metrics: Any) -> None: ...


ShouldStop = Callable[
    [], bool
]  # True: end at the next safe point with errors.Stopped, keeping what is finished


def no_report(stage: str, step: int, total: int, **metrics: Any) -> None:
    """Nobody watches."""


def never() -> bool:
    """Nobody stops it."""
    return False


def under(report: Report, name: str, **always: Any) -> Report:
    """A report that calls every stage `name` and adds the same figures: for work inside a larger stage."""

    def renamed(stage: str, step: int, total: int, **metrics: Any) -> None:  # noqa: ARG001 - what it hides
        report(name, step, total, **always, **metrics)

    return renamed
