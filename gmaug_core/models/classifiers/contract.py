"""What a network must offer to be trained, measured and asked as a classifier, and which one a config
names.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gmaug_core.config import CLASSIFIERS, ClassifierConfig
from gmaug_core.errors import InputError
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.models.dotted import imported
from gmaug_core.seeds import derive

if TYPE_CHECKING:
    from gmaug_core.models.classifiers.batches import Batches

_GLOBAL = threading.Lock()  # initial weights come from torch's global generator


class Network(nn.Module, ABC):
    """Images float [b, c, h, w], normalised, to logits [b, classes]: the last layer on `features`.

    A subclass is made from (in_channels, classes, config), its weights drawn from torch's global generator.
    """

    classes: int

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """[b, c, h, w] -> [b, d]: what the last layer sees; the domain of all figures of image quality."""

    @property
    @abstractmethod
    def last(self) -> nn.Linear:
        """The last layer, features to logits: what is trained again alone (Kang 2020)."""

    @property
    @abstractmethod
    def block(self) -> nn.Module:
        """The last block before the last layer: what a second stage may train again together with it."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """A fresh one of all that is `trained`. The training loop sets its learning rate at every step."""

    def preparation(self, steps: int) -> int:  # noqa: ARG002
        """Steps that `prepare` takes where a training takes `steps`."""
        return 0

    def prepare(
        self,
        batches: Batches,
        steps: int,
        *,
        seed: int,
        folder: Path | None,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        """What comes before the first step of a training that starts from no body: weights from elsewhere, or
        a training without labels. Depends on its arguments alone.

        batches: of the real training images; steps: as preparation says; folder: where it puts away what it
        made and how far it is, for another training or after a stop. Raises Stopped, with that written.
        """

    def randomise(self, generator: torch.Generator, size: int) -> None:
        """Draw what the network itself does at random in the next step, for `size` images: from this
        generator, on the CPU, and nothing else, so that a training resumes exactly and threads do not meet.
        """

    @classmethod
    def origin(cls, config: ClassifierConfig) -> dict[str, Any]:  # noqa: ARG003
        """Where weights from elsewhere are from, for a result: keys to add to the settings."""
        return {}

    def trained(self) -> list[nn.Parameter]:
        """The parameters that are not frozen."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(self.features(x))
        return logits


def build(config: ClassifierConfig, in_channels: int, classes: int) -> Network:
    """A fresh network, the one that `config.name` says, its kernels laid out channels-last: a third faster.

    Raises InputError where there is none of that name.
    """
    if config.name not in CLASSIFIERS:
        raise InputError(f"unknown classifier '{config.name}'", expected="one of " + ", ".join(CLASSIFIERS))
    network: Network = imported(CLASSIFIERS[config.name].implementation)(in_channels, classes, config)
    network.to(memory_format=torch.channels_last)
    return network


@contextmanager
def initial(name: str, seed: int) -> Iterator[None]:
    """Within it, fresh weights depend on the name and the seed alone."""
    with _GLOBAL, torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(name, seed))
        yield


def description(config: ClassifierConfig, in_channels: int, classes: int) -> dict[str, Any]:
    """What the network is, for a result: its settings, the number of its parameters, and whether it saw
    images from elsewhere.
    """
    with torch.device("meta"):  # shapes without memory
        network = build(config, in_channels, classes)
    return {
        **config.model_dump(mode="json"),
        "parameters": sum(p.numel() for p in network.parameters()),
        "closed_set": config.closed_set,
        **network.origin(config),
    }
