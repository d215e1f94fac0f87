"""The training of StyleGAN2: its losses, its lazy regularisation, and the transition from unconditional to
conditional (see stylegan2.py).
"""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.config import StyleGAN2Config
from gmaug_core.models.generators.augment import ADA, diff_augment
from gmaug_core.models.generators.gan_losses import (
    discriminator_loss,
    embedding_noise,
    generator_loss,
    gradient_penalty,
    transition,
    twins_loss,
)
from gmaug_core.models.generators.stylegan2_networks import (
    Discriminator,
    StyleGenerator,
    learning_rates,
    low_level,
)
from gmaug_core.models.generators.tensors import (
    mixed_precision,
    update_ema,
)
from gmaug_core.models.generators.training import Training
from gmaug_core.models.losses import Losses

ADA_SHARE = 0.25  # of the budget: the time in which p could go from 0 to 1 (500 kimg in the paper, at most)


class Fakes(NamedTuple):
    """What the generator drew for one step, with its graph."""

    images: Tensor  # [n, channels, resolution, resolution]
    low: Tensor | None  # with UTLO, what the class-free layers drew: [n, channels, low, low]
    twins: Tensor | None  # with NoisyTwins, their loss: a scalar


class StyleGAN2Training(Training):
    """Non-saturating loss on both heads, lazy R1 and path-length regularisation, EMA, lambda on the image
    counter.
    """

    def __init__(
        self,
        config: StyleGAN2Config,
        generator: StyleGenerator,
        discriminator: Discriminator,
        device: torch.device,
        counts: NDArray[np.integer],
    ) -> None:
        """counts: training images of each class [n_classes]."""
        self.config, self.device = config, device
        self.class_noise = embedding_noise(counts, config.twins_sigma, config.twins_alpha).to(device)
        self.generator, self.discriminator = generator.train(), discriminator.train()
        self.ema = copy.deepcopy(generator).eval().requires_grad_(False)
        self.ada = ADA(target=config.ada_target, kimg=min(500.0, ADA_SHARE * config.kimg))
        self.path_length = nn.Module()
        self.path_length.register_buffer("mean", torch.zeros((), device=device))
        self.optimizer_g = self._optimizer(
            generator, config.path_length_interval if config.path_length_weight else 0
        )
        self.optimizer_d = self._optimizer(discriminator, config.r1_interval if config.r1_gamma else 0)
        self.penalties = nn.Module()  # as they were last worked out: not in every step
        self.r1, self.path_penalty = torch.zeros((), device=device), torch.zeros((), device=device)
        self.penalties.register_buffer("r1", self.r1)
        self.penalties.register_buffer("path_length", self.path_penalty)
        if config.compile:
            generator.synthesis.compile(dynamic=False)
            discriminator.compile(dynamic=False)
        lazy = [
            config.r1_interval if config.r1_gamma else 1,
            config.path_length_interval if config.path_length_weight else 1,
        ]
        self.period = math.lcm(*lazy)

    def _optimizer(self, network: nn.Module, lazy_interval: int) -> torch.optim.Adam:
        """Adam whose pace allows for one regularisation step every `lazy_interval` steps (Karras 2020,
        appendix B).
        """
        share = lazy_interval / (lazy_interval + 1) if lazy_interval else 1.0
        groups = learning_rates(network, self.config.lr * share)
        return torch.optim.Adam(groups, betas=(0.0, self.config.beta2**share), fused=True)

    def precision(self) -> AbstractContextManager[Any]:
        return mixed_precision(self.device, on_cpu=True)

    def augment(self, images: Tensor) -> Tensor:
        if self.config.augment == "ada":
            return self.ada(images)
        return diff_augment(images) if self.config.augment == "diffaugment" else images

    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        config = self.config
        blend = transition(
            step * config.batch / 1000, config.kimg, config.transition_start, config.transition_end
        )
        self.generator.mapping.blend.fill_(blend)

        with self.precision():  # the fakes keep their graph: both networks learn from one forward pass
            fakes = self._fakes(labels)
            loss_d, real_u = self._discriminator_loss(fakes, images, labels, blend)
        self._update(self.optimizer_d, loss_d)
        if config.augment == "ada":
            self.ada.update(real_u)
        if config.r1_gamma and step % config.r1_interval == 0:
            self._regularise_discriminator(images, labels, fakes.images if config.loss == "rpgan" else None)

        self.discriminator.requires_grad_(False)
        with self.precision():
            loss_g = self._generator_loss(fakes, images, labels, blend)
        self._update(self.optimizer_g, loss_g)
        self.discriminator.requires_grad_(True)
        if config.path_length_weight and step % config.path_length_interval == 0:
            self._regularise_generator(labels)

        kimg = (step + 1) * config.batch / 1000
        update_ema(
            self.ema, self.generator, half_life_kimg=config.ema_half_life_kimg, kimg=kimg, batch=config.batch
        )
        figures: dict[str, Tensor | float] = {
            "loss": loss_g.detach(),
            "loss_d": loss_d.detach(),
            "lambda": blend,
            "r1": self.r1.clone(),
            "real_sign": real_u.sign().mean(),
        }
        if config.augment == "ada":
            figures["ada_p"] = self.ada.p
        if config.path_length_weight:
            figures["path_length"] = self.path_penalty.clone()
        return figures

    def _discriminator_loss(
        self, fakes: Fakes, images: Tensor, labels: Tensor, blend: float
    ) -> tuple[Tensor, Tensor]:
        """Its loss (a scalar), and the unconditional logits of the real images, detached [n]."""
        config = self.config
        both = self.augment(torch.cat([fakes.images.detach(), images]))
        (fake_u, real_u), (fake_c, real_c) = (
            logits.chunk(2) for logits in self.discriminator(both, labels.repeat(2), batches=2)
        )
        loss = discriminator_loss(real_u, fake_u, config.loss)
        if blend > 0:
            loss = loss + blend * discriminator_loss(real_c, fake_c, config.loss)
        if fakes.low is not None:
            low_reals = F.adaptive_avg_pool2d(images, config.low_resolution)
            low_fake, low_real = self.discriminator.judge_low(
                self.augment(torch.cat([fakes.low.detach(), low_reals])), batches=2
            ).chunk(2)
            loss = loss + config.low_weight * discriminator_loss(low_real, low_fake, config.loss)
        return loss, real_u.detach()

    def _generator_loss(self, fakes: Fakes, images: Tensor, labels: Tensor, blend: float) -> Tensor:
        """Its loss (a scalar), judged by a discriminator that does not learn meanwhile."""
        config = self.config
        held_u = held_c = held_low = None  # what fakes are held against
        if config.loss == "rpgan":
            with torch.no_grad():
                held_u, held_c = self.discriminator(self.augment(images), labels)
                if fakes.low is not None:
                    low_reals = F.adaptive_avg_pool2d(images, config.low_resolution)
                    held_low = self.discriminator.judge_low(self.augment(low_reals))
        fake_u, fake_c = self.discriminator(self.augment(fakes.images), labels)
        loss = generator_loss(fake_u, held_u, config.loss)
        if blend > 0:
            loss = loss + blend * generator_loss(fake_c, held_c, config.loss)
        if fakes.low is not None:
            judged = self.discriminator.judge_low(self.augment(fakes.low))
            loss = loss + config.low_weight * generator_loss(judged, held_low, config.loss)
        if fakes.twins is not None and blend > 0:
            loss = loss + blend * config.noisy_twins * fakes.twins
        return loss

    def _fakes(self, labels: Tensor) -> Fakes:
        """Images for these labels, from random styles."""
        generator, config, n, twins = self.generator, self.config, len(labels), None
        z = torch.randn(n, config.z_dim, device=self.device)
        ws = generator.styles(z, labels, self._embedding_noise(labels))
        if config.noisy_twins:
            twins = twins_loss(
                ws[:, -1], generator.mapping(z, labels, self._embedding_noise(labels)), config.twins_gamma
            )
        if config.style_mixing and float(torch.rand(())) < config.style_mixing:
            z = torch.randn(n, config.z_dim, device=self.device)
            other = generator.styles(z, labels, self._embedding_noise(labels))
            first = torch.randint(
                1, ws.shape[1], (n, 1, 1), device=self.device
            )  # from this layer on, the other style
            ws = torch.where(torch.arange(ws.shape[1], device=self.device)[:, None] < first, ws, other)
        images = generator.synthesis(ws, generator.synthesis.random_noise(n, self.device))
        low = images[low_level(config)] if config.low_resolution else None
        return Fakes(images[-1], low, twins)

    def _embedding_noise(self, labels: Tensor) -> Tensor | None:
        if not self.config.noisy_twins:
            return None
        return self.class_noise[labels][:, None] * torch.randn(
            len(labels), self.config.w_dim, device=self.device
        )

    @staticmethod
    def _update(optimizer: torch.optim.Adam, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def _regularise_discriminator(self, images: Tensor, labels: Tensor, fakes: Tensor | None = None) -> None:
        """gamma / 2 |grad D_u|^2 on the unconditional logit alone: R1 at augmented real images, and R2 at
        fakes where given.
        """
        penalties = []
        for seen in (images, fakes):
            if seen is not None:
                x = self.augment(seen.detach()).detach().float().requires_grad_()
                with self.precision():
                    logits = self.discriminator.forward(x, labels)[
                        0
                    ]  # forward: what is compiled has no second derivative
                penalties.append(gradient_penalty(logits, x))
        self._update(
            self.optimizer_d,
            torch.stack(penalties).sum() * (self.config.r1_gamma / 2 * self.config.r1_interval),
        )
        self.r1.copy_(penalties[0].detach())

    def _regularise_generator(self, labels: Tensor) -> None:
        """Path length (Karras 2020, equation 4): a step in w should change the image by a fixed amount. Half
        the batch is enough.
        """
        labels = labels[: max(1, len(labels) // 2)]
        generator = self.generator
        with self.precision():
            ws = generator.styles(torch.randn(len(labels), self.config.z_dim, device=self.device), labels)
            noise = generator.synthesis.random_noise(len(labels), self.device)
            images = generator.synthesis.forward(ws, noise)[-1]  # forward: as above
        direction = torch.randn_like(images) / self.config.resolution
        (gradient,) = torch.autograd.grad((images * direction).sum(), ws, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        mean: Tensor = self.path_length.mean  # type: ignore[assignment]
        mean.lerp_(lengths.detach().mean(), 0.01)
        penalty = (lengths - mean).square().mean()
        self._update(
            self.optimizer_g, penalty * (self.config.path_length_weight * self.config.path_length_interval)
        )
        self.path_penalty.copy_(penalty.detach())

    def average(self) -> nn.Module:
        return self.ema

    def conditional(self, steps: int) -> bool:
        config = self.config  # lambda of the last step, as in step()
        return (
            transition(
                (steps - 1) * config.batch / 1000, config.kimg, config.transition_start, config.transition_end
            )
            >= 1
        )

    def losses(self) -> Losses:
        """Of two networks that play against each other neither loss falls while they learn."""
        return Losses(exploded=math.inf)

    def parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "ema": self.ema,
            "optimizer_g": self.optimizer_g,
            "optimizer_d": self.optimizer_d,
            "path_length": self.path_length,
            "penalties": self.penalties,
            "ada": self.ada,
        }
