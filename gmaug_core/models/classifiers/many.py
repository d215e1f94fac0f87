"""Independent trainings at once: on a CPU one a core, as threads of one process, which share the images and
do not wait for each other (docs/classifiers.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from gmaug_core.errors import Diverged, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report

Result = TypeVar("Result")


@dataclass(frozen=True)
class Job(Generic[Result]):
    """One training, and what belongs to it: reading its images before, saving it afterwards."""

    name: str  # says which one it was, where it diverges
    work: Callable[[Report, ShouldStop], Result]  # uses no hooks but the two that it is given


def train_many(
    jobs: Sequence[Job[Result]],
    *,
    device: torch.device | str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> list[Result]:
    """What the work of each job returns, in their order.

    On a CPU as many run at once as torch has threads, each on one: what comes out depends neither on how many
    run at once nor on the machine's cores. On a GPU they run one after another. The hooks are called by one
    job at a time. Raises Stopped after should_stop(), and otherwise the first error of a job, Diverged with
    its name; by then the other jobs have stopped at their next step, with their checkpoints written.
    """
    together = _Together(report, should_stop)
    threads = torch.get_num_threads()
    at_once, each = (threads, 1) if torch.device(device).type == "cpu" else (1, threads)
    pool = ThreadPoolExecutor(
        max(1, min(len(jobs), at_once)), initializer=torch.set_num_threads, initargs=(each,)
    )
    running = [pool.submit(together.do, job) for job in jobs]
    try:
        wait(running, return_when=FIRST_EXCEPTION)
    finally:  # a failure, or a person's interrupt: the others end at their next step
        together.end.set()
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # for threads that are made from now on
    if together.failure is not None:
        raise together.failure
    return [future.result() for future in running]


class _Together:
    """What the jobs share: the two hooks, and when to end."""

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

    def do(self, job: Job[Result]) -> Result:
        """One job; its failure ends the others."""
        try:
            return job.work(self.report, self.should_stop)
        except BaseException as error:
            if isinstance(error, Diverged):
                error = Diverged(f"{job.name}: {error.what}", expected=error.expected, todo=error.todo)
            with self._one_at_a_time:
                if self.failure is None or isinstance(self.failure, Stopped):
                    self.failure = error
            self.end.set()
            raise
