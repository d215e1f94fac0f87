"""StyleGAN2 as a class-conditional GAN with transitional training (Karras 2020, Shahbazi 2022, arXiv
2201.06578).

Training starts unconditional and becomes conditional as lambda goes from 0 to 1: conditional training from
the start collapses on small and long-tailed datasets.

For long tails, all off by default: NoisyTwins (noise on class embeddings and decorrelated styles), UTLO
(Khorram 2024, arXiv 2402.17065: layers up to a low resolution know no class, and what they draw is trained
unconditionally on all images, so that rare classes share it), and the loss of R3GAN (relativistic pairs with
R1 and R2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gmaug_core.config import StyleGAN2Config
from gmaug_core.data.views import Images
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.stylegan2_networks import (
    Discriminator,
    StyleGenerator,
)
from gmaug_core.models.generators.stylegan2_training import StyleGAN2Training
from gmaug_core.models.generators.tensors import (
    seeded_normal,
    to_device,
)
from gmaug_core.models.generators.training import Training
from gmaug_core.seeds import derive

MEAN_STYLES = 512  # random styles that a class's mean style is taken over


class StyleGAN2(Generator):
    """The paper's own: a transitional conditional GAN, one network evaluation an image."""

    name = "stylegan2"
    config_type = StyleGAN2Config
    config: StyleGAN2Config

    def build(self, n_classes: int) -> StyleGenerator:
        return StyleGenerator(self.config, n_classes, self.channels)

    def start(self, images: Images, n_classes: int, steps: int) -> Training:
        generator = to_device(self.build(n_classes), self.device)
        discriminator = to_device(Discriminator(self.config, n_classes, self.channels), self.device)
        counts = self.counts if len(self.counts) else np.ones(n_classes, int)

        return StyleGAN2Training(self.config, generator, discriminator, self.device, counts)

    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        generator: StyleGenerator = self.network
        sides = generator.synthesis.noise_sides
        numbers = seeded_normal(seeds, self.config.z_dim + sum(side**2 for side in sides)).to(self.device)
        z, *noise = numbers.split([self.config.z_dim, *(side**2 for side in sides)], 1)
        ws = generator.styles(z, labels)
        if self.config.truncation < 1:
            ws = self.mean_styles()[labels].lerp(ws, self.config.truncation)
        return generator.synthesis(
            ws, [part.reshape(-1, 1, side, side) for part, side in zip(noise, sides, strict=True)]
        )[-1]

    def mean_styles(self) -> Tensor:
        """The mean styles of each class [n_classes, n_styles, w_dim]: truncation pulls towards them, so it
        keeps the class.
        """
        n = len(self.class_names)
        z = seeded_normal([derive(0, "mean style", i) for i in range(MEAN_STYLES)], self.config.z_dim).to(
            self.device
        )
        return torch.stack(
            [
                self.network.styles(z, torch.full((MEAN_STYLES,), k, device=self.device)).mean(0)
                for k in range(n)
            ]
        )
