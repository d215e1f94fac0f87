"""Stronger augmentation of what a classifier sees: TrivialAugment, RandAugment, random erasing, mixup,
CutMix. A whole batch at once, and
every draw from one generator, so that a training resumes exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from gmaug_core.data.treatment import Strong
from gmaug_core.models.classifiers.transforms import sampled

STRONG: tuple[Strong, ...] = get_args(Strong)
MIXUP_ALPHA = (
    0.2  # Zhang 2018 (arXiv 1710.09412): .1 to .4 on photographs; larger ones underfit small networks
)
CUTMIX_ALPHA, CUTMIX_SHARE = 1.0, 0.5  # Yun 2019 (arXiv 1905.04899), as on CIFAR: half of the batches
RAND_OPERATIONS, RAND_STRENGTH = 2, 9 / 30  # of the wide space's strongest


@dataclass(frozen=True)
class Targets:
    """What a batch is told to be: `share` of the loss for the labels `own`, the rest for those of `other`."""

    own: Tensor  # int64 [b]
    other: Tensor | None = None
    share: float = 1.0
    weight: Tensor | None = None  # float [b], factors of the loss for `own`; None: all alike
    other_weight: Tensor | None = None  # the same for `other`
    # bool [b], images with statistics of their own in batch normalisation; on the CPU, so that nobody waits
    # for a GPU to say how many they are
    apart: Tensor | None = None
    # int64 [b] and float [b]: features of each image move towards those of another one, by this share
    towards: Tensor | None = None
    steps: Tensor | None = None

    def with_other(self, partner: Tensor, share: float) -> Targets:
        """The same, with the labels and weights of other images of the batch for the rest of the loss.
        partner: int64 [b], which."""
        weight = None if self.weight is None else self.weight[partner]
        return replace(self, other=self.own[partner], share=share, other_weight=weight)


def mixed(x: Tensor, y: Targets, kind: Strong, generator: torch.Generator) -> tuple[Tensor, Targets]:
    """mixup: each image and another one of the batch, added in random shares; cutmix: a box of another one in
    its place. x: float [b, c, h, w]; y: what each alone is; one share a batch, as the authors do.
    """
    if kind not in ("mixup", "cutmix"):
        return x, y
    rng, partner = _partners(x, generator)
    if kind == "mixup":
        return _mixup(x, y, partner, float(rng.beta(MIXUP_ALPHA, MIXUP_ALPHA)))
    if rng.random() >= CUTMIX_SHARE:
        return x, y
    return _cutmix(x, y, partner, float(rng.beta(CUTMIX_ALPHA, CUTMIX_ALPHA)), rng)


def mixed_by(
    x: Tensor, y: Targets, mixup: float, cutmix: float, generator: torch.Generator
) -> tuple[Tensor, Targets]:
    """Every batch by mixup or by CutMix, with these alphas (0: never); with both, one of them by a coin."""
    if not (mixup or cutmix):
        return x, y
    rng, partner = _partners(x, generator)
    if not cutmix or (mixup and rng.random() < 0.5):
        return _mixup(x, y, partner, float(rng.beta(mixup, mixup)))
    return _cutmix(x, y, partner, float(rng.beta(cutmix, cutmix)), rng)


def _partners(x: Tensor, generator: torch.Generator) -> tuple[np.random.Generator, Tensor]:
    """Random numbers of this batch, and with which other image each is mixed."""
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    return rng, torch.randperm(len(x), generator=generator).to(x.device, non_blocking=True)


def of_its_class(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Another image of its class for each image of a batch, itself where it is the only one: int64 [b], at
    random. labels: int64 [b], on the CPU."""
    order = torch.argsort(labels + torch.rand(len(labels), generator=generator, dtype=torch.float64))
    first = torch.searchsorted(labels[order], labels[order])  # where each class begins in that order
    last = torch.searchsorted(labels[order], labels[order], right=True) - 1
    place = torch.arange(len(labels))
    found = torch.empty_like(order)
    found[order] = order[torch.where(place == last, first, place + 1)]
    return found


def _mixup(x: Tensor, y: Targets, partner: Tensor, share: float) -> tuple[Tensor, Targets]:
    return x * share + x[partner] * (1 - share), y.with_other(partner, share)


def _cutmix(
    images: Tensor, y: Targets, partner: Tensor, share: float, rng: np.random.Generator
) -> tuple[Tensor, Targets]:
    height, width = images.shape[2:]
    top, bottom, left, right = _box(share, height, width, rng)
    x = images.clone()
    x[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)  # of what stayed, after the edges
    return x, y.with_other(partner, share)


