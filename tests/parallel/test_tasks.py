"""Pieces of work as tasks, with threads in the place of a cluster: the same comes out, whatever dies."""

from __future__ import annotations

import importlib
import sys
import threading
import time
import types
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import pytest

from gmaug_core import parallel
from gmaug_core.errors import Diverged, GMAugError, InputError, Stopped
from gmaug_core.parallel.threads import Threads


class RayError(Exception):
    """As Ray's."""


class RayTaskError(RayError):
    """Of the work itself."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class TaskCancelledError(RayError):
    """It never began, or was interrupted."""


class Cluster(types.ModuleType):
    """What gmaug_core.parallel.tasks uses of Ray. deaths: tasks, by number, whose machine dies; held: tasks
    that wait for a machine until they are cancelled."""

    def __init__(self, cpus: int = 3) -> None:
        super().__init__("ray")
        self.cpus, self.sent, self.put_in = cpus, 0, 0
        self.deaths: set[int] = set()
        self.held: set[int] = set()
        self.pool = ThreadPoolExecutor(8)

    def init(self, **_) -> None:
        pass

    def get_runtime_context(self):
        return types.SimpleNamespace(get_node_id=lambda: "a")

    def cluster_resources(self):
        return {"CPU": self.cpus}

    def put(self, value):
        self.put_in += 1
        return Stored(value)

    def get(self, given):
        return given.result() if isinstance(given, Future) else given

    def wait(self, futures, num_returns=1, timeout=None):
        done, late = wait(futures, timeout, "FIRST_COMPLETED" if num_returns == 1 else "ALL_COMPLETED")
        return list(done), list(late)

    def cancel(self, future, force=False):
        future.set_exception(TaskCancelledError())

    def remote(self, what):
        return types.SimpleNamespace(options=lambda **_: types.SimpleNamespace(remote=self._caller(what)))

    def _caller(self, what):
        if isinstance(what, type):
            return lambda: Actor(what())
        return lambda *given: self._task(what, given)

    def _task(self, function, given):
        self.sent += 1
        if self.sent in self.held:
            return Future()
        number = self.sent

        def run():
            if number in self.deaths:
                time.sleep(0.05)
                raise RayError("the node died")
            try:
                return function(*(each.value if isinstance(each, Stored) else each for each in given))
            except Exception as error:
                raise RayTaskError(error) from error

        return self.pool.submit(run)


class Stored:
    def __init__(self, value) -> None:
        self.value = value


class Actor:
    """Its methods, one at a time."""

    def __init__(self, of) -> None:
        self._of, self._lock = of, threading.Lock()

    def __getattr__(self, name):
        def call(*given):
            with self._lock:
                return getattr(self._of, name)(*given)

        return types.SimpleNamespace(remote=call)


@pytest.fixture
def ray(monkeypatch):
    made = Cluster()
    parts = {"ray.exceptions": (RayError, RayTaskError, TaskCancelledError), "ray.util": ()}
    for name, members in parts.items():
        module = types.ModuleType(name)
        for each in members:
            setattr(module, each.__name__, each)
        monkeypatch.setitem(sys.modules, name, module)
    strategies = types.ModuleType("ray.util.scheduling_strategies")
    strategies.NodeAffinitySchedulingStrategy = lambda *_, **__: None
    monkeypatch.setitem(sys.modules, strategies.__name__, strategies)
    monkeypatch.setitem(sys.modules, "ray", made)
    monkeypatch.delitem(sys.modules, "gmaug_core.parallel.tasks", raising=False)
    module = importlib.import_module("gmaug_core.parallel.tasks")
    for name, seconds in (("POLL_S", 0.01), ("SAY_S", 0.0), ("LATE_S", 0.1), ("STOP_S", 5.0)):
        monkeypatch.setattr(module, name, seconds)
    yield made
    parallel.use(None)
    made.pool.shutdown()
    sys.modules.pop("gmaug_core.parallel.tasks", None)


@pytest.fixture
def tasks(ray):
    return sys.modules["gmaug_core.parallel.tasks"].RayTasks()


def slow_square(shared, item, report, should_stop):
    for step in range(1, 4):
        report("squares", step, 3 * shared, item=item)
        time.sleep(0.01)
        if should_stop():
            raise Stopped
    return item * item


def test_what_comes_out_is_in_order_and_as_here_alone(ray, tasks):
    items, told = list(range(12)), []
    found = tasks.each(slow_square, 12, items, report=lambda *row, **_: told.append(row))
    assert found == Threads().each(slow_square, 12, items) == [k * k for k in items]
    assert 0 < ray.sent < 12  # this process did some itself
    assert ray.put_in == 1
    assert {row[0] for row in told} == {"squares"}
    assert all(0 <= step <= total for _, step, total in told)


def test_a_task_whose_machine_dies_is_done_again(ray, tasks):
    ray.deaths = {1, 2, 4}
    assert tasks.each(slow_square, 8, range(8)) == [k * k for k in range(8)]


def test_one_that_dies_again_and_again_ends_the_rest_in_words(ray, tasks):
    ray.deaths = set(range(1, 100))

    def waits(_, item, __, should_stop):
        while not should_stop():
            time.sleep(0.01)
        raise Stopped

    with pytest.raises(GMAugError, match="was lost 4 times"):
        tasks.each(waits, None, range(3))


def test_what_waits_for_a_machine_that_others_have_is_taken_back(ray, tasks):
    ray.held = set(range(1, 100))
    assert tasks.each(slow_square, 4, range(4)) == [0, 1, 4, 9]


def test_a_stop_is_heard_by_all_and_an_error_is_the_error_itself(ray, tasks):
    asked = iter(range(1000))
    with pytest.raises(Stopped):
        tasks.each(slow_square, 200, range(200), should_stop=lambda: next(asked) > 5)

    def diverges(_, item, __, should_stop):
        if item == 5:
            raise Diverged("not finite")
        while not should_stop():
            time.sleep(0.01)
        raise Stopped

    with pytest.raises(Diverged, match="not finite"):
        tasks.each(diverges, None, range(6))
    assert tasks.each(slow_square, 2, range(2)) == [0, 1]  # the next round is not stopped


def test_a_score_on_a_cluster_is_the_same_to_the_last_bit(ray, tasks, monkeypatch):
    from gmaug_core.config import Profile
    from gmaug_core.scoring import similarity

    monkeypatch.setattr(similarity, "LEAST", 8)
    images = np.random.default_rng(0).integers(0, 256, (60, 16, 16), np.uint8)
    labels = np.arange(60) % 3
    grouping = {"one": ["a", "b"], "two": ["c"]}
    given = {"profile": Profile.parse("paper"), "pairs": 300, "workers": 1}
    here = similarity.measure(images, labels, ["a", "b", "c"], grouping, **given)
    parallel.use(tasks)
    there = similarity.measure(images, labels, ["a", "b", "c"], grouping, **given)
    assert ray.sent
    assert there.model_copy(update={"seconds": 0}) == here.model_copy(update={"seconds": 0})


def test_a_job_whose_environment_lacks_ray_says_so(monkeypatch):
    monkeypatch.setenv(parallel.VARIABLE, "ray")
    monkeypatch.setitem(sys.modules, "gmaug_core.parallel.tasks", None)
    parallel.use(None)
    with pytest.raises(InputError, match="pip install"):
        parallel.current()
    monkeypatch.delenv(parallel.VARIABLE)
    assert isinstance(parallel.current(), Threads)
