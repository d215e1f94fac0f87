"""Guided diffusion: an ADM U-Net that predicts noise, and a classifier of noisy images trained beside it that
guides sampling (Dhariwal & Nichol 2021, arXiv 2105.05233; learned variances: Nichol & Dhariwal 2021, arXiv
2102.09672; DDIM: Song 2020, arXiv 2010.02502).

The generator that samples holds the running averages of both networks. It starts from scratch, or from the
user's own copy of a published ImageNet checkpoint: then it is open-set, because it has seen images from
elsewhere.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.config import GuidedDiffusionConfig
from gmaug_core.data.views import Images
from gmaug_core.models.generators.adm import SPLIT_QKV_RESOLUTION, NoisyClassifier, UNet, checksum, take
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.feedback import Judge, objective
from gmaug_core.models.generators.tensors import (
    derived,
    mixed_precision,
    to_device,
    update_ema,
)
from gmaug_core.models.generators.training import Training

BOUND_WEIGHT = (
    0.001  # of the variational bound of all steps beside the squared error (Nichol 2021, equation 16)
)

Noise = Callable[[], Tensor]  # fresh standard normal [b, c, h, w]
Denoise = Callable[[Tensor, int], tuple[Tensor, Tensor, Tensor | None]]
"""(x_t, k) -> estimate of the clean image in [-1, 1], log variance of the step, and s grad log p(y | x_t) or
None. A judge's feedback is added to that gradient.
"""


def schedule_betas(schedule: str, steps: int) -> NDArray[np.float64]:
    """Variance added at each of `steps` steps [steps]: linear (Ho 2020, from .0001 to .02 at 1000) or cosine
    (Nichol 2021, eq. 17).
    """
    if schedule == "linear":
        return np.linspace(0.1 / steps, min(20 / steps, 0.999), steps)
    time = np.linspace(0, 1, steps + 1)
    kept = np.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
    return np.minimum(1 - kept[1:] / kept[:-1], 0.999)


def respaced(steps: int, wanted: int) -> NDArray[np.int64]:
    """`wanted` of the steps 0..steps-1, evenly spread, with the first and the last."""
    return np.linspace(0, steps - 1, wanted).round().astype(np.int64)


class Process:
    """The noising process q at some of its steps: x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise.

    k counts the steps used, 0 the least noisy; it is an int, or an int tensor [b] with one step an image.
    `steps` are the steps of the whole process that they stand for, scaled to 0..1000 for the networks.
    """

    def __init__(
        self, betas: NDArray[np.float64], steps: NDArray[np.int64], device: torch.device | str = "cpu"
    ) -> None:
        kept = np.cumprod(1 - betas)[steps]
        before = np.append(1.0, kept[:-1])
        beta = 1 - kept / before
        variance = (
            beta * (1 - before) / (1 - kept)
        )  # of q(x_{t-1} | x_t, x_0); 0 at the first step, where the next one's is used
        tables = {
            "steps": steps * (1000 / len(betas)),
            "kept": kept,
            "before": before,
            "beta": beta,
            "log_beta": np.log(beta),
            "log_variance": np.log(np.append(variance[1:2], variance[1:])),
            "of_clean": beta * np.sqrt(before) / (1 - kept),
            "of_noisy": (1 - before) * np.sqrt(1 - beta) / (1 - kept),
        }
        self.tables = {
            name: torch.from_numpy(np.asarray(table)).float().to(device) for name, table in tables.items()
        }
        self.device = device

    def __len__(self) -> int:
        return len(self.tables["kept"])

    def at(self, name: str, k: Tensor | int) -> Tensor:
        """A table's values [b or 1, 1, 1, 1]."""
        return self.tables[name][k].reshape(-1, 1, 1, 1)

    def times(self, k: Tensor | int, batch: int) -> Tensor:
        """What the networks are told [b]."""
        return self.tables["steps"][k].expand(batch)

    def noised(self, clean: Tensor, k: Tensor | int, noise: Tensor) -> Tensor:
        """A draw from q(x_t | x_0)."""
        kept = self.at("kept", k)
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def clean_from(self, x: Tensor, noise: Tensor, k: Tensor | int) -> Tensor:
        """x_0 from x_t and the noise in it."""
        kept = self.at("kept", k)
        return (x - (1 - kept).sqrt() * noise) / kept.sqrt()

    def noise_from(self, x: Tensor, clean: Tensor, k: Tensor | int) -> Tensor:
        """The noise in x_t when x_0 is `clean`."""
        kept = self.at("kept", k)
        return (x - kept.sqrt() * clean) / (1 - kept).sqrt()

    def posterior_mean(self, clean: Tensor, x: Tensor, k: Tensor | int) -> Tensor:
        """Mean of q(x_{t-1} | x_t, x_0) (Ho 2020, equation 7)."""
        return self.at("of_clean", k) * clean + self.at("of_noisy", k) * x

    def log_variance(self, share: Tensor | None, k: Tensor | int) -> Tensor:
        """Of the reverse step. share: None for the posterior's, the lower bound (the upper one adds noise
        that few steps cannot remove); else the network's output, -1 for the lower bound, 1 for beta, in
        between on a log scale (Nichol 2021, eq. 15).
        """
        low = self.at("log_variance", k)
        return low if share is None else low + (share + 1) / 2 * (self.at("log_beta", k) - low)

    def bound(self, clean: Tensor, x: Tensor, noise: Tensor, share: Tensor, k: Tensor) -> Tensor:
        """Terms of the variational bound [b], bits a value: KL(q(x_{t-1} | x_t, x_0), p(x_{t-1} | x_t)); at
        step 0 -log p(x_0 | x_1) of 8-bit values. noise, share: what the network predicts.
        """
        beta, kept = self.at("beta", k), self.at("kept", k)
        mean = (x - beta / (1 - kept).sqrt() * noise) / (1 - beta).sqrt()
        log_variance, true = self.log_variance(share, k), self.at("log_variance", k)
        distance = (self.posterior_mean(clean, x, k) - mean) ** 2
        divergence = 0.5 * (
            log_variance - true - 1 + (true - log_variance).exp() + distance * (-log_variance).exp()
        )
        surprise = -log_likelihood(clean, mean, (0.5 * log_variance).exp())
        return torch.where(k.reshape(-1, 1, 1, 1) == 0, surprise, divergence).mean((1, 2, 3)) / math.log(2)


