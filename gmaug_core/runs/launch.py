"""Submit, stop, resume: how the app and the command line reach a worker, which is always another process.

Nothing here imports torch, the worker or the experiment: a page stays light, and a run survives its page.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from gmaug_core import __version__, runs
from gmaug_core.config import AugmentationConfig, RunConfig
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.home import home
from gmaug_core.locks import holder
from gmaug_core.runs import RunPaths
from gmaug_core.workspace import audit, groupings

PROJECT = Path(__file__).resolve().parent.parent.parent
STOP_GRACE_S = 10.0  # cooperative first; then TERM, then KILL of the whole group
VERSIONS = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "pillow")


class Backend(Protocol):
    """Where workers run."""

    def start(self, paths: RunPaths) -> None:
        """Start a worker on the run folder and return at once."""

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        """Ask the worker's processes to end, or end them."""


COMPUTING = {
    # threads that wait for each other by spinning make a run ten times slower on a machine that does anything else
    "GOMP_SPINCOUNT": "20000",
    # memory that training frees is taken again at once: a C library that gives it back in between costs about a tenth of the time
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(8 << 30),
}


def computing() -> dict[str, str]:
    """The environment of a process that computes; what a person has set already stays."""
    return COMPUTING | os.environ | {"PYTHONPATH": str(PROJECT)}


class LocalBackend:
    """A process of its own session on this machine: it outlives the app."""

    def start(self, paths: RunPaths) -> None:
        environment = computing() | {"GMAUG_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
        with open(paths.log, "ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "gmaug_core.worker", str(paths.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env=environment,
                start_new_session=True,
            )

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        pid = holder(paths.lock)
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
            except ProcessLookupError:
                return  # it ended by itself meanwhile


LOCAL = LocalBackend()


def backend(name: str) -> Backend:
    """Raises InputError for a backend that is not there."""
    if name != "local":
        raise InputError(
            f"backend '{name}' is not available yet", expected="local", todo="leave --backend out"
        )
    return LOCAL


ESTIMATE = (
    "import json, sys; from gmaug_core.models import generators; from gmaug_core.errors import GMAugError\n"
    "try: answer = generators.estimate(**json.load(sys.stdin))\n"
    "except GMAugError as error: answer = {'error': error.to_dict()}\n"
    "print(json.dumps(answer))"
)
ESTIMATE_S = 600.0


def estimate(config: AugmentationConfig) -> dict[str, Any]:
    """What the generator of a run would cost on this machine as it is now: see generators.cost.measure.

    Asked in a child process, which trains a few steps on random images: 5 to 60 seconds. With a budget of minutes, `kimg` and
    `training_seconds` are of that budget. Raises GMAugError when it could not be measured.
    """
    question = {
        "settings": config.generator.model_dump(mode="json"),
        "n_classes": len(dataset.load(config.dataset).class_names),
        "device": config.device,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", ESTIMATE],
            input=json.dumps(question), capture_output=True, text=True, check=False, timeout=ESTIMATE_S, env=computing(), cwd=PROJECT,
        )  # fmt: skip
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        memory = isinstance(error, IndexError) and "memory" in done.stderr.lower()
        raise GMAugError(
            "the cost could not be measured: "
            + ("there is too little memory" if memory else "the steps did not end"),
            expected="a few training steps on this machine",
            todo="choose a smaller batch, resolution or network"
            if memory
            else "try again when the machine is less busy",
        ) from error
    if "error" in answer:
        raise InputError(
            answer["error"]["what"], expected=answer["error"]["expected"], todo=answer["error"]["todo"]
        )
    if config.generator.minutes:
        each = answer["training_seconds"] / answer["kimg"]
        answer |= {
            "kimg": round(60 * config.generator.minutes / each, 3),
            "training_seconds": 60 * config.generator.minutes,
        }
    return answer


def with_budget(config: RunConfig) -> RunConfig:
    """The same config with a budget of minutes as kimg, by measured speed. It is written so: a resumed run does not measure again."""
    if not isinstance(config, AugmentationConfig) or config.generator.minutes is None:
        return config
    kimg = max(estimate(config)["kimg"], config.generator.batch / 1000)
    return config.model_copy(update={"generator": config.generator.model_copy(update={"kimg": kimg})})


def submit(config: RunConfig, *, token: str | None = None, where: Backend = LOCAL) -> str:
    """Write the run folder and start its worker; returns the run id. The same token twice is one run.

    Raises InputError when the dataset or the grouping is not there or does not fit; then no run exists.
    """
    data = dataset.load(config.dataset)
    groups, revision = groupings.current(data, config.grouping)
    groups.validate(data.class_names)
    config = with_budget(config)
    document: dict[str, Any] = {
        "settings": config.model_dump(mode="json"),
        "dataset_name": data.name,
        "dataset_version": data.version,
        "grouping": {name: list(subs) for name, subs in groups.without_empty().super_classes.items()},
        "grouping_revision": revision,
        "versions": {
            "gmaug": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in VERSIONS},
        },
    }
    paths, created = runs.create(config.kind, document, token=token)
    if created:
        audit.record("run submitted", paths.id, dataset=config.dataset)
        where.start(paths)
    return paths.id


def stop(run_id: str, *, wait: bool = True, where: Backend = LOCAL) -> None:
    """Ask a run to stop at its next safe point; after a grace time its processes are ended. A stopped run can be resumed."""
    paths = runs.find(run_id)
    if not runs.read_status(paths).active:
        return
    paths.stop.touch()
    audit.record("run stopped", run_id)
    if not wait:
        return
    for force in (False, True):
        deadline = time.monotonic() + STOP_GRACE_S
        while time.monotonic() < deadline:
            if not runs.alive(paths):
                return
            time.sleep(0.1)
        where.kill(paths, force=force)


def resume(run_id: str, *, where: Backend = LOCAL) -> None:
    """Start the same folder again. Raises GMAugError when it is at work or finished."""
    paths = runs.find(run_id)
    status = runs.read_status(paths)
    if not status.resumable:
        raise GMAugError(
            f"run '{run_id}' is {status.state}",
            expected="a run that was stopped, lost or failed",
            todo="nothing to resume",
        )
    data = dataset.load(runs.read_config(paths)["settings"]["dataset"])
    if data.version != runs.read_config(paths)["dataset_version"]:
        raise InputError(
            "the dataset has changed since this run began", expected="the same images", todo="start a new run"
        )
    paths.stop.unlink(missing_ok=True)
    audit.record("run resumed", run_id)
    where.start(paths)
    deadline = time.monotonic() + runs.START_GRACE_S
    while time.monotonic() < deadline and not runs.alive(paths) and not paths.result.exists():
        time.sleep(0.05)
