"""A run is a folder. This module spells every file name in it, and is the only one that reads or writes its state.

config.json (once, first) · status.json · metrics.jsonl (append) · log.txt · stop (exists = please stop) · run.lock ·
checkpoints/ · samples/ · result.json (last, atomic: its presence IS success).
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import re
import secrets
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.home import home

ACTIVE = ("queued", "running")
STATES = (*ACTIVE, "finished", "failed", "cancelled", "lost")
START_GRACE_S = 30.0  # a worker that was just started needs this long to take its lock on a busy machine
STALLED_S = 60.0  # no progress for this long while alive is shown as stalled


@dataclass(frozen=True)
class RunPaths:
    """Every file name of a run folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def status(self) -> Path:
        return self.folder / "status.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def stop(self) -> Path:
        return self.folder / "stop"

    @property
    def lock(self) -> Path:
        return self.folder / "run.lock"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.folder / "samples"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"


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


def root() -> Path:
    """The folder of all runs."""
    folder = home() / "runs"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def create(kind: str, document: Mapping[str, Any], *, token: str | None = None) -> tuple[RunPaths, bool]:
    """Make a run folder with its config.json and a queued status. Returns (paths, created).

    The same `token` twice gives the same run (a double click is one run).
    """
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    suffix = token or f"{stamp}-{secrets.token_hex(2)}"
    if not re.fullmatch(r"[0-9A-Za-z-]{4,64}", suffix):
        raise InputError(f"'{suffix}' is not a run token", expected="letters, digits and '-'")
    paths = RunPaths(root() / f"{kind}-{suffix}")
    try:
        paths.folder.mkdir(mode=0o700)
    except FileExistsError:
        return paths, False
    paths.checkpoints.mkdir()
    paths.samples.mkdir()
    now = time.time()
    write_json(paths.config, {"run": paths.id, "kind": kind, "created": now, **document})
    write_json(paths.status, Status(created=now, progress_at=now).to_dict())
    return paths, True


def find(run_id: str) -> RunPaths:
    """The folder of a run. Raises InputError for an id that is not there."""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,90}", run_id) or not (root() / run_id / "config.json").exists():
        known = [paths.id for paths in list_runs()][:3]
        raise InputError(
            f"there is no run '{run_id}'",
            expected="the id of a run" + (f", for example {', '.join(known)}" if known else ""),
            todo="list them with 'python -m gmaug_core runs'",
        )
    return RunPaths(root() / run_id)


def list_runs(kind: str | None = None, dataset: str | None = None) -> list[RunPaths]:
    """All runs, newest first."""
    found = []
    for folder in root().iterdir():
        paths = RunPaths(folder)
        if not paths.config.exists():
            continue
        config = read_config(paths)
        if (kind is None or config["kind"] == kind) and (
            dataset is None or config["settings"]["dataset"] == dataset
        ):
            found.append((config["created"], paths))
    return [paths for _, paths in sorted(found, key=lambda item: item[0], reverse=True)]


def read_config(paths: RunPaths) -> dict[str, Any]:
    """The document that the run was started with."""
    return read_json(paths.config)


def read_status(paths: RunPaths) -> Status:
    """The status, with `lost` derived: said to be active, but nobody holds the lock."""
    status = Status(**read_json(paths.status))
    if status.active and not alive(paths):
        status = Status(**read_json(paths.status))  # it may have ended between the two looks
        young = status.state == "queued" and time.time() - status.progress_at < START_GRACE_S
        if status.active and not young:
            status = replace(status, state="lost")
    return status


def read_result(paths: RunPaths) -> dict[str, Any] | None:
    """The result, or None while there is none."""
    return read_json(paths.result) if paths.result.exists() else None


