"""The loss of a training: cross-entropy, and what a recipe adds to it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.models.classifiers.contract import Network
from gmaug_core.models.classifiers.strong import Targets


def moved(network: Network, x: Tensor, towards: Tensor, steps: Tensor) -> Tensor:
    """Logits [b, classes] of features on their way to those of other images of the batch: int64 [b], float
    [b]."""
    features = network.features(x)
    logits: Tensor = network.last(features + steps[:, None] * (features[towards] - features))
    return logits


def forward(network: Network, x: Tensor, apart: Tensor | None) -> Tensor:
    """Logits [b, classes]. apart: bool [b], on the CPU, images that batch normalisation sees by themselves,
    without remembering them; a batch with fewer than two of either kind is normalised as one."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if apart is None or not norms or not network.training or not 1 < int(apart.sum()) < len(x) - 1:
        logits: Tensor = network(x)
        return logits
    own, other = (torch.nonzero(each)[:, 0].to(x.device, non_blocking=True) for each in (~apart, apart))
    found = network(x[own])
    pace = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    others = network(x[other])
    for norm, momentum in zip(norms, pace, strict=True):
        norm.momentum = momentum
    logits = found.new_empty(len(x), found.shape[1])
    logits[own], logits[other] = found, others
    return logits


class Loss:
    """Cross-entropy with what a recipe adds to it."""

    def __init__(
        self,
        weights: NDArray[np.float64] | None,
        offsets: NDArray[np.float64] | None,
        device: torch.device,
        smoothing: float = 0.0,
    ) -> None:
        """Each float [classes]: factors of the loss; added to the logits. smoothing: of the labels."""
        self.smoothing = smoothing
        self.weights, self.offsets = (
            None if given is None else torch.from_numpy(np.asarray(given, np.float32)).to(device)
            for given in (weights, offsets)
        )

    def __call__(self, logits: Tensor, targets: Targets) -> Tensor:
        logits = logits.float() if self.offsets is None else logits.float() + self.offsets
        loss = self._mean(logits, targets.own, targets.weight)
        if targets.other is None:
            return loss
        other = self._mean(logits, targets.other, targets.other_weight)
        return targets.share * loss + (1 - targets.share) * other

    def _mean(self, logits: Tensor, labels: Tensor, factors: Tensor | None) -> Tensor:
        """Weighted mean over the batch: each image by the weight of its class and its own factor."""
        if factors is None:
            return F.cross_entropy(logits, labels, weight=self.weights, label_smoothing=self.smoothing)
        weight = factors if self.weights is None else factors * self.weights[labels]
        each = F.cross_entropy(logits, labels, reduction="none", label_smoothing=self.smoothing)
        return (weight * each).sum() / weight.sum()


def class_balanced_weights(counts: NDArray[np.integer], beta: float | None = None) -> NDArray[np.float64]:
    """Loss weights (1 - b) / (1 - b^n), normalised to sum to the number of classes (Cui 2019, arXiv
    1901.05555).

    counts: int [classes], training images a class (0 counts as 1); beta: None for (N - 1) / N with N all
    images.
    """
    n = np.maximum(np.asarray(counts, np.float64), 1)
    b = (n.sum() - 1) / n.sum() if beta is None else beta
    weights = (1 - b) / (1 - b**n)
    return np.asarray(weights * len(n) / weights.sum(), np.float64)
