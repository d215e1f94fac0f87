"""A sign of life that another machine can see: a file that the worker touches while it is alive. Locks say it
at once, but only where the shared storage carries them from one machine to another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_S = 3.0
YOUNG_S = 4 * EVERY_S  # younger than this: alive, whatever anybody says
DEAD_S = 60.0  # older than this: dead, whatever anybody says


@contextmanager
def beating(path: Path) -> Iterator[None]:
    """Touch the file every few seconds while inside; it is gone afterwards."""
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            path.touch()
            over.wait(EVERY_S)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        path.unlink(missing_ok=True)


def age(path: Path, since: float) -> float | None:
    """Seconds since the last beat; None where there was none after `since`, in Unix seconds. The machines'
    clocks must agree within a few seconds, as Ray itself wants."""
    try:
        last = path.stat().st_mtime
    except FileNotFoundError:
        return None
    return max(time.time() - last, 0.0) if last >= since - EVERY_S else None
