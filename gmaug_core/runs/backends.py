"""Where workers run, and everything that depends on it: alive, devices, cost.

This machine is the one there is.
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


def backend(name: str) -> Backend:
    """Raises InputError for a backend that is not there."""
    if name != "local":
        raise InputError(
            f"backend '{name}' is not available yet", expected="local", todo="leave --backend out"
        )
    return LOCAL
