"""SSIM of many image pairs on a torch device: the same numbers as `ssim.ssim_pairs` to 1e-5, for CUDA."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gmaug_core.scoring.ssim import C1, C2, Window, checked_pairs, window_weights


def ssim_pairs_torch(
    images: npt.NDArray[np.uint8],
    pairs: npt.ArrayLike,
    *,
    window: Window = "gaussian11",
    device: str = "cuda",
    batch: int = 4096,
) -> npt.NDArray[np.float64]:
    """ssim_pairs on a torch device, within 1e-5 of it. The images must fit on the device; `batch` pairs at a time.

    One filtered plane a pair here too: mu and sigma of the images in a batch are computed once each.
    """
    images = np.asarray(images)
    weights = window_weights(window)
    index = checked_pairs(images, pairs, len(weights))
    values = np.empty(len(index))
    taps = torch.tensor(weights, dtype=torch.float64, device=device).float()
    c2 = C2 * 48 / 49 if window == "uniform7" else C2  # as in ssim: sample covariance of the box

    def filtered(planes: Any) -> Any:
        flat = planes.reshape(-1, 1, *planes.shape[-2:])
        flat = torch.nn.functional.conv2d(
            torch.nn.functional.conv2d(flat, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1)
        )
        return flat.reshape(*planes.shape[:-2], *flat.shape[-2:])

    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        for start in range(0, len(index), batch):
            used, local = np.unique(index[start : start + batch], return_inverse=True)
            planes = pixels[torch.from_numpy(used).to(device)].float() - 128
            planes = planes.unsqueeze(1) if planes.ndim == 3 else planes.permute(0, 3, 1, 2)
            first, second = (
                torch.from_numpy(np.ascontiguousarray(side)).to(device) for side in local.reshape(-1, 2).T
            )
            mean = filtered(planes)
            variance = filtered(planes**2) - mean**2
            mu_x, mu_y = mean[first], mean[second]
            structure = 2 * (filtered(planes[first] * planes[second]) - mu_x * mu_y) + c2
            structure /= variance[first] + variance[second] + c2
            mu_x, mu_y = mu_x + 128, mu_y + 128
            structure *= (2 * mu_x * mu_y + C1) / (mu_x**2 + mu_y**2 + C1)
            values[start : start + batch] = structure.mean(dim=(1, 2, 3), dtype=torch.float64).cpu().numpy()
    return values
