"""Independent trainings at once: on a CPU one a core, as threads of one process, which share the images and
do not wait for each other (docs/classifiers.md); in a job of a cluster as its tasks too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch

from gmaug_core import parallel
from gmaug_core.errors import Diverged
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
    run at once nor on the machine's cores. On a GPU they run one after another; in a job of a cluster also on
    the cores, or the GPUs, of its other machines. The hooks are called by one job at a time. Raises Stopped
    after should_stop(), and otherwise the first error of a job, Diverged with its name; by then the other
    jobs have stopped at their next step, with their checkpoints written.
    """
    threads = torch.get_num_threads()
    gpu = torch.device(device).type != "cpu"
    at_once, each = (1, threads) if gpu else (threads, 1)
    try:
        return parallel.current().each(
            _do,
            jobs,
            range(len(jobs)),
            here=at_once,
            gpu=gpu,
            prepare=partial(torch.set_num_threads, each),
            report=report,
            should_stop=should_stop,
        )
    finally:
        torch.set_num_threads(threads)  # for threads that are made from now on


def _do(jobs: Sequence[Job[Result]], number: int, report: Report, should_stop: ShouldStop) -> Result:
    job = jobs[number]
    try:
        return job.work(report, should_stop)
    except Diverged as error:
        raise Diverged(f"{job.name}: {error.what}", expected=error.expected, todo=error.todo) from error
