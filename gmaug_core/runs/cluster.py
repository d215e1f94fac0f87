"""A Ray cluster as a backend: the same worker command, sent as a job to a machine that has what it asks for.

The workspace ($GMAUG_HOME) lies on storage that this machine and the cluster share, at the same path: run
folders and datasets are never sent. A job whose machine or whose cluster dies is not started again by itself;
resume sends the same folder as a new job. Alive is who beats (runs.heartbeat): a head that was started anew
says of dead jobs that they run.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from gmaug_core import __version__, children
from gmaug_core.config import AugmentationConfig, EquivalenceConfig
from gmaug_core.config.classifiers.common import Precision
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_json
from gmaug_core.home import home, room
from gmaug_core.locks import holder
from gmaug_core.runs import estimate, heartbeat
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.devices import Devices
from gmaug_core.runs.estimate import Estimate
from gmaug_core.runs.folder import RunPaths
from gmaug_core.runs.place import Place
from gmaug_core.runs.ray_jobs import OVER, RayJobs, Unreachable
from gmaug_core.runs.site import Site
from gmaug_core.runs.status import known_status

ADDRESS = "GMAUG_RAY_ADDRESS"  # of the cluster that a server offers, and where the command line names none
SITE, SITE_S = "gmaug_core.runs.site", 120.0
KNOWN_S = 600.0  # a machine is asked again what it is after this long
POLL_S = 0.5
STATE_S = 5.0  # a job's state is asked for at most this often
BEGIN_S = 120.0  # a job that runs may need this long to its first heartbeat: a machine that imports torch


class RayBackend:
    """Jobs of the Ray cluster at an address."""

    def __init__(self, address: str) -> None:
        self.jobs = RayJobs(address)

    def start(self, paths: RunPaths) -> None:
        """Send the run there. Raises GMAugError where the cluster does not take it; then nothing runs."""
        self.jobs.check_closed()
        config, status = RunConfigFile.read(paths.config), known_status(paths)
        place = Place.new(
            backend="ray",
            address=self.jobs.address,
            submission=f"{paths.id}-a{status.attempt + 1}-{secrets.token_hex(2)}",
            submitted=time.time(),
        )
        paths.heartbeat.unlink(missing_ok=True)
        place.write(paths.place)
        command = f"{_worker('gmaug_core.worker', paths.folder)} >> {shlex.quote(str(paths.log))} 2>&1"
        on_gpu = config.device.startswith("cuda")
        of_one = config.settings  # a verdict trains no generator
        needs = of_one.generator_processes if isinstance(of_one, AugmentationConfig) else 1
        env = {**_environment(), "GMAUG_FAN_OUT": "ray"}
        needed = {"cpus": 0 if on_gpu else needs, "gpus": needs if on_gpu else 0}
        again = status.but(state="queued", ended=None, error=None, reason="", progress_at=time.time())
        again.write(paths.status)  # it waits there now, whatever it was before
        try:
            self.jobs.submit(place.submission, command, env, **needed)
        except GMAugError:
            status.write(paths.status)
            raise

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        """Force: TERM, and KILL after three seconds. Otherwise only a job that has not begun is ended: one
        that has is asked by its stop file, and a TERM here would come with its KILL."""
        place = Place.read(paths.place)
        if force or self.jobs.state(place.submission) == "PENDING":
            self.jobs.stop(place.submission)
            _state.cache_clear()

    def alive(self, paths: RunPaths) -> bool:
        """Whether it waits there or is at work: by its lock where that reaches here, by its heartbeat, and
        only where that is old by what the cluster says."""
        if holder(paths.lock) is not None:
            return True
        place = Place.read(paths.place)
        beat = heartbeat.age(paths.heartbeat, place.submitted)
        if beat is not None and beat < heartbeat.YOUNG_S:
            return True
        try:
            state = _state(self.jobs.address, place.submission, int(time.monotonic() / STATE_S))
        except GMAugError:
            return (time.time() - place.submitted if beat is None else beat) < heartbeat.DEAD_S
        if state is None or state in OVER:
            return False
        if state == "PENDING":
            return True
        return beat < heartbeat.DEAD_S if beat is not None else time.time() - place.submitted < BEGIN_S

    def devices(self) -> Devices:
        return _site(self.jobs.address, "auto", self._gpu_of("auto"), _now()).devices

    def resolve(self, device: str) -> str:
        """'cpu', or 'cuda:0': which GPU that is, Ray says. Raises InputError for one that is not there, and
        where the cluster is not ours to use: open to everybody, another version, other storage."""
        self.jobs.check_closed()
        wanted = "cuda:0" if self._gpu_of(device) else "cpu"
        _site(self.jobs.address, "cpu", 0, _now())
        return wanted

    def precision(self, device: str) -> Precision:
        return _site(self.jobs.address, device, int(device.startswith("cuda")), _now()).precision

    def estimate(self, config: AugmentationConfig | EquivalenceConfig, n_classes: int) -> Estimate:
        device = self.resolve(config.device)
        gpus = int(device.startswith("cuda"))

        def there(module: str, question: object, seconds: float) -> Any:
            return ask(self.jobs, module, question, seconds=seconds, gpus=gpus)

        return estimate.measure(config.model_copy(update={"device": device}), n_classes, there)

    def _gpu_of(self, device: str) -> int:
        """GPUs that a run on this device asks for, 0 or 1."""
        if device not in ("auto", "cpu", "cuda", "cuda:0"):
            raise InputError(
                f"device '{device}' cannot be asked of a Ray cluster",
                expected="auto, cpu or cuda: Ray says which GPU it is",
                todo="use 'auto'",
            )
        there = self.jobs.gpus() if device != "cpu" else 0
        if device.startswith("cuda") and not there:
            raise InputError(
                "the Ray cluster has no GPU", expected="a node started with --num-gpus", todo="use 'auto'"
            )
        return min(there, 1)


def ask(jobs: RayJobs, module: str, question: object, *, seconds: float, gpus: int = 0) -> Any:
    """As children.ask, of a machine of the cluster with so many GPUs: the question and the answer are files
    of the workspace, so that a cluster which does not share it is known by that. Raises GMAugError too where
    no machine is free."""
    name = f"ask-{secrets.token_hex(6)}"
    with _folder(name) as folder:
        write_json(folder / "question.json", question)
        asked, answer = (shlex.quote(str(folder / each)) for each in ("question.json", "answer"))
        command = f"{_worker(module)} < {asked} > {answer}"
        jobs.submit(name, command, _environment(), cpus=1 if module != SITE and not gpus else 0, gpus=gpus)
        state = _ended(jobs, name, seconds)
        if (folder / "answer").exists():
            return children.answered((folder / "answer").read_text(encoding="utf-8"), jobs.log(name))
    said = jobs.log(name).strip().splitlines()[-1:] or [state]
    if "No module named" in said[0]:
        raise InputError(
            "this program is not on the Ray cluster's machines",
            expected=f"gmaug {__version__} in the environment that started Ray there",
            todo="install it there, or put it on the shared storage; docs/cluster.md",
        )
    raise InputError(
        "the Ray cluster does not see this workspace",
        expected="$GMAUG_HOME on storage that all machines share, at the same path",
        todo="move the workspace there, or mount it on the cluster's machines",
    )


def _ended(jobs: RayJobs, name: str, seconds: float) -> str:
    """How a job ended. Raises GMAugError where it did not in time; it is then stopped."""
    deadline, state = time.monotonic() + seconds, "PENDING"
    while time.monotonic() < deadline:
        with suppress(Unreachable):  # a head that is busy answers the next look
            state = jobs.state(name) or "STOPPED"
        if state in OVER:
            return state
        time.sleep(POLL_S)
    jobs.stop(name)
    if state == "PENDING":
        raise GMAugError(
            f"no machine of the Ray cluster was free for {seconds:g} seconds", todo="try again later"
        )
    raise children.NoAnswer(f"there was no answer within {seconds:g} seconds")


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = room("asked") / name
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _worker(module: str, *given: Path) -> str:
    """`exec`: the signals of a stop go to the worker, not to the shell that started it."""
    return " ".join(["exec", "python", "-m", module, *(shlex.quote(str(each)) for each in given)])


def _environment() -> dict[str, str]:
    """What the program needs there. Never the token: jobs' environments are shown by the cluster."""
    return {"GMAUG_HOME": str(home()), "PYTHONPATH": str(children.ROOT), **children.computing()}


@lru_cache(maxsize=16)
def _site(address: str, device: str, gpus: int, _: int) -> Site:
    """What a machine of the cluster is, asked again now and then. Raises InputError where it has another
    version of this program, or not this workspace."""
    found = Site.model_validate(ask(RayJobs(address), SITE, {"device": device}, seconds=SITE_S, gpus=gpus))
    if found.version != __version__:
        raise InputError(
            f"the Ray cluster has gmaug {found.version}, this machine {__version__}",
            expected="the same version: another one may compute other numbers",
            todo="update one of them",
        )
    return found


def _now() -> int:
    return int(time.monotonic() / KNOWN_S)


@lru_cache(maxsize=64)
def _state(address: str, submission: str, _: int) -> str | None:
    return RayJobs(address).state(submission)


def offered() -> str | None:
    """The cluster that this server's settings name, None where they name none."""
    return os.environ.get(ADDRESS) or None
