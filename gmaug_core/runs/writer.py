"""Who writes a run folder: `create` its first files, then one `RunWriter` an attempt, inside the worker."""

from __future__ import annotations

import datetime
import math
import os
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import encoded
from gmaug_core.runs import memory
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import TORN, RunPaths, root
from gmaug_core.runs.status import Cause, Problem, State, Status, known_status


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
    RunConfigFile.new(run=paths.id, kind=kind, created=now, **document).write(paths.config)
    Status.new(created=now, progress_at=now).write(paths.status)
    return paths, True


class RunWriter:
    """Writes status and metrics of one attempt.

    A writer whose attempt is no longer the newest refuses to write.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        before = known_status(paths)
        now = time.time()
        self.status = before.but(
            state="queued",
            attempt=before.attempt + 1,
            started=before.started or now,
            ended=None,
            progress_at=now,
            error=None,
            cause="",
            reason="",
        )
        # time that passes is read off a clock that nobody sets
        self._stage_began = time.monotonic()
        self._spent = dict(before.stages)
        self._first: tuple[float, int] = (self._stage_began, 0)
        self._last_status = 0.0
        self._last_metrics: dict[str, float] = {}
        self._end_torn_line()
        self.status.write(paths.status)

    def _end_torn_line(self) -> None:
        if self.paths.metrics.exists() and self.paths.metrics.stat().st_size:
            with self.paths.metrics.open("rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(TORN + b"\n")

    def _write(self) -> None:
        if known_status(self.paths).attempt > self.status.attempt:
            raise GMAugError("another worker has taken this run over", todo="nothing; this worker ends")
        self.status.write(self.paths.status)
        self._last_status = time.monotonic()

    def progress(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        """The `report` hook: at most two status writes a second, and one metrics row a stage and half second
        (a snapshot's `quality` is rare, and always kept).
        """
        now, passed = time.time(), time.monotonic()
        changed = stage != self.status.stage or self.status.state != "running"
        if changed:
            self._close_stage(passed)
            self._stage_began, self._first = passed, (passed, step)
        done, elapsed = step - self._first[1], passed - self._first[0]
        eta = elapsed / done * (total - step) if done > 0 else None
        self.status = self.status.but(
            state="running",
            stage=stage,
            step=int(step),
            total=int(total),
            eta_s=eta,
            progress_at=now,
            memory_gb=memory.peak_gb(),
        )
        if changed or step >= total or time.monotonic() - self._last_status > 0.5:
            self._write()
        if metrics and (
            step >= total or "quality" in metrics or passed - self._last_metrics.get(stage, -1.0) > 0.5
        ):
            self._last_metrics[stage] = passed
            row = {
                "time": round(now, 3),
                "attempt": self.status.attempt,
                "stage": stage,
                "step": step,
                "total": total,
                **metrics,
            }
            with self.paths.metrics.open("ab") as file:  # one write: torn by a kill at most at its end
                file.write(encoded(_plain(row), indent=None) + b"\n")

    def _close_stage(self, passed: float) -> None:
        if self.status.stage and self.status.state == "running":
            spent = passed - self._stage_began
            self._spent[self.status.stage] = self._spent.get(self.status.stage, 0.0) + spent
            self.status = self.status.but(stages=dict(self._spent))

    def end(
        self, state: State, error: GMAugError | None = None, *, cause: Cause = "", reason: str = ""
    ) -> None:
        """finished, failed or cancelled; cause: of a failure; reason: why it paused by itself."""
        now = time.time()
        self._close_stage(time.monotonic())
        problem = Problem.model_validate(error.to_dict()) if error else None
        self.status = self.status.but(
            state=state, ended=now, eta_s=None, error=problem, cause=cause, reason=reason
        )
        self._write()


def _plain(value: Any) -> Any:
    """As JSON: of numpy scalars and arrays their values, of what is no finite number nothing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
