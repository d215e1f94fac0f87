"""A run is a folder: its files, its state, and the lock that says it is alive.

Starting one: `runs.launch`.
"""

from __future__ import annotations

from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import (
    RunPaths,
    checkpoints,
    config_of,
    damaged,
    damaged_metrics,
    find,
    list_runs,
    newest_metrics,
    read_log,
    read_metrics,
    read_result,
    root,
)
from gmaug_core.runs.kinds import KINDS, Kind
from gmaug_core.runs.status import ACTIVE, STALLED_S, STATES, Status, read_status, state_of
from gmaug_core.runs.writer import RunWriter, create

__all__ = [
    "ACTIVE",
    "KINDS",
    "STALLED_S",
    "STATES",
    "Kind",
    "RunConfigFile",
    "RunPaths",
    "RunWriter",
    "Status",
    "checkpoints",
    "config_of",
    "create",
    "damaged",
    "damaged_metrics",
    "find",
    "list_runs",
    "newest_metrics",
    "read_log",
    "read_metrics",
    "read_result",
    "read_status",
    "root",
    "state_of",
]