def log_likelihood(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """log of the mass that N(mean, std^2) gives to the 8-bit value x in [-1, 1]; the outermost values reach
    to infinity.
    """
    above, below = (
        torch.special.ndtr((x + 1 / 255 - mean) / std),
        torch.special.ndtr((x - 1 / 255 - mean) / std),
    )
    above, below = torch.where(x > 0.999, 1.0, above), torch.where(x < -0.999, 0.0, below)
    return (above - below).clamp_min(1e-12).log()


def sample_ancestral(process: Process, denoise: Denoise, noise: Noise) -> Tensor:
    """x_{t-1} ~ N(mean + Sigma s grad log p, Sigma) (Dhariwal 2021, algorithm 1)."""
    x = noise()
    for k in reversed(range(len(process))):
        clean, log_variance, gradient = denoise(x, k)
        x = process.posterior_mean(clean, x, k) + (0.0 if gradient is None else log_variance.exp() * gradient)
        if k:
            x = x + (0.5 * log_variance).exp() * noise()
    return x


def sample_ddim(process: Process, denoise: Denoise, noise: Noise) -> Tensor:
    """Deterministic, from the noise predicted, less sqrt(1 - abar) s grad log p (Dhariwal 2021, algorithm 2).

    The guided estimate of the clean image is clipped as the unguided one is, and the noise follows from it:
    where next to nothing of the image is left, an unclipped one would be thousands of times too bright.
    """
    x = noise()
    for k in reversed(range(len(process))):
        clean, _, gradient = denoise(x, k)
        predicted = process.noise_from(x, clean, k)
        if gradient is not None:
            predicted = predicted - (1 - process.at("kept", k)).sqrt() * gradient
            clean = process.clean_from(x, predicted, k).clamp(-1, 1)
            predicted = process.noise_from(x, clean, k)
        before = process.at("before", k)
        x = before.sqrt() * clean + (1 - before).sqrt() * predicted
    return x


SAMPLERS = {"ancestral": sample_ancestral, "ddim": sample_ddim}


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


def noise_stream(seeds: Sequence[int], shape: tuple[int, ...], device: torch.device) -> Noise:
    """Standard normal [len(seeds), *shape] at each call; row k is a stream of its own that begins as
    seeded_normal does.
    """
    streams = [torch.Generator().manual_seed(derived(int(seed), "noise")) for seed in seeds]
    return lambda: torch.stack([torch.randn(shape, generator=stream) for stream in streams]).to(device)
