"""Where workers run, and everything that depends on it: alive, devices, cost.

This machine (here), or a Ray cluster (runs.cluster).
"""

from __future__ import annotations

import os
import signal
from typing import Protocol

from gmaug_core import children
from gmaug_core.config import AugmentationConfig, EquivalenceConfig
from gmaug_core.config.classifiers.common import Precision
from gmaug_core.errors import InputError
from gmaug_core.locks import holder
from gmaug_core.runs import devices, estimate
from gmaug_core.runs.devices import Devices
from gmaug_core.runs.estimate import Estimate
from gmaug_core.runs.folder import RunPaths
from gmaug_core.runs.place import Place


class Backend(Protocol):
    """Where workers run."""

    def start(self, paths: RunPaths) -> None:
        """Start a worker on the run folder and return at once."""

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        """Ask the worker's processes to end, or end them."""

    def alive(self, paths: RunPaths) -> bool:
        """Whether a worker is at this run."""

    def devices(self) -> Devices:
        """What a run could use there."""

    def resolve(self, device: str) -> str:
        """The concrete device that a setting means there. Raises InputError for one that is not there."""

    def precision(self, device: str) -> Precision:
        """The arithmetic that a classifier trains fastest with on that concrete device."""

    def estimate(self, config: AugmentationConfig | EquivalenceConfig, n_classes: int) -> Estimate:
        """What the generator of a run would cost there. Raises GMAugError when it could not be measured."""


class LocalBackend:
    """A process of its own session on this machine: it outlives the app.

    Alive means that it holds the run's lock.
    """

    def start(self, paths: RunPaths) -> None:
        paths.place.unlink(missing_ok=True)
        children.start("gmaug_core.worker", str(paths.folder), log=paths.log, env=children.computing())

    def kill(self, paths: RunPaths, *, force: bool) -> None:
        pid = holder(paths.lock)
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
            except ProcessLookupError:
                return  # it ended by itself meanwhile

    def alive(self, paths: RunPaths) -> bool:
        return holder(paths.lock) is not None

    def devices(self) -> Devices:
        return devices.ask()

    def resolve(self, device: str) -> str:
        return devices.resolve(device)

    def precision(self, device: str) -> Precision:
        return devices.precision(device)

    def estimate(self, config: AugmentationConfig | EquivalenceConfig, n_classes: int) -> Estimate:
        return estimate.measure(config, n_classes)


LOCAL = LocalBackend()


def backend(name: str, address: str | None = None) -> Backend:
    """address: of a cluster; without one, the one that $GMAUG_RAY_ADDRESS names. Raises InputError for a
    backend that is not there."""
    from gmaug_core.runs import cluster  # which knows runs' files, and so this module

    if name == "local" and not address:
        return LOCAL
    if name not in ("local", "ray"):
        raise InputError(f"there is no backend '{name}'", expected="local or ray")
    if name == "local":
        raise InputError("this machine needs no address", expected="--backend ray with --address")
    if not (address or cluster.offered()):
        raise InputError(
            "backend 'ray' needs the address of a cluster",
            expected="--address http://HOST:8265",
            todo=f"give it, or set {cluster.ADDRESS}",
        )
    return cluster.RayBackend(address or cluster.offered() or "")


def place_of(paths: RunPaths) -> Backend:
    """Where a run was sent to last. Raises GMAugError where its place.json is damaged."""
    if not paths.place.exists():
        return LOCAL
    from gmaug_core.runs import cluster

    return cluster.RayBackend(Place.read(paths.place).address)
