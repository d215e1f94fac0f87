"""Independent pieces of work at once: as threads of this process, or as tasks of the cluster that this
process is a job of. What comes out is the same: a piece depends on what it is given alone.

    current().each(do, shared, items)    # [do(shared, item, report, should_stop) for item in items]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gmaug_core.errors import InputError
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.parallel.threads import Threads

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
VARIABLE = "GMAUG_FAN_OUT"  # "ray" in the environment of a job: set by who submits it


class FanOut(Protocol):
    """Where pieces of work are done."""

    @property
    def width(self) -> int:
        """How many pieces it may do at once, beyond this machine too; 1: here alone."""

    def each(
        self,
        do: Callable[[Shared, Item, Report, ShouldStop], Result],
        shared: Shared,
        items: Sequence[Item],
        *,
        here: int = 1,
        gpu: bool = False,
        prepare: Callable[[], object] = ...,
        report: Report = no_report,
        should_stop: ShouldStop = never,
    ) -> list[Result]:
        """What `do` makes of each item, in their order.

        do: uses no hooks but the two that it is given; here: how many at once on this machine, each in a
        thread of its own; gpu: each needs a GPU, else a core; prepare: called once in each thread or process
        before its first piece. The hooks are called by one piece at a time. Raises Stopped after
        should_stop(), and otherwise the first error of a piece; by then the others have ended at their next
        look at should_stop.
        """


_now: FanOut | None = None


def use(fan_out: FanOut | None) -> None:
    """From now on in this process. None: what the environment says."""
    global _now
    _now = fan_out


def current() -> FanOut:
    """Of this process: tasks of the cluster in a job of one, else threads."""
    global _now
    if _now is None:
        if os.environ.get(VARIABLE) == "ray":
            try:
                from gmaug_core.parallel.tasks import RayTasks  # Ray, which is on clusters alone
            except ModuleNotFoundError as error:
                raise InputError(
                    "Ray is not installed where this run works",
                    expected="the environment that started the cluster",
                    todo='pip install "ray[default]==2.60.0"',
                ) from error
            _now = RayTasks()
        else:
            _now = Threads()
    return _now
