"""Who fills a run folder: python -m gmaug_core.worker RUN_DIR.

It knows folders, locks, signals and errors; what is done in the folder, the record of the run's kind names.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import math
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from gmaug_core import disk
from gmaug_core.config.documents import Document
from gmaug_core.errors import Damaged, Diverged, GMAugError, InputError, Paused, Stopped
from gmaug_core.files import sweep_temporary
from gmaug_core.home import home
from gmaug_core.locks import locked
from gmaug_core.runs import STALLED_S, RunConfigFile, RunPaths, RunWriter, memory, mending, queue
from gmaug_core.runs.heartbeat import beating
from gmaug_core.runs.kinds import kind_of
from gmaug_core.runs.status import Cause

NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
REARM_S = 5.0  # between two times that the watch for a hang is set anew
log = logging.getLogger("gmaug")


def work(paths: RunPaths) -> int:
    """Fill a run folder. The exit status: 0 finished (or stopped), 1 failed, 3 somebody else is at it."""
    with locked(paths.lock) as mine:
        if not mine:
            return 3
        if paths.result.exists():
            return 0
        with beating(paths.heartbeat) if paths.place.exists() else nullcontext():
            return _filled(paths)


def _filled(paths: RunPaths) -> int:
    """One attempt, by whoever holds the lock."""
    sweep_temporary(paths.folder)
    writer = RunWriter(paths)
    terminated = False

    def terminate(*_: Any) -> None:
        nonlocal terminated
        terminated = True

    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, terminate)

    def should_stop() -> bool:
        return terminated or paths.stop.exists()

    try:
        document = RunConfigFile.read(paths.config)
        kind = kind_of(document.kind)
        away = paths.place.exists()  # a cluster gives its devices out itself
        device = document.device if kind.heavy and not away else None
        with queue.slot(device, writer.status, paths.id, should_stop):
            mending.put_aside(paths)
            log.info("attempt %d of %s begins on %s", writer.status.attempt, paths.id, document.device)
            module, _, function = kind.work.partition(":")
            fill = getattr(importlib.import_module(module), function)
            with _stack_of_a_hang() as moved:

                def report(stage: str, step: int, total: int, **metrics: Any) -> None:
                    writer.progress(stage, step, total, **metrics)
                    moved()

                result: Document = fill(document, paths, report, should_stop)
        result.write(paths.result)
        writer.end("finished")
        return 0
    except Paused as asked:
        log.info("paused: %s", asked)
        writer.end("cancelled", reason=str(asked))
        return 0
    except Stopped:
        log.info("stopped")
        writer.end("cancelled")
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it was, the run must end as failed and say why
        log.error("%s", traceback.format_exc())
        writer.end("failed", _explain(error, paths, writer.status.stage), cause=_cause(error))
        return 1


@contextmanager
def _stack_of_a_hang() -> Iterator[Callable[[], None]]:
    """While inside, where every thread is goes to the log once nothing was told for STALLED_S; call what it
    gives whenever something moves."""
    armed = -math.inf

    def moved() -> None:
        nonlocal armed
        if time.monotonic() - armed > REARM_S:
            armed = time.monotonic()
            faulthandler.dump_traceback_later(STALLED_S, file=sys.__stderr__ or sys.stderr)

    try:
        moved()
        yield moved
    finally:
        faulthandler.cancel_dump_traceback_later()


def _cause(error: Exception) -> Cause:
    """What kind of failure it was."""
    kinds: tuple[tuple[type[Exception], Cause], ...] = (
        (Diverged, "diverged"),
        (Damaged, "damaged"),
        (InputError, "input"),
    )
    if _without_memory(error):
        return "out of memory"
    root = error.__cause__ or error  # what an error in words was made of
    if isinstance(root, OSError) and root.errno in disk.FULL:
        return "disk full"
    return next((cause for kind, cause in kinds if isinstance(error, kind)), "")


def _without_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY)


def _explain(error: Exception, paths: RunPaths, stage: str) -> GMAugError:
    if isinstance(error, GMAugError):
        return error
    if _without_memory(error):
        return GMAugError(
            f"the run needed more memory than there is (at its peak it held {_peak()})",
            expected=_room(),
            todo=f"start it again with {_smaller(paths, stage)}: half of it needs about half the memory",
        )
    if problem := disk.explained(error):
        return problem
    return GMAugError(
        f"the run met an error it does not know: {type(error).__name__}: {error}",
        todo="read the run's log, then resume",
    )


def _peak() -> str:
    """The most memory that this process has held, of a GPU too where it used one, in words."""
    torch = sys.modules.get("torch")
    said = f"{memory.peak_gb():.2f} GB"
    if torch is not None and torch.cuda.is_initialized():
        said += f", and {torch.cuda.max_memory_allocated() / memory.GB:.2f} GB of the GPU's"
    return said


def _room() -> str:
    limit = memory.limit_gb()
    return f"at most {limit:.1f} GB, which processes here may hold together" if limit else ""


def _smaller(paths: RunPaths, stage: str) -> str:
    """The setting that decides how much a stage needs, with half of its value."""
    try:
        settings = RunConfigFile.read(paths.config).to_dict()["settings"]
    except GMAugError:
        settings = {}
    settings = settings.get("augmentation", settings)
    if stage.startswith(("sample", "draw")) and "sampling_batch" in settings:
        return f"sampling_batch={max(settings['sampling_batch'] // 2, 1)}"
    part = "generator" if stage == "generator" else "classifier"
    if batch := settings.get(part, {}).get("batch"):
        return f"{part}.batch={max(batch // 2, 1)}"
    return "a smaller batch, sampling_batch or resolution"


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    if len(sys.argv) != 2:
        print("usage: python -m gmaug_core.worker RUN_DIR", file=sys.stderr)  # noqa: T201
        return 2
    folder = Path(sys.argv[1]).resolve()
    if folder.parent != home() / "runs":
        print("the run folder is not in this workspace", file=sys.stderr)  # noqa: T201
        return 2
    return work(RunPaths(folder))


if __name__ == "__main__":
    sys.exit(main())
