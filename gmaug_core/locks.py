"""One kind of lock: an exclusive flock on a file, which the system drops when its process ends, however it
ends.

Alive means that somebody holds the lock, never that a process number exists. The holder writes its process
number into the file as text, for people and for signals; only a held lock makes it true.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAUSE_S = 0.01  # on average, before a taker that met somebody's look at the lock tries again

_held: set[int] = set()  # descriptors of the locks that this process holds


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock while inside. Yields False, at once, where somebody else has it (never with `wait`)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor, wait):
            yield False
            return
        _held.add(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield True
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The process that holds the lock, None where nobody does; 0 where it is held by one that has not
    said its number yet.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _try(descriptor, fcntl.LOCK_SH):  # for microseconds
            return None
        return int(os.pread(descriptor, 32, 0).decode("ascii", "ignore").strip() or 0)
    finally:
        os.close(descriptor)


def _taken(descriptor: int, wait: bool) -> bool:
    if wait:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    while not _try(descriptor, fcntl.LOCK_EX):
        if not _try(descriptor, fcntl.LOCK_SH):
            return False  # somebody holds it
        fcntl.flock(
            descriptor, fcntl.LOCK_UN
        )  # somebody only looks, however many do: try until they look away
        time.sleep(random.uniform(0, 2 * PAUSE_S))
    return True


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _let_go() -> None:
    """In a forked child: the parent's locks are not the child's, so that they are free when the parent is
    killed.
    """
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)
