"""Attempts at a run that end badly on purpose: each is a fork of this process, in a session of its own, that
does what a worker does and meets its fault there.

Import this where torch works on one thread (OMP_NUM_THREADS=1): a process with more does not survive a fork.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.dashboard import ROOT
from gmaug_core import files, runs, worker
from gmaug_core.data import checksums
from gmaug_core.runs import RunPaths, RunWriter, mending

sys.path.insert(0, str(ROOT / "tests"))

UNIT = re.compile(r"((?:classifier|unit|judge|grid|step)-)[^/.]+")  # many units of work are one kind of file
Fault = Callable[[RunPaths], None]  # is installed in the fork, before the work begins
BROKE = 70  # exit status of an attempt that this harness itself broke


def begin(paths: RunPaths, *faults: Fault) -> int:
    """Start an attempt; the number of its process."""
    child = os.fork()
    if child:
        return child
    status = BROKE
    try:
        os.setsid()
        log = os.open(paths.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for fault in faults:
            fault(paths)
        status = worker.work(paths)
    except BaseException:  # noqa: BLE001 - a fork must never go on as a second harness
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def ended(child: int) -> int:
    """How an attempt ended: its exit status, or the number of its signal below 0."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attempt(paths: RunPaths, *faults: Fault) -> int:
    """One attempt, to its end."""
    return ended(begin(paths, *faults))


def die() -> None:
    """As hard as the system can."""
    os.kill(os.getpid(), signal.SIGKILL)


# --- faults ---


def acknowledging(into: Path) -> Fault:
    """Note every row of metrics when it was written, outside of the run's folder."""

    def install(_: RunPaths) -> None:
        original = RunWriter.progress

        def progress(self: RunWriter, stage: str, step: int, total: int, **metrics: Any) -> None:
            before = self.paths.metrics.stat().st_size if self.paths.metrics.exists() else 0
            original(self, stage, step, total, **metrics)
            if self.paths.metrics.exists() and self.paths.metrics.stat().st_size > before:
                with into.open("a") as file:
                    file.write(json.dumps([self.status.attempt, stage, step]) + "\n")

        RunWriter.progress = progress  # type: ignore[method-assign]

    return install


def at_new_step(seen: set[str], found: Path) -> Fault:
    """Die at the first step of persistence that is not in `seen`, and write its name to `found` before."""

    def install(paths: RunPaths) -> None:
        def met(what: str, path: Path) -> None:
            if paths.folder not in path.parents:
                return
            name = UNIT.sub(r"\1*", path.relative_to(paths.folder).as_posix())
            about = "" if name != "status.json" else f" ({_stage(paths)})"
            key = f"{what} {name}{about}"
            if key not in seen:
                found.write_text(key)
                die()

        replace, unlink, open_ = Path.replace, Path.unlink, Path.open

        def replaced(self: Path, target: Any) -> Path:
            met("before the rename to", Path(target))
            after = replace(self, target)
            met("after the rename to", Path(target))
            return after

        def unlinked(self: Path, missing_ok: bool = False) -> None:
            if self.exists():
                met("before the end of", _plain(self))
            unlink(self, missing_ok)

        def opened(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if mode[:1] in "aw" or "+" in mode:
                met("before a write into", _plain(self))
            return open_(self, mode, *args, **kwargs)

        Path.replace, Path.unlink, Path.open = replaced, unlinked, opened  # type: ignore[method-assign,assignment]

    return install


def _plain(path: Path) -> Path:
    """Without the number of the process in a temporary file's name."""
    parts = [part for part in path.name.split(".") if not part.isdigit()]
    return path.with_name(".".join(parts))


def _stage(paths: RunPaths) -> str:
    try:
        status = runs.Status.read(paths.status)
    except (FileNotFoundError, Exception):  # noqa: BLE001 - whatever a naive writer left there
        return "?"
    return f"{status.state} {status.stage}"


def naive(_: RunPaths) -> None:
    """Files are written where they lie, half and half, and nothing is put away before."""

    def atomic_write(path: Path, write: Callable[[Any], object]) -> None:
        import io

        whole = io.BytesIO()
        write(whole)
        data = whole.getvalue()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            path.open("ab").close()  # where the harness looks: half of it is there
            file.write(data[len(data) // 2 :])

    files.atomic_write = atomic_write


def killed_after(seconds: float) -> Fault:
    """SIGKILL so long after it began, whatever it does."""

    def install(_: RunPaths) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        parent = os.getpid()
        if os.fork() == 0:
            time.sleep(seconds)
            os.kill(parent, signal.SIGKILL)
            os._exit(0)

    return install


def stopped_at_look(number: int, note: Path | None = None) -> Fault:
    """A person's wish to stop is there from this look for one on. note: where the looks are counted."""

    def install(paths: RunPaths) -> None:
        looks, exists = 0, Path.exists

        def looked(self: Path, **more: Any) -> bool:
            nonlocal looks
            if self == paths.stop:
                looks += 1
                if note is not None:
                    note.write_text(str(looks))
                return looks >= number
            return exists(self, **more)

        Path.exists = looked  # type: ignore[method-assign]

    return install


def with_memory(more: int) -> Fault:
    """So many bytes of address space beyond what it has, and no more."""

    def install(_: RunPaths) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return install


def clock_set_back(after: int) -> Fault:
    """An hour, after so many looks at the clock."""

    def install(_: RunPaths) -> None:
        looks, now = 0, time.time

        def told() -> float:
            nonlocal looks
            looks += 1
            return now() - 3600 * (looks > after)

        time.time = told

    return install


def warm(paths: RunPaths) -> None:
    """Import here what an attempt at this run imports, so that no later attempt has to."""
    note = paths.folder.parent / "modules.txt"

    def install(_: RunPaths) -> None:
        end = RunWriter.end

        def ended_(self: RunWriter, *args: Any, **more: Any) -> None:
            note.write_text("\n".join(sorted(sys.modules)))
            end(self, *args, **more)

        RunWriter.end = ended_  # type: ignore[method-assign]

    attempt(paths, install)
    for name in note.read_text().splitlines():
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    note.unlink()


# --- what is true of a run folder at any moment ---


def wrong(paths: RunPaths, acknowledged: Path | None = None) -> list[str]:
    """What a fault damaged: files that are not what was written, a status that cannot be read, a result that
    cannot; `lost row` for each acknowledged row of metrics that is gone."""
    found = []
    try:
        found += mending.damaged(paths)
    except Exception as error:  # noqa: BLE001 - any is what is looked for
        found.append(f"config: {type(error).__name__}")
    for name in ("status.json", "split.json"):
        path = paths.folder / name
        if path.exists():
            try:
                files.read_json(path)
            except Exception as error:  # noqa: BLE001
                found.append(f"{name}: {type(error).__name__}")
    if acknowledged is not None and acknowledged.exists():
        kept = {(row["attempt"], row["stage"], row["step"]) for row in runs.read_metrics(paths)[0]}
        told = {tuple(json.loads(line)) for line in acknowledged.read_text().splitlines()}
        found += ["lost row"] * len(told - kept)
    return found


def drawn(paths: RunPaths) -> dict[str, bytes]:
    """All images of a run, by file."""
    return {
        path.relative_to(paths.folder).as_posix(): path.read_bytes()
        for path in sorted(paths.folder.rglob("step-*.npy"))
        if not path.name.endswith(checksums.SUFFIX)
    }
