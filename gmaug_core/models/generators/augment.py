"""Augmentations that generators train with: DiffAugment and ADA (for discriminators), and EDM's non-leaky
augmentation.

All take and give float images [b, c, h, w] in [-1, 1], are differentiable, and draw from torch's global
generator.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CONDITIONS = 6  # numbers that describe one non-leaky augmentation


def diff_augment(images: Tensor, *, translation: float = 0.125, cutout: float = 0.3) -> Tensor:
    """Random shift (zero = mid-grey filled) and a random square hole (Zhao 2020), each for every image.

    translation: largest shift as a share of the side; cutout: side of the hole as a share of the side.
    """
    b, _, h, w = images.shape
    device = images.device
    rows, columns = torch.arange(h, device=device), torch.arange(w, device=device)
    reach = round(translation * h)
    shift = torch.randint(-reach, reach + 1, (2, b, 1), device=device)
    # pad once, then read each image through shifted indices
    padded = F.pad(images, (reach, reach, reach, reach))
    y = (rows + reach + shift[0])[:, None, :, None]
    x = (columns + reach + shift[1])[:, None, None, :]
    batch = torch.arange(b, device=device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=device)[None, :, None, None]
    images = padded[batch, channel, y, x]
    side = round(cutout * h)
    corner = torch.randint(-side // 2, h - side // 2 + 1, (2, b, 1), device=device)
    hole_y = (rows >= corner[0]) & (rows < corner[0] + side)
    hole_x = (columns >= corner[1]) & (columns < corner[1] + side)
    return images * ~(hole_y[:, None, :, None] & hole_x[:, None, None, :])


class ADA:
    """Adaptive discriminator augmentation (Karras 2020): each transform is applied with a probability p.

    p follows the sign statistic r = E[sign D(real)] of the unconditional logit: above the target the
    discriminator overfits and p rises. p can go from 0 to 1 within `kimg` thousand images.
    """

    def __init__(self, *, target: float, kimg: float) -> None:
        self.target = target
        self.kimg = kimg
        self.p = 0.0

    def update(self, real_logits: Tensor) -> None:
        """Move p by one batch of unconditional logits of (augmented) real images."""
        sign = float(real_logits.sign().mean())
        self.p += math.copysign(len(real_logits) / (self.kimg * 1000), sign - self.target)
        self.p = min(max(self.p, 0.0), 1.0)

    def __call__(self, images: Tensor) -> Tensor:
        """Flips, quarter turns, shift, scale, rotation, stretch, brightness and contrast, each with
        probability p.
        """
        if self.p == 0.0:
            return images
        b, device = len(images), images.device

        def some(values: Tensor) -> Tensor:
            return torch.where(torch.rand(b, device=device) < self.p, values, 0.0)

        flip = some(torch.randint(0, 2, (b,), device=device).float())
        quarters = some(torch.randint(0, 4, (b,), device=device).float())
        turn = quarters * (math.pi / 2) + some((torch.rand(b, device=device) * 2 - 1) * math.pi)
        scale, stretch = some(torch.randn(b, device=device) * 0.2), some(torch.randn(b, device=device) * 0.2)
        shift = torch.stack([some(torch.randn(b, device=device) * 0.125) for _ in range(2)], 1)
        images = warp(images, flip=flip, angle=turn, log_scale=scale, log_stretch=stretch, shift=shift)
        contrast = some(torch.randn(b, device=device) * 0.5 * math.log(2)).exp()
        brightness = some(torch.randn(b, device=device) * 0.2)
        return images * contrast[:, None, None, None] + brightness[:, None, None, None]

    def state_dict(self) -> dict[str, Any]:
        """p alone; target and pace come from the config."""
        return {"p": self.p}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore p."""
        self.p = state["p"]


def non_leaky(images: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """Shift, scale, stretch and turn, each with `probability`, and what was done [b, CONDITIONS] (Karras
    2022, appendix F).

    The network is told the conditions, so it can give un-augmented images when asked with zeros. No flips
    here: whether a mirrored image is valid is the dataset's own setting.
    """
    b, device = len(images), images.device

    def some(values: Tensor) -> Tensor:
        return torch.where(torch.rand(b, device=device) < probability, values, 0.0)

    scale, stretch = some(torch.randn(b, device=device) * 0.2), some(torch.randn(b, device=device) * 0.2)
    angle = some(torch.randn(b, device=device) * 0.2)
    shift = torch.stack([some(torch.randn(b, device=device) * 0.125) for _ in range(2)], 1)
    warped = warp(
        images,
        flip=torch.zeros(b, device=device),
        angle=angle,
        log_scale=scale,
        log_stretch=stretch,
        shift=shift,
    )
    conditions = torch.stack([scale, stretch, angle.cos() - 1, angle.sin(), shift[:, 0], shift[:, 1]], 1)
    return warped, conditions


def warp(
    images: Tensor, *, flip: Tensor, angle: Tensor, log_scale: Tensor, log_stretch: Tensor, shift: Tensor
) -> Tensor:
    """One bilinear resampling with reflected borders by flip, scale, stretch, rotation [b] and shift [b, 2]
    (share of the side).
    """
    x_scale, y_scale = (-log_scale - log_stretch).exp(), (-log_scale + log_stretch).exp()
    x_scale = torch.where(flip > 0, -x_scale, x_scale)
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.stack(
        [
            torch.stack([cos * x_scale, -sin * x_scale, 2 * shift[:, 0]], 1),
            torch.stack([sin * y_scale, cos * y_scale, 2 * shift[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
