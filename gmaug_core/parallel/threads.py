"""Pieces of work as threads of one process, which share their images and do not wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Threads:
    """See parallel.FanOut."""

    width = 1

    def each(
        self,
        do: Callable[[Shared, Item, Report, ShouldStop], Result],
        shared: Shared,
        items: Sequence[Item],
        *,
        here: int = 1,
        gpu: bool = False,  # noqa: ARG002 - this machine's are the caller's own
        prepare: Callable[[], object] = tuple,
        report: Report = no_report,
        should_stop: ShouldStop = never,
    ) -> list[Result]:
        """See parallel.FanOut.each."""
        together = Together(report, should_stop)
        pool = ThreadPoolExecutor(max(1, min(len(items), here)), initializer=prepare)
        running = [pool.submit(together.do, do, shared, item) for item in items]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:  # a failure, or a person's interrupt: the others end at their next look
            together.end.set()
            pool.shutdown(cancel_futures=True)
        if together.failure is not None:
            raise together.failure
        return [future.result() for future in running]


class Together:
    """What the pieces share: the two hooks, and when to end."""

    def __init__(self, report: Report, should_stop: ShouldStop) -> None:
        self._report, self._should_stop = report, should_stop
        self._one_at_a_time = threading.Lock()
        self.end = threading.Event()
        self.failure: BaseException | None = None

    def report(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        with self._one_at_a_time:
            self._report(stage, step, total, **metrics)

    def should_stop(self) -> bool:
        with self._one_at_a_time:
            if not self.end.is_set() and self._should_stop():
                self.end.set()
        return self.end.is_set()

    def do(
        self, do: Callable[[Shared, Item, Report, ShouldStop], Result], shared: Shared, item: Item
    ) -> Result:
        """One piece; its failure ends the others."""
        try:
            return do(shared, item, self.report, self.should_stop)
        except BaseException as error:
            self.failed(error)
            raise

    def failed(self, error: BaseException) -> None:
        """The first failure is what is said; a stop that a failure caused is none."""
        with self._one_at_a_time:
            if self.failure is None or isinstance(self.failure, Stopped):
                self.failure = error
        self.end.set()
