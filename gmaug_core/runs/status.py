"""What a run is doing, and whether anybody is at work on it."""

from __future__ import annotations

import math
import time
from typing import Any, Literal

from pydantic import Field

from gmaug_core.children import START_GRACE_S
from gmaug_core.config.documents import Document, Part
from gmaug_core.errors import GMAugError, TooNew
from gmaug_core.runs import memory
from gmaug_core.runs.backends import Backend, place_of
from gmaug_core.runs.folder import RunPaths, read_metrics

State = Literal["queued", "running", "finished", "failed", "cancelled", "lost"]
Cause = Literal["", "diverged", "out of memory", "disk full", "input", "damaged"]
ACTIVE = ("queued", "running")
STATES: tuple[State, ...] = ("queued", "running", "finished", "failed", "cancelled", "lost")
MOST = 0.6  # of all memory: a process that held more and was killed was probably killed for it
STALLED_S = 60.0  # no progress for this long while alive is shown as stalled


class Problem(Part):
    """Why a run failed, in the three parts of every error."""

    what: str
    """The item and the cause."""
    expected: str = ""
    """What would have been right."""
    todo: str = ""
    """The next step for the person."""

    def raised(self) -> GMAugError:
        """The same as an error."""
        return GMAugError(self.what, expected=self.expected, todo=self.todo)


class Status(Document):
    """What a run is doing. Times are Unix seconds; the worker is its only writer once it has begun."""

    TITLE = "status of the run"
    FILE = "status.json"
    SCHEMA = 4
    # form 0 had no number, form 1 no reason, form 2 no memory, form 3 no cause
    MIGRATIONS = {0: dict, 1: dict, 2: dict, 3: dict}

    state: State = "queued"
    """queued, running, finished, failed or cancelled; `lost` is never written, it is found out on reading."""
    stage: str = ""
    """The stage at work: one of the run kind's; empty before the first."""
    step: int = 0
    """Progress within the stage, 0 ... total."""
    total: int = 0
    """Steps of the stage; 0 where there is no telling."""
    eta_s: float | None = None
    """Seconds to the end of the stage, by its speed so far."""
    attempt: int = 0
    """How often a worker has begun on it."""
    created: float = 0.0
    """When the run was submitted."""
    started: float | None = None
    """When its first worker began."""
    ended: float | None = None
    """When its last worker ended; null while one is at work."""
    progress_at: float = 0.0
    """Heartbeat: the last time something moved."""
    stages: dict[str, float] = Field(default_factory=dict)
    """Seconds spent in each finished stage, in order."""
    error: Problem | None = None
    """Why it failed."""
    cause: Cause = ""
    """What kind of failure it was: the training diverged, memory or disk were too small, something that the
    run was given is missing or does not fit, or a file was damaged; empty: another, or none."""
    reason: str = ""
    """Why it paused by itself, in words, or what is known of a lost one; empty where a person stopped it."""
    memory_gb: float = 0.0
    """The most memory that its process has held, in GB, as of its last progress; 0: not measured."""

    @property
    def active(self) -> bool:
        """Waiting or at work."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether starting it again makes sense."""
        return self.state in ("failed", "cancelled", "lost")

    @property
    def stalled(self) -> bool:
        """Alive, but nothing has moved for a minute."""
        return self.state == "running" and time.time() - self.progress_at > STALLED_S

    @property
    def word(self) -> str:
        """The state for people, each failure and a hang by its own name."""
        if self.stalled:
            return "hung"
        return {"": self.state, "input": "failed: input", "damaged": "failed: damaged"}.get(
            self.cause, self.cause
        )

    @property
    def hang(self) -> str:
        """What is said of a run in which nothing has moved for STALLED_S; empty for any other."""
        if not self.stalled:
            return ""
        minutes = (time.time() - self.progress_at) / 60
        return (
            f"Nothing has moved for {minutes:.0f} minutes in stage '{self.stage}'. The process is alive: a "
            "long step on a busy machine, or stuck. Its log says where it is. Wait, or stop and resume it."
        )

    def but(self, **changes: Any) -> Status:
        """The same status with other values, checked."""
        values = {name: value for name, value in self if name != "schema_number"}
        return Status.new(**values | changes)


def read_status(paths: RunPaths, where: Backend | None = None) -> Status:
    """The status, with `lost` derived: said to be active, but no worker is at it, and there is no result.
    where: by default the place that it was sent to."""
    status = known_status(paths)
    if status.active and not (where or place_of(paths)).alive(paths):
        status = known_status(paths)  # it may have ended between the two looks
        # a clock that was set back since makes nobody young for as long
        young = status.state == "queued" and abs(time.time() - status.progress_at) < START_GRACE_S
        if status.active and paths.result.exists():  # killed between its result and its last word
            return status.but(state="finished", ended=status.progress_at, eta_s=None)
        if status.active and not young:
            held = status.memory_gb > MOST * (memory.limit_gb() or math.inf)
            status = status.but(
                state="lost",
                cause="out of memory" if held else "",
                reason=status.reason or _last_seen(status, held),
            )
    return status


def _last_seen(status: Status, too_much: bool) -> str:
    """What is known of a process that ended without a word."""
    if not status.memory_gb:
        return ""
    held, limit = status.memory_gb, memory.limit_gb()
    said = f"at its last sign of life its process had held {held:.2f} GB of memory"
    if limit is None:
        return said
    said += f"; processes here may hold {limit:.1f} GB"
    if too_much:
        said += (
            ". The system probably ended it for want of memory: a run with half the batch, sampling_batch or "
            "resolution needs about half of it"
        )
    return said


def state_of(paths: RunPaths) -> tuple[str, str]:
    """The state, and what it is called for people; of a run that cannot tell, why."""
    try:
        status = read_status(paths)
    except GMAugError as error:
        return f"damaged: {error.what}", f"damaged: {error.what}"
    return status.state, status.word


def known_status(paths: RunPaths) -> Status:
    """The status as it was written; of a damaged one, what the other files of the run say."""
    try:
        return Status.read(paths.status)
    except TooNew:
        raise
    except (FileNotFoundError, GMAugError):
        return _found_again(paths)


def _found_again(paths: RunPaths) -> Status:
    """What the folder still tells of a run whose status cannot be read: a result is written last, a metrics
    row has the number of its attempt, and whoever is at work says so itself with its next step.
    """
    rows, _ = read_metrics(paths)
    finished = paths.result.exists()
    since = paths.config.stat().st_mtime
    last = max((float(row.get("time", since)) for row in rows), default=since)
    return Status.new(
        state="finished" if finished else "running",
        attempt=max((int(row.get("attempt", 0)) for row in rows), default=0),
        created=since,
        started=since,
        ended=last if finished else None,
        progress_at=last,
        reason=f"its {Status.FILE} was damaged: this is what the other files of the run say",
    )
