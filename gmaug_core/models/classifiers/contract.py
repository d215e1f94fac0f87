"""What a network must offer to be trained, measured and asked as a classifier, and which one a config
names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from gmaug_core.config import CLASSIFIERS, ClassifierConfig
from gmaug_core.errors import InputError
from gmaug_core.models.dotted import imported


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


def description(config: ClassifierConfig, in_channels: int, classes: int) -> dict[str, Any]:
    """What the network is, for a result: its settings and the number of its parameters."""
    network = build(config, in_channels, classes)
    return {**config.model_dump(mode="json"), "parameters": sum(p.numel() for p in network.parameters())}
