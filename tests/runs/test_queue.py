"""First come, first served on a device, whoever looks first; a killed waiter holds nobody up."""

from __future__ import annotations

import threading
import time

import pytest

from gmaug_core.errors import Stopped
from gmaug_core.home import room
from gmaug_core.runs import Status, queue


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(queue, "POLL_S", 0.005)


def waiting(order: list[int], k: int, attempt: int = 1) -> threading.Thread:
    """A waiter that was submitted k-th, whenever it begins to wait."""

    def wait() -> None:
        with queue.slot("cpu", Status.new(created=float(k), attempt=attempt), f"run-{k}", lambda: False):
            order.append(k)
            time.sleep(0.01)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def tickets() -> int:
    return len(list((room("runs") / ".queue-cpu").iterdir()))


def test_four_waiters_are_served_in_the_order_in_which_they_came(home):
    order: list[int] = []
    with queue.slot("cpu", Status.new(created=0.0, attempt=1), "run-0", lambda: False):
        (room("runs") / ".queue-cpu" / "00000000000000000000-killed").touch()
        threads = [waiting(order, 5, attempt=2), *(waiting(order, k) for k in (3, 1, 4, 2))]
        while tickets() < 6:
            time.sleep(0.005)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == [1, 2, 3, 4, 5]  # the resumed one comes last
    assert tickets() == 1


def test_every_device_has_a_queue_of_its_own_and_short_runs_none(home):
    now = Status.new(created=0.0)
    with queue.slot("cuda:0", now, "a", lambda: False), queue.slot("cuda:1", now, "b", lambda: False):
        with queue.slot(None, now, "c", lambda: False):
            pass
        with pytest.raises(Stopped), queue.slot("cuda:0", now, "d", lambda: True):
            pass
    assert not list((room("runs") / ".queue-cuda-0").iterdir())
