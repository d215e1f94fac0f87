"""EDM: a class-conditional diffusion U-Net with Karras' preconditioning (arXiv 2206.00364), classifier-free
guidance or autoguidance.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gmaug_core.config import EDMConfig
from gmaug_core.data.views import Images
from gmaug_core.models.generators.augment import non_leaky
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.edm_networks import SIGMA_DATA, Denoiser, UNet
from gmaug_core.models.generators.feedback import Judge, objective
from gmaug_core.models.generators.tensors import (
    move_average,
    seeded_normal,
    to_device,
    update_ema,
)
from gmaug_core.models.generators.training import Training

WARM_UP_STEPS = 50
CBDM_GAMMA = 0.25  # weight of the commitment half of the class-balancing term (Qin 2023)

Denoise = Callable[[Tensor, Tensor], Tensor]  # (noisy images, sigma) -> clean images


def noise_levels(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Falling noise levels [steps + 1], the last one 0 (Karras 2022, equation 5)."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return torch.cat([(high + ramp * (low - high)) ** rho, torch.zeros(1, dtype=torch.float64)]).float()


def sample_heun(denoise: Denoise, noise: Tensor, sigmas: Tensor) -> Tensor:
    """Heun's second-order method on dx/dsigma = (x - D(x, sigma)) / sigma; two evaluations a step (Karras
    2022, algorithm 1).
    """
    x = noise * sigmas[0]
    for now, after in pairwise(sigmas):
        slope = (x - denoise(x, now)) / now
        euler = x + (after - now) * slope
        if after == 0:
            return euler
        x = x + (after - now) * 0.5 * (slope + (euler - denoise(euler, after)) / after)
    return x


def sample_dpm(denoise: Denoise, noise: Tensor, sigmas: Tensor) -> Tensor:
    """DPM-Solver++(2M) (Lu 2022, arXiv 2211.01095): exponential integrator in -ln sigma, one evaluation a
    step.

    With h the step in -ln sigma: x' = (sigma'/sigma) x + (1 - e^-h) D, where D is extrapolated to the middle
    of the step from this and the previous denoised image.
    """
    x = noise * sigmas[0]
    previous: tuple[Tensor, Tensor] | None = None  # denoised image and step length before this one
    for now, after in pairwise(sigmas):
        clean = denoise(x, now)
        if after == 0:
            return clean
        h = (now / after).log()
        middle = clean if previous is None else clean + (clean - previous[0]) * h / (2 * previous[1])
        x = (after / now) * x - torch.expm1(-h) * middle
        previous = clean, h
    return x


SAMPLERS = {"heun": sample_heun, "dpm": sample_dpm}


def power_exponent(sigma_rel: float) -> float:
    """gamma of the average whose weights grow as time^gamma and whose width is sigma_rel of the time trained
    (0, .2886].

    sigma_rel^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)), a cubic in gamma (Karras 2024, arXiv 2312.02696,
    section 3.1).
    """
    inverse = sigma_rel**-2
    return float(np.roots([1, 7, 16 - inverse, 12 - inverse]).real.max())


def power_decay(step: int, sigma_rel: float) -> float:
    """beta = (1 - 1/t)^(gamma + 1) for the update after step t = 1, 2, ... (Karras 2024, equation 127)."""
    return (1 - 1 / step) ** (power_exponent(sigma_rel) + 1)


class EDMTraining(Training):
    """Denoising score matching with label drop, optional class balancing and non-leaky augmentation.

    With autoguidance the average also holds what it was at that share of the budget; until then, what it is.
    """

    def __init__(self, config: EDMConfig, denoiser: Denoiser, n_classes: int, steps: int) -> None:
        self.config, self.n_classes, self.steps = config, n_classes, steps
        self.ema = copy.deepcopy(denoiser).eval().requires_grad_(False)
        self.denoiser = denoiser.train()
        self.denoiser.weak = None  # it is never trained
        self.optimizer = torch.optim.Adam(denoiser.parameters(), lr=config.lr, betas=(0.9, 0.99), fused=True)

    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        config = self.config
        clean, augmentation = self.denoiser.standardise(images), None
        if config.augment > 0:
            clean, augmentation = non_leaky(clean, config.augment)
        normal = torch.randn(len(images), device=images.device)
        sigma = (config.p_mean + config.p_std * normal).exp()
        s = sigma[:, None, None, None]
        noisy = clean + s * torch.randn_like(clean)
        dropped = torch.rand(len(labels), device=labels.device) < config.label_drop
        drawn, labels = labels, torch.where(dropped, self.n_classes, labels)
        weight = (s**2 + SIGMA_DATA**2) / (s * SIGMA_DATA) ** 2
        # everything was drawn for the whole batch; from here on only this process's rows count
        rows = self.group.rows(len(images), dropout=config.dropout)
        clean, noisy, sigma, labels, weight = (x[rows] for x in (clean, noisy, sigma, labels, weight))
        augmentation = None if augmentation is None else augmentation[rows]
        denoised = self.denoiser(noisy, sigma, labels, augmentation)
        loss = (weight * (denoised - clean) ** 2).mean()
        figures: dict[str, Tensor | float] = {"loss": loss.detach()}
        if config.cbdm_tau > 0:
            other = torch.where(dropped, self.n_classes, torch.randint_like(drawn, self.n_classes))[rows]
            denoised_other = self.denoiser(noisy, sigma, other, augmentation)
            time = torch.special.ndtr(normal[rows])[
                :, None, None, None
            ]  # t/T: the share of training noise levels below this one
            balance = (denoised - denoised_other.detach()) ** 2 + CBDM_GAMMA * (
                denoised.detach() - denoised_other
            ) ** 2
            loss = loss + config.cbdm_tau * (time * weight * balance).mean()
            figures["loss_with_balance"] = loss.detach()
        lr = config.lr * min(1.0, (step + 1) / WARM_UP_STEPS, 2 * (1 - step / self.steps))
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        figures = self.group.average(self.denoiser, figures)
        self.optimizer.step()
        self._follow(step + 1)
        return figures

    def _follow(self, done: int) -> None:
        """Move the average after `done` steps."""
        config, average = self.config, self.ema.unet
        if config.ema_sigma_rel > 0:
            move_average(average, self.denoiser.unet, power_decay(done, config.ema_sigma_rel))
        else:
            kimg = done * config.batch / 1000
            update_ema(
                average,
                self.denoiser.unet,
                half_life_kimg=config.ema_half_life_kimg,
                kimg=kimg,
                batch=config.batch,
            )
        if self.ema.weak is not None and done <= math.ceil(config.autoguidance * self.steps):
            move_average(self.ema.weak, average, 0.0)

    def average(self) -> nn.Module:
        return self.ema

    def parts(self) -> dict[str, Any]:
        return {"denoiser": self.denoiser, "ema": self.ema, "optimizer": self.optimizer}


class EDM(Generator):
    """The recommended one: steady to train, every class in one network, cheap to sample."""

    name = "edm"
    config_type = EDMConfig
    config: EDMConfig

    @property
    def evaluations(self) -> float:
        return (
            self.config.sampling_steps
            * (2 if self.config.sampler == "heun" else 1)
            * (1 if self.config.guidance == 1 else 2)
        )

    def build(self, n_classes: int) -> Denoiser:
        unet = UNet(self.config, n_classes, self.channels)
        return Denoiser(unet, copy.deepcopy(unet) if self.config.autoguidance > 0 else None)

    def start(self, images: Images, n_classes: int, steps: int) -> Training:
        denoiser = self.build(n_classes)
        shown = np.asarray(images[:: max(1, len(images) // 5000)], np.float32) / 127.5 - 1
        denoiser.mean.fill_(float(shown.mean()))
        denoiser.std.fill_(max(float(shown.std()), 1e-3))
        to_device(denoiser, self.device)
        return EDMTraining(self.config, denoiser, n_classes, steps)

    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        return self._render(labels, seeds, None)

    def render_steered(self, labels: Tensor, seeds: Sequence[int], judge: Judge) -> Tensor:
        # steering needs gradients, and tensors made in inference mode cannot have any
        with torch.inference_mode(False), torch.no_grad():
            return self._render(labels.clone(), seeds, judge)

    def _render(self, labels: Tensor, seeds: Sequence[int], judge: Judge | None) -> Tensor:
        config, denoiser = self.config, self.network
        shape = (len(labels), self.channels, config.resolution, config.resolution)
        noise = seeded_normal(seeds, math.prod(shape[1:])).reshape(shape).to(self.device)

        def denoise(x: Tensor, sigma: Tensor) -> Tensor:
            if config.guidance == 1.0:
                return denoiser(x, sigma.expand(len(x)), labels)
            if (
                config.autoguidance > 0
            ):  # away from what a lesser model would do (Karras 2024, arXiv 2406.02507, equation 4)
                good, weak = (
                    denoiser(x, sigma.expand(len(x)), labels, weak=which) for which in (False, True)
                )
                return weak + config.guidance * (good - weak)
            nothing = torch.full_like(labels, len(self.class_names))
            both = denoiser(torch.cat([x, x]), sigma.expand(2 * len(x)), torch.cat([labels, nothing]))
            conditional, unconditional = both.chunk(2)
            return unconditional + config.guidance * (conditional - unconditional)

        def steered(x: Tensor, sigma: Tensor) -> Tensor:
            """D + s sigma^2 grad: the estimate under a density multiplied by exp(s objective) (Tweedie's
            formula).
            """
            assert judge is not None
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                clean = denoise(x, sigma)
                value = objective(judge(denoiser.pixels(clean)), labels, config.feedback)
                gradient = torch.autograd.grad(value, x)[0]
            return clean.detach() + config.feedback_scale * sigma**2 * gradient

        step = denoise if judge is None or config.feedback == "none" else steered
        sigmas = noise_levels(config.sampling_steps, config.sigma_min, config.sigma_max).to(self.device)
        return denoiser.pixels(SAMPLERS[config.sampler](step, noise, sigmas))
