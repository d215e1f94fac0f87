"""Training a classifier: a fixed number of steps, each a function of its number alone."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.views import Images
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.models.classifiers.contract import build
from gmaug_core.models.classifiers.trained import Classifier
from gmaug_core.models.classifiers.transforms import channels_of, distort, to_tensor
from gmaug_core.seeds import derive

MOST_FOR_STATISTICS = 20_000  # images that normalisation looks at
REPORT_STEPS = 25


def train(
    images: Images,
    labels: NDArray[np.int64],
    classes: int,
    config: ClassifierConfig,
    *,
    seed: int,
    draw_weights: NDArray[np.float64] | None = None,
    class_weights: NDArray[np.float64] | None = None,
    normalise_on: Images | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Classifier:
    """config.steps steps of the network's optimiser; bit-exact when resumed from `checkpoint` on a CPU.

    images: uint8 [n, h, w] or [n, h, w, 3], read a batch at a time (data.views); labels: int64 [n].
    draw_weights: float [n], how likely each image is drawn (default: all alike); class_weights: float
    [classes], factors of the loss; normalise_on: the images whose mean and standard deviation normalise the
    input (default: `images`). report("", step, steps, loss=...) every REPORT_STEPS steps. Raises Stopped at
    the next step after should_stop(), with the checkpoint written; Diverged for a loss that is not finite.
    """
    device = torch.device(device)
    targets = torch.from_numpy(np.ascontiguousarray(labels))
    mean, std = channel_statistics(images if normalise_on is None else normalise_on)
    mean, std = mean.to(device), std.to(device)
    torch.manual_seed(derive("classifier", seed))
    network = build(config, channels_of(images), classes).to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    optimiser = network.optimiser()
    first = _resume(network, optimiser, checkpoint)
    weights = None if draw_weights is None else torch.from_numpy(np.asarray(draw_weights, np.float64))
    loss_weights = None
    if class_weights is not None:
        loss_weights = torch.from_numpy(np.asarray(class_weights, np.float32)).to(device)

    def save(step: int) -> None:
        if checkpoint is not None:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
            save_state(checkpoint, state)

    network.train()
    for step in range(first, config.steps):
        if should_stop():
            save(step)
            raise Stopped
        # its draws and distortions depend on nothing else
        torch.manual_seed(derive("classifier", seed, step))
        index = _draw(weights, len(images), config.batch)
        x = (to_tensor(images[index.numpy()]).to(device).float() - mean) / std
        x, y = distort(x, config.augment), targets[index].to(device)
        for group in optimiser.param_groups:
            group["lr"] = config.lr * lr_factor(step / config.steps, config.schedule)
        loss = F.cross_entropy(network(x), y, weight=loss_weights)
        if not torch.isfinite(loss):
            raise Diverged(
                f"the classifier's loss is not finite at step {step}",
                todo="lower classifier.lr and start a new run",
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        done = step + 1
        if done % config.checkpoint_steps == 0 and done < config.steps:
            save(done)
        if done % REPORT_STEPS == 0 or done == config.steps:
            report("", done, config.steps, loss=float(loss.detach()))
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return Classifier(network, mean, std, device)


def _resume(network: torch.nn.Module, optimiser: torch.optim.Optimizer, checkpoint: Path | None) -> int:
    """Takes network and optimiser from the checkpoint, if there is one. Returns the steps done."""
    if checkpoint is None or not checkpoint.exists():
        return 0
    state = load_state(checkpoint)
    network.load_state_dict(state["network"])
    load_optimizer(optimiser, state["optimiser"])
    return int(state["step"])


def _draw(weights: Tensor | None, n: int, batch: int) -> Tensor:
    """Which images a step sees: int64 [batch]."""
    if weights is None:
        return torch.randint(n, (batch,))
    return torch.multinomial(weights, batch, replacement=True)


def channel_statistics(images: Images) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation a channel in grey levels, each [1, c, 1, 1]; of MOST_FOR_STATISTICS images
    at most.
    """
    step = max(1, len(images) // MOST_FOR_STATISTICS)
    x = to_tensor(images[::step]).double()
    std, mean = torch.std_mean(x, dim=(0, 2, 3), correction=0)
    return mean.float().view(1, -1, 1, 1), std.clamp_min(1.0).float().view(1, -1, 1, 1)


def lr_factor(progress: float, schedule: str) -> float:
    """progress in 0..1 -> factor of the learning rate.

    cosine: half a period; step: x0.1 at each third (paper A: every 30 of 100 epochs).
    """
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    factor: float = 0.1 ** int(progress * 100 // 30)
    return factor


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
