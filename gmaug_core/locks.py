"""One kind of lock: an exclusive flock on a file, which the system drops when its process ends, however it ends.

Alive means that somebody holds the lock, never that a process number exists. The holder writes its process number into the
file as text, for people and for signals; only a held lock makes it true.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRIES, PAUSE_S = 10, 0.01  # a look at the lock holds it for microseconds: a taker that met one tries again


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock while inside. Yields False, at once, where somebody else has it (never with `wait`)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor, wait):
            yield False
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield True
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The process that holds the lock, None where nobody does; 0 where it is held by one that has not said its number yet."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 32, 0).decode("ascii", "ignore").strip() or 0)
    else:
        return None
    finally:
        os.close(descriptor)


def _taken(descriptor: int, wait: bool) -> bool:
    if wait:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    for _ in range(TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_S)
        else:
            return True
    return False