def read_metrics(paths: RunPaths, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Whole lines from byte `offset` on, and the offset to go on from. A line still being written is left for later."""
    if not paths.metrics.exists():
        return [], 0
    with open(paths.metrics, "rb") as file:
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    rows = []
    for line in data[:end].splitlines():
        try:
            rows.append(json.loads(line))
        except (
            json.JSONDecodeError
        ):  # a line torn by a kill and then appended to: the next attempt writes it again
            continue
    return rows, offset + end


def read_log(paths: RunPaths, characters: int = 20_000) -> str:
    """The end of the log."""
    if not paths.log.exists():
        return ""
    with open(paths.log, "rb") as file:
        file.seek(max(0, paths.log.stat().st_size - characters))
        return file.read().decode("utf-8", "replace")


# --- the lock: alive means that somebody holds it, never that a pid exists ---


def holder(lock: Path) -> int | None:
    """The pid that holds an exclusive lock on the file, or None. From inside the holder itself: None."""
    if not lock.exists():
        return None
    # flock fields: type, whence, start, len, pid (Linux, 64 bit; macOS orders them otherwise, so there we try the lock)
    with open(lock, "rb+") as file:
        try:
            request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, request))
            return None if answer[0] == fcntl.F_UNLCK else answer[4]
        except OSError:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return -1
            return None


def alive(paths: RunPaths) -> bool:
    """Whether a worker holds the run."""
    return holder(paths.lock) is not None


@contextmanager
def locked(lock: Path) -> Iterator[bool]:
    """Hold an exclusive lock while inside; yields False where somebody else has it. Never open that file again inside."""
    with open(lock, "ab+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


# --- the writer: one a run, inside the worker ---


class RunWriter:
    """Writes status and metrics of one attempt. A writer whose attempt is no longer the newest refuses to write."""

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        before = Status(**read_json(paths.status))
        now = time.time()
        self.status = replace(
            before,
            state="queued",
            attempt=before.attempt + 1,
            started=before.started or now,
            ended=None,
            progress_at=now,
            error=None,
        )
        self._stage_began = now
        self._spent = dict(before.stages)
        self._first: tuple[float, int] = (now, 0)
        self._last_status = 0.0
        self._last_metrics: dict[str, float] = {}
        self._end_torn_line()
        write_json(paths.status, self.status.to_dict())

    def _end_torn_line(self) -> None:
        if self.paths.metrics.exists() and self.paths.metrics.stat().st_size:
            with open(self.paths.metrics, "rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def _write(self) -> None:
        if read_json(self.paths.status)["attempt"] != self.status.attempt:
            raise GMAugError("another worker has taken this run over", todo="nothing; this worker ends")
        write_json(self.paths.status, self.status.to_dict())
        self._last_status = time.monotonic()

    def progress(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        """The `report` hook: at most two status writes a second, and one metrics row a stage and half second (a snapshot's
        `quality` is rare, and always kept)."""
        now = time.time()
        changed = stage != self.status.stage or self.status.state != "running"
        if changed:
            self._close_stage(now)
            self._stage_began, self._first = now, (now, step)
        done, elapsed = step - self._first[1], now - self._first[0]
        eta = elapsed / done * (total - step) if done > 0 else None
        self.status = replace(
            self.status,
            state="running",
            stage=stage,
            step=int(step),
            total=int(total),
            eta_s=eta,
            progress_at=now,
        )
        if changed or step >= total or time.monotonic() - self._last_status > 0.5:
            self._write()
        if metrics and (
            step >= total or "quality" in metrics or now - self._last_metrics.get(stage, 0) > 0.5
        ):
            self._last_metrics[stage] = now
            row = {
                "time": round(now, 3),
                "attempt": self.status.attempt,
                "stage": stage,
                "step": step,
                "total": total,
                **metrics,
            }
            with open(self.paths.metrics, "ab") as file:
                file.write((json.dumps(row, default=_plain) + "\n").encode())

    def _close_stage(self, now: float) -> None:
        if self.status.stage and self.status.state == "running":
            self._spent[self.status.stage] = self._spent.get(self.status.stage, 0.0) + now - self._stage_began
            self.status = replace(self.status, stages=dict(self._spent))

    def end(self, state: str, error: GMAugError | None = None) -> None:
        """finished, failed or cancelled."""
        now = time.time()
        self._close_stage(now)
        self.status = replace(
            self.status, state=state, ended=now, eta_s=None, error=error.to_dict() if error else None
        )
        self._write()


def _plain(value: Any) -> Any:
    """numpy scalars and arrays as JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} in a metrics row")
