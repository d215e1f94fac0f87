"""Guided diffusion: an ADM U-Net that predicts noise, and a classifier of noisy images trained beside it that
guides sampling (Dhariwal & Nichol 2021, arXiv 2105.05233; learned variances: Nichol & Dhariwal 2021, arXiv
2102.09672; DDIM: Song 2020, arXiv 2010.02502).

The generator that samples holds the running averages of both networks. It starts from scratch, or from the
user's own copy of a published ImageNet checkpoint: then it is open-set, because it has seen images from
elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmaug_core.config import GuidedDiffusionConfig
from gmaug_core.data.views import Images
from gmaug_core.models.generators.adm import SPLIT_QKV_RESOLUTION, NoisyClassifier, UNet, checksum, take
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.feedback import Judge, objective
from gmaug_core.models.generators.noising import (
    SAMPLERS,
    Process,
    noise_stream,
    respaced,
    schedule_betas,
)
from gmaug_core.models.generators.tensors import (
    mixed_precision,
    to_device,
    update_ema,
)
from gmaug_core.models.generators.training import Training

# of the variational bound of all steps beside the squared error (Nichol 2021, equation 16)
BOUND_WEIGHT = 0.001


class Guided(nn.Module):
    """The U-Net and the classifier that guides it; no classifier where the guidance is 0."""

    def __init__(self, config: GuidedDiffusionConfig, n_classes: int, channels: int) -> None:
        super().__init__()
        self.unet = UNet(config, n_classes, channels)
        self.classifier = NoisyClassifier(config, n_classes, channels) if config.guidance > 0 else None


class GuidedTraining(Training):
    """Squared error of the noise, the bound for learned variances, and the classifier on the same noisy
    images.
    """

    def __init__(self, config: GuidedDiffusionConfig, network: Guided, device: torch.device) -> None:
        self.config, self.network = config, network.train()
        self.ema = copy.deepcopy(network).eval().requires_grad_(False)
        self.process = Process(
            schedule_betas(config.schedule, config.diffusion_steps), np.arange(config.diffusion_steps), device
        )
        groups: list[dict[str, Any]] = [
            {"params": list(network.unet.parameters()), "lr": config.lr, "weight_decay": 0.0}
        ]
        if network.classifier is not None:
            decay = config.classifier_weight_decay
            groups.append(
                {
                    "params": list(network.classifier.parameters()),
                    "lr": config.classifier_lr,
                    "weight_decay": decay,
                }
            )
        self.optimizer = torch.optim.AdamW(groups, fused=True)

    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        config, process = self.config, self.process
        k = torch.randint(len(process), (len(images),), device=images.device)
        noise = torch.randn_like(images)
        # everything was drawn for the whole batch; from here on only this process's rows count
        rows = self.group.rows(len(images), dropout=config.dropout)
        images, labels, k, noise = images[rows], labels[rows], k[rows], noise[rows]
        noisy, times = process.noised(images, k, noise), process.times(k, len(images))
        with mixed_precision(images.device):
            output = self.network.unet(noisy, times, labels).float()
        predicted, share = output.chunk(2, 1) if config.learn_sigma else (output, None)
        loss = F.mse_loss(predicted, noise)
        figures: dict[str, Tensor | float] = {"loss": loss.detach()}
        if share is not None:  # the bound teaches the variances alone
            bound = process.bound(images, noisy, predicted.detach(), share, k).mean()
            loss = loss + BOUND_WEIGHT * len(process) * bound
            figures["bound"] = bound.detach()
        if self.network.classifier is not None:
            with mixed_precision(images.device):
                logits = self.network.classifier(noisy, times).float()
            classifier_loss = F.cross_entropy(logits, labels)
            loss = loss + classifier_loss  # they share no parameter
            figures["classifier_loss"] = classifier_loss.detach()
            figures["classifier_accuracy"] = (logits.argmax(1) == labels).float().mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        figures = self.group.average(self.network, figures)
        self.optimizer.step()
        kimg = (step + 1) * config.batch / 1000
        update_ema(
            self.ema, self.network, half_life_kimg=config.ema_half_life_kimg, kimg=kimg, batch=config.batch
        )
        return figures

    def average(self) -> nn.Module:
        return self.ema

    def parts(self) -> dict[str, Any]:
        return {"network": self.network, "ema": self.ema, "optimizer": self.optimizer}


class GuidedDiffusion(Generator):
    """Paper A's second generator. Costly to sample: each step asks the U-Net and, with a
    gradient, the classifier.
    """

    name = "guided_diffusion"
    config_type = GuidedDiffusionConfig
    config: GuidedDiffusionConfig

    @property
    def closed_set(self) -> bool:
        return not (self.config.pretrained or self.config.pretrained_classifier)

    @property
    def evaluations(self) -> float:
        return self.config.sampling_steps * (
            2 if self.config.guidance else 1
        )  # the classifier is smaller, but needs a gradient

    def origin(self) -> dict[str, Any]:
        """sha256 of the checkpoints it starts from."""
        paths = {
            "pretrained_sha256": self.config.pretrained,
            "pretrained_classifier_sha256": self.config.pretrained_classifier,
        }
        return {name: checksum(Path(path)) for name, path in paths.items() if path}

    def build(self, n_classes: int) -> Guided:
        return Guided(self.config, n_classes, self.channels)

    def start(self, images: Images, n_classes: int, steps: int) -> Training:
        config, network = self.config, self.build(n_classes)
        if config.pretrained:
            take(network.unet, Path(config.pretrained), by_head=config.resolution != SPLIT_QKV_RESOLUTION)
        if config.pretrained_classifier and network.classifier is not None:
            take(network.classifier, Path(config.pretrained_classifier), by_head=True)
        to_device(network, self.device)
        return GuidedTraining(config, network, self.device)

    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        return self._render(labels, seeds, None)

    def render_steered(self, labels: Tensor, seeds: Sequence[int], judge: Judge) -> Tensor:
        return self._render(labels, seeds, judge if self.config.feedback != "none" else None)

    def _render(self, labels: Tensor, seeds: Sequence[int], judge: Judge | None) -> Tensor:
        config, network = self.config, self.network
        betas = schedule_betas(config.schedule, config.diffusion_steps)
        shape = (self.channels, config.resolution, config.resolution)
        # guidance needs gradients, and tensors made in inference mode cannot have any
        with torch.inference_mode(False), torch.no_grad():
            labels = labels.clone()
            process = Process(betas, respaced(config.diffusion_steps, config.sampling_steps), self.device)

            def denoise(x: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor | None]:
                times, x = process.times(k, len(x)), x.detach().clone()
                gradients = []
                with torch.set_grad_enabled(judge is not None):
                    x.requires_grad_(judge is not None)
                    predicted, share = network.unet(x, times, labels), None
                    if config.learn_sigma:
                        predicted, share = predicted.chunk(2, 1)
                    clean = process.clean_from(x, predicted, k).clamp(-1, 1)
                    log_variance = process.log_variance(share, k)
                    if judge is not None:
                        value = objective(judge(clean), labels, config.feedback)
                        gradients.append(config.feedback_scale * torch.autograd.grad(value, x)[0])
                if network.classifier is not None:
                    by_class = log_probability_gradient(lambda x: network.classifier(x, times), x, labels)
                    gradients.append(config.guidance * by_class)
                return (
                    clean.detach(),
                    log_variance.detach(),
                    torch.stack(gradients).sum(0) if gradients else None,
                )

            return SAMPLERS[config.sampler](process, denoise, noise_stream(seeds, shape, self.device))


def log_probability_gradient(logits: Callable[[Tensor], Tensor], x: Tensor, labels: Tensor) -> Tensor:
    """grad_x log p(label | x) for each image of x [b, c, h, w]; logits: x -> [b, n_classes]."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        chosen = logits(x).log_softmax(1).gather(1, labels[:, None])
        return torch.autograd.grad(chosen.sum(), x)[0]