def _box(share: float, height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Rows and columns of a box of 1 - share of the area around a random centre, cut at the edges."""
    side = math.sqrt(1 - share)
    row, column = int(rng.integers(height)), int(rng.integers(width))
    up, across = int(height * side) // 2, int(width * side) // 2
    rows = max(row - up, 0), min(row + up, height)
    return *rows, max(column - across, 0), min(column + across, width)


def erased(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A box of 2 to 33 % of the area becomes normal noise, in about this share of the images (Zhong 2020,
    arXiv 1708.04896). x: float [b, c, h, w], normalised.
    """
    chosen, area, shape, top, left = torch.rand(5, len(x), generator=generator)
    rows = torch.nonzero(chosen < share)[:, 0]
    if not len(rows):
        return x
    height, width = x.shape[2:]
    ratio = torch.exp((shape * 2 - 1) * math.log(1 / 0.3)).sqrt()
    side = ((0.02 + area * 0.31) * height * width).sqrt()
    tall, wide = (side * ratio).clamp_max(height), (side / ratio).clamp_max(width)
    top, left = top * (height - tall), left * (width - wide)
    y, across = torch.arange(height) + 0.5, torch.arange(width) + 0.5  # centres of the pixels
    inside_rows = (y >= top[rows, None]) & (y < (top + tall)[rows, None])
    inside_columns = (across >= left[rows, None]) & (across < (left + wide)[rows, None])
    box = (inside_rows[:, :, None] & inside_columns[:, None, :])[:, None].to(x.device, non_blocking=True)
    noise = torch.randn((len(rows), *x.shape[1:]), generator=generator).to(x.device, non_blocking=True)
    rows, done = rows.to(x.device, non_blocking=True), x.clone()
    done[rows] = torch.where(box, noise, x[rows])
    return done


def rand_augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Two random operations an image, each 9 of 30 strong (Cubuk 2020, arXiv 1909.13719; the strength He 2022
    fine-tunes with). x: float [b, c, h, w] in 0..1, and so is what comes back.
    """
    for _ in range(RAND_OPERATIONS):
        x = _operated(x, torch.full((len(x),), RAND_STRENGTH), generator)
    return x


def trivial_augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """One random operation an image, its strength drawn evenly (Mueller 2021, arXiv 2103.10158, the wide
    space of 14 operations). x: float [b, c, h, w] in 0..1, and so is what comes back.
    """
    return _operated(x, None, generator)


def _operated(x: Tensor, strength: Tensor | None, generator: torch.Generator) -> Tensor:
    """One random operation an image. strength: [b] in 0..1; None: drawn evenly."""
    choice = torch.randint(len(OPERATIONS), (len(x),), generator=generator)
    if strength is None:
        strength = torch.rand(len(x), generator=generator)
    sign = torch.randint(0, 2, (len(x),), generator=generator) * 2 - 1
    amount = torch.stack([strength, strength * sign]).to(x.device, non_blocking=True)
    done = x.clone()
    for number, operation in enumerate(OPERATIONS):
        mine = torch.nonzero(choice == number)[:, 0]  # on the CPU: nothing waits for a GPU
        if len(mine):
            rows = mine.to(x.device, non_blocking=True)
            done[rows] = operation(x[rows], amount[0, rows], amount[1, rows]).clamp(0, 1)
    return done


# Operations: (images [b, c, h, w] in 0..1, strength [b] in 0..1, the same with a random sign) -> images

Operation = Callable[[Tensor, Tensor, Tensor], Tensor]


def _map(images: Tensor, places: dict[tuple[int, int], Tensor]) -> Tensor:
    """Through affine maps that are the identity but for the entries given, each [b]."""
    theta = torch.eye(2, 3, device=images.device).repeat(len(images), 1, 1)
    for (row, column), value in places.items():
        theta[:, row, column] = value
    return sampled(images, theta)


def _rotate(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    angle = signed * math.radians(135)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return _map(x, {(0, 0): cos, (0, 1): -sin, (1, 0): sin, (1, 1): cos})


def _shear_x(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _map(x, {(0, 1): signed * 0.99})


def _shear_y(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _map(x, {(1, 0): signed * 0.99})


def _shift_x(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _map(x, {(0, 2): signed * 2 * 32 / 224})  # 32 pixels of the 224 that the space was made for


def _shift_y(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _map(x, {(1, 2): signed * 2 * 32 / 224})


def _blend(images: Tensor, towards: Tensor, signed: Tensor) -> Tensor:
    """Images pushed away from (or, signed below 0, pulled to) others by up to .99 of the difference."""
    return towards + (images - towards) * (1 + signed * 0.99)[:, None, None, None]


def _brightness(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _blend(x, torch.zeros_like(x), signed)


def _colour(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _blend(x, _grey(x), signed)


def _contrast(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    return _blend(x, _grey(x).mean((1, 2, 3), keepdim=True), signed)


def _sharpness(x: Tensor, _: Tensor, signed: Tensor) -> Tensor:
    kernel = torch.tensor([[1, 1, 1], [1, 5, 1], [1, 1, 1]], dtype=x.dtype) / 13
    kernel = kernel.to(x.device, non_blocking=True)
    smooth = x.clone()
    smooth[:, :, 1:-1, 1:-1] = F.conv2d(x, kernel.expand(x.shape[1], 1, 3, 3), groups=x.shape[1])
    return _blend(x, smooth, signed)


def _grey(x: Tensor) -> Tensor:
    """[b, 1, h, w]."""
    return x if x.shape[1] == 1 else tv.rgb_to_grayscale(x)


def _posterize(x: Tensor, strength: Tensor, _: Tensor) -> Tensor:
    bits = 8 - torch.round(strength * 6)  # 8 ... 2 bits a channel
    step = torch.pow(2.0, 8 - bits)[:, None, None, None]
    return torch.floor(torch.round(x * 255) / step) * step / 255


def _solarize(x: Tensor, strength: Tensor, _: Tensor) -> Tensor:
    return torch.where(x >= (1 - strength)[:, None, None, None], 1 - x, x)


def _autocontrast(x: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return tv.autocontrast(x)


def _equalize(x: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return tv.equalize((x * 255).round().to(torch.uint8)).to(x.dtype) / 255


def _identity(x: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return x


OPERATIONS: tuple[Operation, ...] = (
    _identity,
    _shear_x,
    _shear_y,
    _shift_x,
    _shift_y,
    _rotate,
    _brightness,
    _colour,
    _contrast,
    _sharpness,
    _posterize,
    _solarize,
    _autocontrast,
    _equalize,
)
