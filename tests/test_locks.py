"""One kind of lock: held by one, free when its process is gone, and never lost to somebody who only looks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gmaug_core.locks import holder, locked

HOLD = """
import sys, time
from pathlib import Path
from gmaug_core.locks import locked
with locked(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""
LOOK = """
import sys
from pathlib import Path
from gmaug_core.locks import holder
print("looking", flush=True)
while True:
    holder(Path(sys.argv[1]))
"""


def child(code: str, path: Path) -> subprocess.Popen[str]:
    started = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert started.stdout
    assert started.stdout.readline()
    return started


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lock"


def test_one_holds_and_says_who(path):
    assert holder(path) is None
    with locked(path) as mine:
        assert mine
        assert holder(path) == os.getpid()
        with locked(path) as second:
            assert not second
        assert holder(path) == os.getpid()  # the refused one took nothing away
    assert holder(path) is None


def test_the_lock_of_a_killed_process_is_free(path):
    other = child(HOLD, path)
    try:
        assert holder(path) == other.pid
        with locked(path) as mine:
            assert not mine
    finally:
        other.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10  # not waited for: a look at the process number would still say alive
    while holder(path) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holder(path) is None
    with locked(path) as mine:
        assert mine
    other.communicate()


def test_a_forked_child_does_not_keep_its_parents_lock(path):
    code = """
import os, sys, time
from pathlib import Path
from gmaug_core.locks import locked
with locked(Path(sys.argv[1])):
    if os.fork() == 0:
        print("forked", flush=True)  # the child says it: only then has it let go of what it inherited
        time.sleep(60)
        os._exit(0)
    time.sleep(60)
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert other.stdout
    assert other.stdout.readline()
    try:
        assert holder(path) == other.pid
        other.kill()
        other.wait()
        assert holder(path) is None
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.stdout.close()


@pytest.mark.slow
def test_busy_lookers_never_make_a_taker_give_up(path):
    """Four threads and two processes look without a pause, as many pages would: every taking must succeed."""
    path.touch()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            holder(path)

    threads = [threading.Thread(target=look) for _ in range(4)]
    children = [child(LOOK, path) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        taken = 0
        for _ in range(200):
            with locked(path) as mine:
                taken += mine
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for other in children:
            other.kill()
            other.communicate()
    assert taken == 200


def test_waiting_gets_it_when_the_other_lets_go(path):
    order = []

    def second() -> None:
        with locked(path, wait=True) as mine:
            order.append(("second", mine))

    with locked(path):
        waiter = threading.Thread(target=second)
        waiter.start()
        time.sleep(0.1)
        order.append(("first", True))
    waiter.join(10)
    assert order == [("first", True), ("second", True)]
