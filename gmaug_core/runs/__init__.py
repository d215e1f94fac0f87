"""A run is a folder: its files, its state, and the lock that says it is alive. Starting one: `runs.launch`."""

from __future__ import annotations

from gmaug_core.runs.folder import (
    ACTIVE,
    STALLED_S,
    START_GRACE_S,
    STATES,
    RunPaths,
    RunWriter,
    Status,
    alive,
    create,
    find,
    holder,
    list_runs,
    locked,
    read_config,
    read_log,
    read_metrics,
    read_result,
    read_status,
    root,
)

__all__ = [
    "ACTIVE",
    "RunPaths",
    "RunWriter",
    "STALLED_S",
    "START_GRACE_S",
    "STATES",
    "Status",
    "alive",
    "create",
    "find",
    "holder",
    "list_runs",
    "locked",
    "read_config",
    "read_log",
    "read_metrics",
    "read_result",
    "read_status",
    "root",
]
