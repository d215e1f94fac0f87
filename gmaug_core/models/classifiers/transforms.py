"""Images on their way into a classifier: from uint8 arrays to tensors, and distorted at random while it
trains.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.data.views import Images

MOST_FOR_STATISTICS = 20_000  # images that normalisation looks at
CHUNK = 256  # images that are counted at once


def channels_of(images: Images) -> int:
    """1 for uint8 [n, h, w], 3 for uint8 [n, h, w, 3]."""
    return 1 if images.ndim == 3 else 3


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] -> uint8 [n, c, h, w]."""
    with warnings.catch_warnings():
        # a mapped file is not, and nothing here writes
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        tensor = torch.from_numpy(np.ascontiguousarray(images))
    return tensor[:, None] if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2)


def channel_statistics(images: Images) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation a channel in grey levels, each float [1, c, 1, 1]; of MOST_FOR_STATISTICS
    images at most, evenly spread. A constant channel counts as having standard deviation 1.

    Sums of integers, a few images at a time: exact, and no copy of the images in floats.
    """
    stride = -(-len(images) // MOST_FOR_STATISTICS)
    index = np.arange(0, len(images), stride)
    total = square = torch.zeros(channels_of(images), dtype=torch.int64)
    for start in range(0, len(index), CHUNK):
        x = to_tensor(images[index[start : start + CHUNK]]).int()
        total, square = total + x.sum((0, 2, 3)), square + (x * x).sum((0, 2, 3))
    pixels = len(index) * images.shape[1] * images.shape[2]
    mean = total.double() / pixels
    std = (square.double() / pixels - mean**2).clamp_min(0).sqrt()
    return mean.float().view(1, -1, 1, 1), std.clamp_min(1.0).float().view(1, -1, 1, 1)


def distort(x: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Random affine maps, one an image, sampled bilinearly. x: float [b, c, h, w].

    affine: rotation +-12 degrees, scale and shear +-.1, shift +-.08 of the side (digits: nothing flips);
    crop: a random crop of 40-100 % of the area, sides 3:4 to 4:3; wide_crop: of 8-100 % (as He 2016 and
    paper A do); crop_flip, wide_crop_flip: the same and mirrored half of the time. Outside the image the
    border is repeated. generator: on the CPU.
    """
    if kind == "none":
        return x
    # drawn on the CPU, so the same on every device, and sent there at once
    draws = torch.rand(6, len(x), generator=generator).to(x.device, non_blocking=True)
    if kind == "affine":
        return sampled(x, _affine(draws))
    least = 0.08 if kind.startswith("wide") else 0.4
    return sampled(x, _crops(draws, least, flip=kind.endswith("flip")))


def sampled(x: Tensor, theta: Tensor) -> Tensor:
    """The images seen through maps [b, 2, 3] from the new image's coordinates to the old one's, both
    -1..1.
    """
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _between(draws: Tensor, low: float, high: float) -> Tensor:
    return draws * (high - low) + low


def _affine(draws: Tensor) -> Tensor:
    """Draws [6, n] in 0..1 -> maps [n, 2, 3]."""
    theta = draws.new_zeros(draws.shape[1], 2, 3)
    angle = _between(draws[0], -12, 12) * (math.pi / 180)
    scale, shear = _between(draws[1], 0.9, 1.1), _between(draws[2], -0.1, 0.1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta[:, 0, 0], theta[:, 0, 1] = cos / scale, (shear - sin) / scale
    theta[:, 1, 0], theta[:, 1, 1] = sin / scale, cos / scale
    theta[:, :, 2] = _between(draws[3:5], -0.16, 0.16).T  # in half sides
    return theta


def _crops(draws: Tensor, least: float, *, flip: bool) -> Tensor:
    """As _affine; least: share of the area."""
    theta = draws.new_zeros(draws.shape[1], 2, 3)
    area = _between(draws[0], least, 1.0)
    ratio = torch.exp(_between(draws[1], math.log(3 / 4), math.log(4 / 3)))
    width, height = (area * ratio).sqrt().clamp_max(1.0), (area / ratio).sqrt().clamp_max(1.0)
    theta[:, 0, 2] = _between(draws[2], -1, 1) * (1 - width)
    theta[:, 1, 2] = _between(draws[3], -1, 1) * (1 - height)
    if flip:
        width = torch.where(draws[4] < 0.5, -width, width)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    return theta
