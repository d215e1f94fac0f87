"""One heavy run at a time on a device; the others wait in the order in which they came.

A waiting worker holds the lock of its ticket, a file whose name begins with when its run was submitted. A
ticket that nobody holds is of a worker that was killed, and counts for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gmaug_core.errors import Stopped
from gmaug_core.home import room
from gmaug_core.hooks import ShouldStop
from gmaug_core.locks import holder, locked
from gmaug_core.runs.status import Status

POLL_S = 0.2
DEAD_S = 60.0  # a ticket is made and locked in two steps: one that nobody holds is swept when it is this old


@contextmanager
def slot(device: str | None, status: Status, run_id: str, should_stop: ShouldStop) -> Iterator[None]:
    """Hold the device while inside. None: a run of seconds, which needs no slot.

    The place in the queue is that of the submission; a resumed run comes last. Raises Stopped when asked to
    while it waits.
    """
    if device is None:
        yield
        return
    name = device.replace(":", "-")
    tickets = room("runs") / f".queue-{name}"
    tickets.mkdir(mode=0o700, exist_ok=True)
    came = status.created if status.attempt <= 1 else time.time()
    ticket = tickets / f"{int(came * 1e6):020d}-{run_id}"
    with locked(ticket, wait=True):
        try:
            while True:
                if _first(ticket):
                    with locked(room("runs") / f".slot-{name}.lock") as mine:
                        if mine:
                            ticket.unlink(missing_ok=True)
                            yield
                            return
                if should_stop():
                    raise Stopped
                time.sleep(POLL_S)
        finally:
            ticket.unlink(missing_ok=True)


def _first(ticket: Path) -> bool:
    """Whether nobody who waits came earlier. Sweeps what killed workers left."""
    for other in sorted(ticket.parent.iterdir()):
        if other.name >= ticket.name:
            return True
        if holder(other) is not None:
            return False
        try:
            if time.time() - other.stat().st_mtime > DEAD_S:
                other.unlink(missing_ok=True)
        except FileNotFoundError:  # its worker has the device now
            continue
    return True
