"""Pieces of work as tasks of a Ray cluster (docs.ray.io, "Tasks", "Fault tolerance"), from the job that this
process is. A task whose machine dies is done again on another one, three times at most; a piece that was half
done goes on from its files on the shared storage.

This process takes pieces too, and takes back what waits for a machine when it has nothing else to do: so two
jobs that have a full cluster between them never wait for each other.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError, TaskCancelledError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gmaug_core import parallel
from gmaug_core.errors import GMAugError, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.parallel.threads import Threads, Together

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
Row = tuple[int, str, int, int, dict[str, Any]]  # piece, stage, step, total, figures
log = logging.getLogger("gmaug")
RETRIES = 3
LATE_S = 30.0  # a task that has not begun after this long waits for a machine that others have
POLL_S = 0.2
SAY_S = 0.5  # a piece says where it is, and asks whether to stop, at most this often
STOP_S = 60.0  # pieces that were asked to stop are ended after this long
OWN = -1  # the source of what this process itself reports


class Board:
    """What the pieces of a round say, and whether they are to stop: an actor beside the job's process."""

    def __init__(self) -> None:
        self.open(0)

    def open(self, number: int) -> None:
        """A new round; what tasks of an earlier one say counts no more."""
        self.number, self.over = number, False
        self.begun: set[int] = set()
        self.said: list[Row] = []

    def begin(self, number: int, ticket: int) -> None:
        if number == self.number:
            self.begun.add(ticket)

    def tell(self, number: int, row: Row) -> None:
        if number == self.number:
            self.said.append(row)

    def stop(self, number: int) -> None:
        self.over = self.over or number == self.number

    def stopped(self, number: int) -> bool:
        return self.over or number != self.number

    def news(self) -> tuple[set[int], list[Row]]:
        """Which tasks have begun, and what was said since the last look."""
        said, self.said = self.said, []
        return set(self.begun), said


