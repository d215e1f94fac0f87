"""SSIM of many image pairs on a torch device, for CUDA: `ssim.ssim_pairs` by convolutions, in float64
throughout.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from gmaug_core.config import Window
from gmaug_core.scoring.ssim import C1, C2, checked_pairs, window_weights

BATCH_VALUES = 2**25  # pixels of the pairs that are compared at a time: about 2 GB on the device


def ssim_pairs_torch(
    images: npt.NDArray[np.uint8],
    pairs: npt.ArrayLike,
    *,
    window: Window = "gaussian11",
    device: str = "cuda",
) -> npt.NDArray[np.float64]:
    """As ssim_pairs, on a torch device and within 1e-6 of it; the last bits may depend on what else is asked.

    One filtered plane a pair here too: mu and sigma of the images in a batch are computed once each. Only the
    images of a batch are on the device.
    """
    images = np.asarray(images)
    weights = window_weights(window)
    index = checked_pairs(images, pairs, len(weights))
    values = np.empty(len(index))
    taps = torch.from_numpy(weights).to(device)
    c2 = C2 * 48 / 49 if window == "uniform7" else C2  # as in ssim: sample covariance of the box
    batch = max(1, BATCH_VALUES // images[0].size)
    with torch.no_grad():
        for start in range(0, len(index), batch):
            used, local = np.unique(index[start : start + batch], return_inverse=True)
            planes = _planes(np.take(images, used, axis=0), device)
            first, second = torch.from_numpy(local.reshape(-1, 2)).to(device).unbind(1)
            mean = _filtered(planes, taps)
            variance = _filtered(planes**2, taps) - mean**2
            mu_x, mu_y = mean[first], mean[second]
            structure = 2 * (_filtered(planes[first] * planes[second], taps) - mu_x * mu_y) + c2
            structure /= variance[first] + variance[second] + c2
            structure *= (2 * mu_x * mu_y + C1) / (mu_x**2 + mu_y**2 + C1)
            values[start : start + batch] = structure.mean(dim=(1, 2, 3)).cpu().numpy()
    return values


def _planes(images: npt.NDArray[np.uint8], device: str) -> Tensor:
    """float64 [n, channels, h, w]."""
    pixels = torch.from_numpy(images).to(device).double()
    return pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)


def _filtered(planes: Tensor, taps: Tensor) -> Tensor:
    """The window's weighted mean at each position inside: [n, channels, h, w] -> [n, channels, h', w']."""
    flat = planes.reshape(-1, 1, *planes.shape[2:])
    flat = F.conv2d(F.conv2d(flat, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return flat.reshape(*planes.shape[:2], *flat.shape[2:])
