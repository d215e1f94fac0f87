"""Submit, stop, resume: how the app and the command line reach a worker, which is always another process.

Nothing here imports torch, the worker or the experiment: a page stays light, and a run survives its page.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from gmaug_core import __version__, runs
from gmaug_core.children import START_GRACE_S
from gmaug_core.config import AugmentationConfig, EquivalenceConfig, RunConfig, VerdictConfig, validate
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.locks import locked
from gmaug_core.runs import door, mending
from gmaug_core.runs.backends import LOCAL, Backend, place_of
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.estimate import Estimate, Trains, with_budget
from gmaug_core.runs.folder import RunPaths
from gmaug_core.runs.status import Problem, known_status
from gmaug_core.workspace import audit, groupings, roles

log = logging.getLogger("gmaug")
STOP_GRACE_S = (8.0, 3.0, 2.0)  # for its own safe point; after TERM; after KILL of the whole group
VERSIONS = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "pillow")  # what a result depends on


def estimate(
    config: AugmentationConfig | EquivalenceConfig, *, data: Dataset | None = None, where: Backend = LOCAL
) -> Estimate:
    """What the generator of a run would cost, and in an equivalence run its classifiers: see runs.estimate.
    Seconds to a minute; nothing is started."""
    data = data or dataset.load(config.dataset)
    return where.estimate(config, len(data.class_names))


def versions(names: Iterable[str] = VERSIONS) -> dict[str, str]:
    """This program, Python, and those of `names` that are installed."""
    found = {"gmaug": __version__, "python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # a run that needs it will say so
    return found


def submit(
    config: RunConfig, *, data: Dataset | None = None, token: str | None = None, where: Backend = LOCAL
) -> str:
    """Write the run folder and start its worker; returns the run id. The same token twice is one run.

    data: the dataset where it is open already. Raises InputError when the dataset, the grouping or the device
    is not there or does not fit, an augmentation would have nothing to draw, or an equivalence run has too
    few real images; then no run exists.
    """
    with roles.attempt("submit run", config.dataset):
        return _submit(config, data or dataset.load(config.dataset), token, where)


def _submit(config: RunConfig, data: Dataset, token: str | None, where: Backend) -> str:
    door.check(config, data)
    groups, revision = groupings.current(data, config.grouping)
    groups.validate(data.class_names)
    device = where.resolve(config.device)
    config = _settled(config.model_copy(update={"device": device}), len(data.class_names), where)
    document: dict[str, Any] = {
        "settings": config,
        "dataset_name": data.name,
        "dataset_version": data.version,
        "grouping": {name: list(subs) for name, subs in groups.without_empty().super_classes.items()},
        "grouping_revision": revision,
        "device": device,
        "versions": versions(),
    }
    paths, created = runs.create(config.kind, document, token=token)
    if created:
        audit.record("run submitted", paths.id, dataset=config.dataset)
        try:
            where.start(paths)
        except GMAugError as error:  # a cluster that does not take it
            failed = Problem.model_validate(error.to_dict())
            known_status(paths).but(state="failed", ended=time.time(), error=failed).write(paths.status)
            raise
    return paths.id


def again(run_id: str, *, token: str | None = None, where: Backend = LOCAL) -> str:
    """Start a run of the same settings, on the dataset as it is now; returns its id.

    Raises InputError where a setting is refused today, and what submit raises.
    """
    settings = RunConfigFile.read(runs.find(run_id).config).settings
    return submit(validate(type(settings), settings.model_dump()), token=token, where=where)


def _settled(config: RunConfig, classes: int, where: Backend) -> RunConfig:
    """The same with what the device decides made concrete: arithmetic, and a budget of time as kimg."""
    if isinstance(config, AugmentationConfig):
        return _budgeted(_with_precision(config, config.device, where), classes, where)
    if isinstance(config, EquivalenceConfig):
        return _budgeted(_with_precision(config, config.device, where), classes, where)
    if isinstance(config, VerdictConfig):  # it trains as the run will
        about = _with_precision(config.augmentation, config.device, where)
        return config.model_copy(update={"augmentation": about})
    return config


def _with_precision(config: Trains, device: str, where: Backend) -> Trains:
    if config.classifier.precision != "auto":
        return config
    concrete = config.classifier.model_copy(update={"precision": where.precision(device)})
    return config.model_copy(update={"classifier": concrete})


def _budgeted(config: Trains, classes: int, where: Backend) -> Trains:
    if config.generator.minutes is None:
        return config
    return with_budget(config, where.estimate(config, classes))


@roles.guarded("stop run")
def stop(run_id: str, *, wait: bool = True, where: Backend | None = None) -> None:
    """Ask a run to stop at its next safe point; after a grace time its processes are ended.

    A stopped run can be resumed. where: by default the place that it was sent to.
    """
    paths = runs.find(run_id)
    where = where or place_of(paths)
    if not runs.read_status(paths, where).active:
        return
    paths.stop.touch()
    audit.record("run stopped", run_id)
    if not wait:
        return
    for number, grace in enumerate(STOP_GRACE_S):
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            if not where.alive(paths):
                _ended(paths, "It did not answer and was ended. What it had finished is kept." * (number > 0))
                return
            time.sleep(0.1)
        where.kill(paths, force=number > 0)


def _ended(paths: RunPaths, reason: str) -> None:
    """Say of a run whose worker is gone without a word that it was stopped."""
    with locked(paths.lock) as mine:
        status = known_status(paths)
        if mine and status.active:
            ended = status.but(state="cancelled", ended=time.time(), eta_s=None, reason=reason)
            ended.write(paths.status)


@roles.guarded("resume run")
def resume(run_id: str, *, where: Backend | None = None) -> None:
    """Start the same folder again; of a finished run what is damaged is made again.

    where: by default the place that it was sent to; another one goes on with what is there. Raises
    GMAugError when it is at work, or finished and whole.
    """
    paths = runs.find(run_id)
    status = runs.read_status(paths)
    where = where or place_of(paths)
    if status.state == "finished" and mending.put_aside(paths):
        log.warning("run '%s' had damaged files: they are made again", run_id)
    elif not status.resumable:
        raise GMAugError(
            f"run '{run_id}' is {status.state}",
            expected="a run that was stopped, lost or failed, or has damaged files",
            todo="nothing to resume",
        )
    where.resolve(door.check_again(paths).device)  # it goes on where it was, or not at all
    paths.stop.unlink(missing_ok=True)
    audit.record("run resumed", run_id)
    where.start(paths)
    deadline = time.monotonic() + START_GRACE_S
    while time.monotonic() < deadline and not where.alive(paths) and not paths.result.exists():
        time.sleep(0.05)