@dataclass
class Line:
    """The two hooks of a piece on another machine."""

    board: Any
    number: int
    piece: int
    told: float = 0.0
    asked: float = 0.0
    stop: bool = False

    def report(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        if step >= total or time.monotonic() - self.told > SAY_S:
            self.told = time.monotonic()
            self.board.tell.remote(self.number, (self.piece, stage, step, total, metrics))

    def should_stop(self) -> bool:
        if not self.stop and time.monotonic() - self.asked > SAY_S:
            self.asked = time.monotonic()
            self.stop = ray.get(self.board.stopped.remote(self.number))
        return self.stop


def piece_of(line: Line, ticket: int, do: Any, shared: Any, item: Any, prepare: Callable[[], object]) -> Any:
    """One piece, in the process of a task. A stop is an answer, no failure: (stopped, result)."""
    parallel.use(Threads())  # a piece does not fan out further
    ray.get(line.board.begin.remote(line.number, ticket))
    prepare()
    try:
        return False, do(shared, item, line.report, line.should_stop)
    except Stopped:
        return True, None


class RayTasks:
    """See parallel.FanOut."""

    def __init__(self) -> None:
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
        ray.init(address="auto", log_to_driver=False)
        for each, handler in before.items():  # Ray's own would end the process at once
            signal.signal(each, handler)
        beside = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board = ray.remote(Board).options(num_cpus=0, scheduling_strategy=beside).remote()
        self._number = 0
        self._held: tuple[object, Any] | None = None

    @property
    def width(self) -> int:
        return 1 + self._others(gpu=False)

    def each(
        self,
        do: Callable[[Shared, Item, Report, ShouldStop], Result],
        shared: Shared,
        items: Sequence[Item],
        *,
        here: int = 1,  # noqa: ARG002 - a job computes on the core or GPU that it asked for
        gpu: bool = False,
        prepare: Callable[[], object] = tuple,
        report: Report = no_report,
        should_stop: ShouldStop = never,
    ) -> list[Result]:
        """See parallel.FanOut.each."""
        if not items:
            return []
        others = min(self._others(gpu=gpu), len(items) - 1)
        self._number += 1
        ray.get(self._board.open.remote(self._number))
        needs = {"num_gpus": 1, "num_cpus": 0} if gpu else {"num_cpus": 1}
        task = ray.remote(piece_of).options(max_retries=0, **needs)  # a round sends again itself
        held = self._hold(shared) if others else None

        def send(piece: int, ticket: int) -> Any:
            line = Line(self._board, self._number, piece)
            return task.remote(line, ticket, do, held, items[piece], prepare)

        together = Together(report, should_stop)
        one = Round(self._board, self._number, send, others, together, deque(range(len(items))))

        def own(piece: int) -> Result:
            return do(shared, items[piece], one.tally.of_own, together.should_stop)

        return one.run(own, prepare, len(items))

    def _hold(self, shared: object) -> Any:
        """Sent to the cluster's store once, also when many rounds use it."""
        if self._held is None or self._held[0] is not shared:
            self._held = (shared, ray.put(shared))
        return self._held[1]

    @staticmethod
    def _others(*, gpu: bool) -> int:
        """Pieces that the cluster could do at once, beside this process's own."""
        return max(int(ray.cluster_resources().get("GPU" if gpu else "CPU", 0)) - 1, 0)


@dataclass(frozen=True)
class Sent:
    """A task. ticket: its number in the round; when: it was sent, by the clock of time.monotonic."""

    piece: int
    ticket: int
    when: float


class Sum:
    """Progress of pieces in several processes as one: every process counts from where the round began."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._at: dict[int, int] = {}
        self._began: int | None = None

    def of_own(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        self.of(OWN, stage, step, total, metrics)

    def of(self, source: int, stage: str, step: int, total: int, metrics: dict[str, Any]) -> None:
        self._began = step if self._began is None else min(self._began, step)
        self._at[source] = step
        done = self._began + sum(max(at - self._began, 0) for at in self._at.values())
        self._report(stage, min(done, total), total, **metrics)


@dataclass
class Round:
    """One call of `each`."""

    board: Any
    number: int
    send: Callable[[int, int], Any]
    others: int
    together: Together
    waiting: deque[int]
    sent: dict[Any, Sent] = field(default_factory=dict)  # by Ray's reference
    back: deque[int] = field(default_factory=deque)  # pieces that were taken back, for this process alone
    tickets: int = 0
    lost: Counter[int] = field(default_factory=Counter)  # how often the machine of a piece died
    away: int = 0  # pieces that tasks have done
    idle: bool = False  # nothing is left to begin for this process
    results: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tally = Sum(self.together.report)

    def run(self, own: Callable[[int], Any], prepare: Callable[[], object], count: int) -> list[Any]:
        thread = threading.Thread(target=self._work_here, args=(own, prepare), daemon=True)
        thread.start()
        try:
            while len(self.results) < count and not self.together.should_stop():
                self._look()
        except BaseException as error:  # noqa: BLE001 - raised below, when the pieces have ended
            self.together.failed(error)
        finally:
            self.together.end.set()
            ray.get(self.board.stop.remote(self.number))
            self._end()
            thread.join()
        if self.together.failure is not None:
            raise self.together.failure
        if len(self.results) < count:
            raise Stopped
        log.info("%d of %d pieces were done as tasks", self.away, count)
        return [self.results[piece] for piece in range(count)]

    def _work_here(self, own: Callable[[int], Any], prepare: Callable[[], object]) -> None:
        prepare()
        while not self.together.end.is_set():
            try:
                piece = (self.back or self.waiting).popleft()
            except IndexError:
                self.idle = True
                time.sleep(POLL_S)
                continue
            self.idle = False
            try:
                self.results[piece] = own(piece)
            except BaseException as error:  # noqa: BLE001 - said by who waits for the round
                self.together.failed(error)

    def _look(self) -> None:
        """Send what may be sent, take what is there, hear what is said."""
        while self.waiting and len(self.sent) < self.others:
            try:
                piece = self.waiting.pop()
            except IndexError:  # the thread took it
                break
            self.tickets += 1
            self.sent[self.send(piece, self.tickets)] = Sent(piece, self.tickets, time.monotonic())
        ready: list[Any] = []
        if self.sent:
            ready, _ = ray.wait(list(self.sent), timeout=POLL_S)
        else:
            time.sleep(POLL_S)
        for reference in ready:
            self._take(reference)
        begun, said = ray.get(self.board.news.remote())
        for row in said:
            self.tally.of(*row)
        if self.idle and not self.waiting and not self.back:
            late = time.monotonic() - LATE_S
            for reference, each in self.sent.items():
                if each.ticket not in begun and each.when < late:
                    ray.cancel(reference)  # its piece comes back, for this process
                    break

    def _take(self, reference: Any) -> None:
        piece = self.sent.pop(reference).piece
        try:
            stopped, result = ray.get(reference)
        except TaskCancelledError:
            self.back.append(piece)
            return
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:  # its machine, its process or its result is gone
            self.lost[piece] += 1
            if self.lost[piece] > RETRIES:
                raise GMAugError(
                    f"a task of the cluster was lost {self.lost[piece]} times ({type(error).__name__})",
                    todo="read the cluster's own logs, then resume",
                ) from error
            log.warning("a task was lost (%s): it is done again", type(error).__name__)
            self.waiting.append(piece)
            return
        if stopped:
            raise Stopped
        self.results[piece] = result
        self.away += 1

    def _end(self) -> None:
        """After a stop or a failure: wait for the tasks' own end, then end them."""
        if self.sent:
            _, late = ray.wait(list(self.sent), num_returns=len(self.sent), timeout=STOP_S)
            for reference in late:
                ray.cancel(reference, force=True)
