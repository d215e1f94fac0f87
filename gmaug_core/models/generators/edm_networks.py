"""EDM's networks: a U-Net, and Karras' preconditioning around it (arXiv 2206.00364)."""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmaug_core.config import EDMConfig
from gmaug_core.models.generators.augment import CONDITIONS
from gmaug_core.models.generators.layers import Attention, groups, zero
from gmaug_core.models.generators.tensors import mixed_precision

# the standard deviation that images are scaled to, so that the paper's noise levels fit every dataset
SIGMA_DATA = 0.5


class Block(nn.Module):
    """Two convolutions with a residual connection; the embedding [b, e] scales and shifts between them."""

    def __init__(self, c_in: int, c_out: int, embedding: int, *, dropout: float, attention: bool) -> None:
        super().__init__()
        self.norm0 = nn.GroupNorm(groups(c_in), c_in)
        self.conv0 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * c_out)
        self.norm1 = nn.GroupNorm(groups(c_out), c_out, affine=False)
        self.conv1 = zero(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.attention = Attention(c_out) if attention else nn.Identity()
        self.dropout = dropout

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv0(F.silu(self.norm0(x)))
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)
        h = F.silu(torch.addcmul(shift, self.norm1(h), 1 + scale))
        h = self.conv1(F.dropout(h, self.dropout, self.training))
        return self.attention(self.skip(x) + h)


class UNet(nn.Module):
    """The raw network F(x, noise level, class, augmentation) -> image. Class index n_classes means "no
    class".
    """

    def __init__(self, config: EDMConfig, n_classes: int, channels: int) -> None:
        super().__init__()
        base, width = config.channels, 4 * config.channels
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(100), base // 2)))
        self.from_noise = nn.Linear(2 * (base // 2), width)
        self.from_class = nn.Embedding(n_classes + 1, width)
        self.from_augmentation = nn.Linear(CONDITIONS, width, bias=False) if config.augment > 0 else None
        self.embed = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.first = nn.Conv2d(channels, base, 3, padding=1)

        def block(c_in: int, c_out: int, side: int) -> Block:
            return Block(
                c_in, c_out, width, dropout=config.dropout, attention=side in config.attention_resolutions
            )

        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        side, c = config.resolution, base
        skips: list[list[int]] = []
        for level, multiple in enumerate(config.channel_mult):
            side = config.resolution >> level
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(block(c, base * multiple, side))
                c = base * multiple
            self.down.append(blocks)
            skips.append([c] * config.blocks)
        self.middle = block(c, c, side)
        for level, multiple in reversed(list(enumerate(config.channel_mult))):
            blocks = nn.ModuleList()
            for skip in skips[level]:
                blocks.append(block(c + skip, base * multiple, config.resolution >> level))
                c = base * multiple
            self.up.append(blocks)
        self.last_norm = nn.GroupNorm(groups(c), c)
        self.last = zero(nn.Conv2d(c, channels, 3, padding=1))

    def forward(
        self, x: Tensor, noise_label: Tensor, labels: Tensor, augmentation: Tensor | None = None
    ) -> Tensor:
        phase = noise_label[:, None] * self.frequencies
        embedding = self.from_noise(torch.cat([phase.cos(), phase.sin()], 1)) + self.from_class(labels)
        if self.from_augmentation is not None and augmentation is not None:
            embedding = embedding + self.from_augmentation(augmentation)
        embedding = self.embed(embedding)
        x = self.first(x)
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.down):
            x = F.avg_pool2d(x, 2) if level else x
            for block in cast(nn.ModuleList, blocks):
                x = block(x, embedding)
                skips.append(x)
        x = self.middle(x, embedding)
        for level, blocks in enumerate(self.up):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") if level else x
            for block in cast(nn.ModuleList, blocks):
                x = block(torch.cat([x, skips.pop()], 1), embedding)
        return self.last(F.silu(self.last_norm(x)))


class Denoiser(nn.Module):
    """D(x, sigma) = c_skip x + c_out F(c_in x, ln(sigma) / 4) (Karras 2022, equation 7), and the scale of the
    data.

    weak: a lesser network of the same kind, for autoguidance.
    """

    def __init__(self, unet: UNet, weak: UNet | None = None) -> None:
        super().__init__()
        self.unet, self.weak = unet, weak
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def standardise(self, images: Tensor) -> Tensor:
        """[-1, 1] pixels to mean 0, standard deviation SIGMA_DATA."""
        return (images - self.mean) * (SIGMA_DATA / self.std)

    def pixels(self, standardised: Tensor) -> Tensor:
        """The inverse of standardise."""
        return standardised * (self.std / SIGMA_DATA) + self.mean

    def forward(
        self,
        x: Tensor,
        sigma: Tensor,
        labels: Tensor,
        augmentation: Tensor | None = None,
        *,
        weak: bool = False,
    ) -> Tensor:
        """Denoise x [b, c, h, w] at noise levels sigma [b]."""
        unet = cast(UNet, self.weak) if weak else self.unet
        s = sigma[:, None, None, None]
        total = s**2 + SIGMA_DATA**2
        with mixed_precision(x.device) if self.training else torch.autocast(x.device.type, enabled=False):
            raw = unet(x / total.sqrt(), sigma.log() / 4, labels, augmentation).float()
        return x * (SIGMA_DATA**2 / total) + raw * (s * SIGMA_DATA / total.sqrt())
