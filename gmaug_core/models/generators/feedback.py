"""Asking instead of rejecting: sampling that is steered by the classifier which will judge the samples
(Askari Hemmat 2023, arXiv 2310.00158). The gradient is taken at a diffusion model's estimate of the clean
image, through the model.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Judge = Callable[[Tensor], Tensor]
"""Images float [b, c, h, w] in [-1, 1] -> logits [b, n_classes], differentiable, each image for itself."""


def objective(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """What a positive scale raises, summed over images: "loss" the log-probability of each label (it lowers
    the loss, so more is accepted); "entropy" the entropy in nats (images of which the judge is unsure; the
    paper's choice, so less is accepted).
    """
    log_probabilities = logits.log_softmax(1)
    if kind == "loss":
        return log_probabilities.gather(1, labels[:, None]).sum()
    return -(log_probabilities.exp() * log_probabilities).sum()
