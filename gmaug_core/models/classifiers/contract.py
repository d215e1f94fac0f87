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
    """Images float [b, c, h, w], normalised, to logits [b, classes]: `head` on `features`.

    A subclass is made from (in_channels, classes, config), its weights drawn from torch's global generator.
    """

    classes: int

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """[b, c, h, w] -> [b, d]: what the last layer sees; the domain of all figures of image quality."""

    @abstractmethod
    def head(self, features: Tensor) -> Tensor:
        """[b, d] -> logits [b, classes]: the last layer."""

    @abstractmethod
    def optimiser(self) -> torch.optim.Optimizer:
        """A fresh one of all parameters. The training loop sets its learning rate at every step."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def build(config: ClassifierConfig, in_channels: int, classes: int) -> Network:
    """A fresh network, the one that `config.name` says.

    Raises InputError where there is none of that name.
    """
    if config.name not in CLASSIFIERS:
        raise InputError(f"unknown classifier '{config.name}'", expected="one of " + ", ".join(CLASSIFIERS))
    network: Network = imported(CLASSIFIERS[config.name].implementation)(in_channels, classes, config)
    return network


def description(config: ClassifierConfig, in_channels: int, classes: int) -> dict[str, Any]:
    """What the network is, for a result: its settings and the number of its parameters."""
    network = build(config, in_channels, classes)
    return {**config.model_dump(mode="json"), "parameters": sum(p.numel() for p in network.parameters())}
