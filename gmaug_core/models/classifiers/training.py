"""Training a classifier: a fixed number of steps, each a function of its number alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.treatment import ALIKE, Treatment
from gmaug_core.data.views import Images
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.models.classifiers.batches import Batches, Normalisation
from gmaug_core.models.classifiers.contract import Network, build, initial
from gmaug_core.models.classifiers.loss import Loss, forward, moved
from gmaug_core.models.classifiers.strong import Targets
from gmaug_core.models.classifiers.trained import Classifier
from gmaug_core.models.classifiers.transforms import channel_statistics, channels_of
from gmaug_core.models.losses import Losses
from gmaug_core.seeds import derive

Again = Literal["head", "block"]  # what a second stage trains
REPORT_STEPS = 25


@dataclass(frozen=True)
class Watch:
    """A look at a classifier while it is trained."""

    steps: tuple[int, ...]  # done when it is looked at
    look: Callable[[int, Classifier], None]  # gets the steps done, and what would be kept if it ended now


def train(
    images: Images,
    labels: NDArray[np.int64],
    classes: int,
    config: ClassifierConfig,
    *,
    seed: int,
    steps: int | None = None,
    treatment: Treatment = ALIKE,
    body: Classifier | None = None,
    again: Again = "head",
    normalise_on: Images | None = None,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Classifier:
    """`steps` steps of the network's optimiser; bit-exact when resumed from `checkpoint` on a CPU.

    images: uint8 [n, h, w] or [n, h, w, 3], read a batch at a time (data.views); labels: int64 [n]; steps:
    None for config.steps_for(n); treatment: of the images, beside the config's; body: keep its weights and
    its normalisation, and train on it, as `again` says, a fresh last layer (head, Kang 2020) or its last
    block and last layer further (block); normalise_on: the images whose mean and standard deviation normalise
    the input, and on which a network that can learn without labels does so first (default: `images`); what
    it learnt is put away beside the checkpoint; watch: who sees it on its way. report("", step, steps,
    loss=...) every REPORT_STEPS steps. Raises Stopped at the next step after should_stop(), with the
    checkpoint written; Diverged for a loss that is not finite, or exploded and did not come back.
    """
    device = torch.device(device)
    steps = config.steps_for(len(images)) if steps is None else steps
    real = images if normalise_on is None else normalise_on
    normalise = _normalisation(real, body, device)
    network = _initial(config, channels_of(images), classes, seed, body, again).to(device)
    before = 0 if body else network.preparation(steps)

    def counted(stage: str, step: int, total: int, **metrics: Any) -> None:  # noqa: ARG001
        report(stage, step, before + steps, **metrics)

    if body is None and (checkpoint is None or not checkpoint.exists()):
        unlabelled = Batches(real, np.zeros(len(real), np.int64), normalise, config=config)
        folder = checkpoint.parent if checkpoint else None
        network.prepare(unlabelled, before, seed=seed, folder=folder, report=counted, should_stop=should_stop)
    batches = Batches(images, labels, normalise, config=config, treatment=treatment)
    loss = Loss(treatment.class_weights, treatment.logit_offsets, device, config.smoothing)
    training = _Training(network, config, steps, checkpoint, loss, math.log(max(classes, 2)))

    def on_its_way(step: int, loss: float) -> None:
        report("", before + step, before + steps, loss=loss)

    training.finish(batches, seed, watch, on_its_way, should_stop)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    network = training.average.requires_grad_(True)
    return Classifier(network, normalise.mean, normalise.std, device)


def _normalisation(images: Images, body: Classifier | None, device: torch.device) -> Normalisation:
    """Of these images; with a body its own, which its weights expect."""
    mean, std = (body.mean, body.std) if body else channel_statistics(images)
    return Normalisation(mean.to(device), std.to(device))


def _initial(
    config: ClassifierConfig, channels: int, classes: int, seed: int, body: Classifier | None, again: Again
) -> Network:
    """The network before its first step. With a body: its weights, frozen but for what is trained again; a
    last layer that is trained alone is a fresh one."""
    with initial("classifier", seed):
        network = build(config, channels, classes)
    if body is None:
        return network.train()
    fresh = {name: value.clone() for name, value in network.last.state_dict().items()}
    network.load_state_dict(body.network.state_dict())
    network.requires_grad_(False).last.requires_grad_(True)
    if again == "head":
        network.last.load_state_dict(fresh)
    else:
        network.block.requires_grad_(True)
    return network.eval()  # the statistics of its normalisation layers belong to the body


class _Training:
    """A network on its way, and how it is put away and taken up again."""

    def __init__(
        self,
        network: Network,
        config: ClassifierConfig,
        steps: int,
        checkpoint: Path | None,
        loss: Loss,
        guess: float = 0.0,
    ) -> None:
        """Goes on from the checkpoint, if there is one. guess: the loss of guessing."""
        self.network, self.config, self.steps, self.loss = network, config, steps, loss
        self.checkpoint, self.optimiser = checkpoint, network.optimiser()
        self.done = 0
        self.unchecked: list[Tensor] = []
        self.losses, self.loss_now = Losses(guess), math.nan
        self.average = copy.deepcopy(network) if config.averaging else network
        if checkpoint is not None and checkpoint.exists():
            state = load_state(checkpoint)
            network.load_state_dict(state["network"])
            load_optimizer(self.optimiser, state["optimiser"])
            self.average.load_state_dict(state["average"] if config.averaging else state["network"])
            self.done = int(state["step"])
            self.losses.load(state.get("losses"))
        # the average's values and the network's, which stay where they are: asked for once, not at every step
        self.followed = tuple(
            [value for value in each.state_dict().values() if value.is_floating_point()]
            for each in (self.average, self.network)
        )

    def finish(
        self,
        batches: Batches,
        seed: int,
        watch: Watch | None,
        report: Callable[[int, float], None],
        should_stop: ShouldStop,
    ) -> None:
        """The steps that are left. report: gets the steps done and the last loss."""
        for step in range(self.done, self.steps):
            self.show(watch, batches.normalise)  # here, so that one that was resumed is looked at again
            if should_stop():
                self.save()
                raise Stopped
            # its draws and distortions depend on nothing else
            generator = torch.Generator().manual_seed(derive("classifier", seed, step))
            x, targets = batches.draw(generator)
            self.network.randomise(generator, len(x))
            self.step(x, targets)
            if (step + 1) % REPORT_STEPS == 0 or step + 1 == self.steps:
                report(step + 1, self.checked())
        if why := self.losses.ended():
            self.diverged(self.done, why)
        self.show(watch, batches.normalise)

    def step(self, x: Tensor, targets: Targets) -> None:
        """One step of the optimiser, and a checkpoint where one is due."""
        factor = lr_factor(self.done / self.steps, self.config.schedule, self.config.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.lr * factor * group.get("lr_scale", 1.0)
        lower = self.config.precision == "bfloat16"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=lower):
            if targets.towards is not None and targets.steps is not None:
                logits = moved(self.network, x, targets.towards, targets.steps)
            else:
                logits = forward(self.network, x, targets.apart)
        loss = self.loss(logits, targets)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.unchecked.append(loss.detach())
        self.done += 1
        if self.average is not self.network:
            self._follow()
        if self.done % self.config.checkpoint_steps == 0 and self.done < self.steps:
            self.save()

    @torch.no_grad()
    def _follow(self) -> None:
        """The average moves towards the weights and statistics of now: faster while it is young, so that it
        soon forgets the initial ones.
        """
        share = max(1 / (self.config.averaging * self.steps), 9 / (9 + self.done))
        slow, fast = self.followed
        torch._foreach_lerp_(slow, fast, min(share, 1.0))

    def show(self, watch: Watch | None, normalise: Normalisation) -> None:
        """Show what would be kept if it ended now, where somebody wants to see it; the training goes on as if
        nobody had looked."""
        if watch is None or self.done not in watch.steps:
            return
        mode = self.average.training
        watch.look(self.done, Classifier(self.average, normalise.mean, normalise.std, normalise.mean.device))
        self.average.train(mode)

    def checked(self) -> float:
        """The last loss. Raises Diverged where one since the last check shows it: all of them are read at
        once, since reading one makes a GPU wait.
        """
        if self.unchecked:
            losses = torch.stack(self.unchecked).tolist()
            for back, loss in enumerate(losses):
                if why := self.losses.add(loss):
                    self.diverged(self.done - len(losses) + back, why)
            self.unchecked.clear()
            self.loss_now = float(losses[-1])
        return self.loss_now

    def diverged(self, step: int, why: str) -> None:
        """Raises Diverged."""
        raise Diverged(
            f"the classifier's training diverged at step {step}: {why}",
            expected="a loss that falls",
            todo=f"lower classifier.lr (now {self.config.lr:g}) and start a new run",
        )

    def save(self) -> None:
        """Write the checkpoint, never one that diverged."""
        self.checked()
        if self.checkpoint is not None:
            state = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
            if self.config.averaging:
                state["average"] = self.average.state_dict()
            save_state(self.checkpoint, state | {"step": self.done, "losses": self.losses.state()})


def lr_factor(progress: float, schedule: str, warmup: float = 0.0) -> float:
    """progress in 0..1 -> factor of the learning rate.

    warmup: the share of the training in which it rises evenly from 0; then cosine: half a period; step: x0.1
    at each third (paper A: every 30 of 100 epochs).
    """
    if progress < warmup:
        return progress / warmup
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
    factor: float = 0.1 ** int(progress * 100 // 30)
    return factor
