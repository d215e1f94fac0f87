"""What a run is doing, and whether anybody is at work on it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gmaug_core.children import START_GRACE_S
from gmaug_core.files import read_json
from gmaug_core.runs.backends import LOCAL, Backend
from gmaug_core.runs.folder import RunPaths

ACTIVE = ("queued", "running")
STATES = (*ACTIVE, "finished", "failed", "cancelled", "lost")
STALLED_S = 60.0  # no progress for this long while alive is shown as stalled


@dataclass(frozen=True)
class Status:
    """What a run is doing. Times are Unix seconds; step and total count within the stage."""

    state: str = "queued"
    stage: str = ""
    step: int = 0
    total: int = 0
    eta_s: float | None = None
    attempt: int = 0
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    progress_at: float = 0.0  # heartbeat: the last time something moved
    stages: dict[str, float] = field(default_factory=dict)  # seconds spent a stage, in order
    error: dict[str, str] | None = None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        return self.state in ("failed", "cancelled", "lost")

    @property
    def stalled(self) -> bool:
        """Alive, but nothing has moved for a minute."""
        return self.state == "running" and time.time() - self.progress_at > STALLED_S

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_status(paths: RunPaths, where: Backend = LOCAL) -> Status:
    """The status, with `lost` derived: said to be active, but no worker is at it."""
    status = Status(**read_json(paths.status))
    if status.active and not where.alive(paths):
        status = Status(**read_json(paths.status))  # it may have ended between the two looks
        young = status.state == "queued" and time.time() - status.progress_at < START_GRACE_S
        if status.active and not young:
            status = replace(status, state="lost")
    return status
