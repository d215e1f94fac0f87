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


def distort(x: Tensor, kind: str) -> Tensor:
    """Random affine maps, one an image, sampled bilinearly. x: float [b, c, h, w], normalised.

    affine: rotation +-12 degrees, scale and shear +-.1, shift +-.08 of the side (digits: nothing flips);
    crop: a random crop of 40-100 % of the area, sides 3:4 to 4:3; crop_flip: the same and mirrored half of
    the time. Outside the image the border is repeated.
    """
    if kind == "none":
        return x
    theta = (
        _affine(len(x), x.device) if kind == "affine" else _crops(len(x), x.device, flip=kind == "crop_flip")
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _uniform(n: int, low: float, high: float, device: torch.device) -> Tensor:
    """[n], drawn on the CPU: the same on every device."""
    return (torch.rand(n) * (high - low) + low).to(device)


def _affine(n: int, device: torch.device) -> Tensor:
    """Maps [n, 2, 3] from the distorted image's coordinates to the image's, each -1..1."""
    theta = torch.zeros(n, 2, 3, device=device)
    angle = _uniform(n, -12, 12, device) * (math.pi / 180)
    scale, shear = _uniform(n, 0.9, 1.1, device), _uniform(n, -0.1, 0.1, device)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta[:, 0, 0], theta[:, 0, 1] = cos / scale, (shear - sin) / scale
    theta[:, 1, 0], theta[:, 1, 1] = sin / scale, cos / scale
    shift = [_uniform(n, -0.16, 0.16, device), _uniform(n, -0.16, 0.16, device)]  # in half sides
    theta[:, :, 2] = torch.stack(shift, 1)
    return theta


def _crops(n: int, device: torch.device, *, flip: bool) -> Tensor:
    """As _affine."""
    theta = torch.zeros(n, 2, 3, device=device)
    area = _uniform(n, 0.4, 1.0, device)
    ratio = torch.exp(_uniform(n, math.log(3 / 4), math.log(4 / 3), device))
    width, height = (area * ratio).sqrt().clamp_max(1.0), (area / ratio).sqrt().clamp_max(1.0)
    theta[:, 0, 2] = _uniform(n, -1, 1, device) * (1 - width)
    theta[:, 1, 2] = _uniform(n, -1, 1, device) * (1 - height)
    if flip:
        width = width * (torch.randint(0, 2, (n,)) * 2 - 1).to(device)
    theta[:, 0, 0], theta[:, 1, 1] = width, height
    return theta
