"""What a classifier's features may not show and its first layer may use: statistics of the pixels themselves.

A pattern of a few grey levels, which upsampling layers leave behind, hardly moves a classifier's features,
yet tells synthetic images from real ones at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gmaug_core.data.views import Images
from gmaug_core.models.quality import real_vs_synthetic_auc
from gmaug_core.seeds import derive

BANDS = 8  # rings of the power spectrum
# second derivatives and the three finest 2 x 2 patterns, which have no mean
KERNELS = (
    np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    np.array([[1, -1], [-1, 1]]),
    np.array([[1, 1], [-1, -1]]),
    np.array([[1, -1], [1, -1]]),
)


def statistics(images: Images) -> NDArray[np.float64]:
    """Float64 [n, d], of uint8 images [n, h, w] or [n, h, w, 3]: mean, deviation, skewness and kurtosis of
    the grey levels; the logarithm of the energy after each kernel; of the spectrum's rings and of its
    corner, which a checkerboard alone fills."""
    whole = np.asarray(images[np.arange(len(images))], np.float64)
    grey = whole.mean(axis=3) if whole.ndim == 4 else whole
    flat = grey.reshape(len(grey), -1)
    mean, spread = flat.mean(axis=1), flat.std(axis=1)
    scaled = (flat - mean[:, None]) / np.maximum(spread, 1.0)[:, None]
    found = [mean, spread, (scaled**3).mean(axis=1), (scaled**4).mean(axis=1)]
    passed = (ndimage.convolve(grey, kernel[None], mode="reflect") for kernel in KERNELS)
    found += [_log((each**2).mean(axis=(1, 2))) for each in passed]
    power = np.abs(np.fft.fft2(grey - mean[:, None, None])) ** 2 / flat.shape[1]
    frequency = [np.abs(np.fft.fftfreq(side)) for side in grey.shape[1:]]
    radius = np.hypot(frequency[0][:, None], frequency[1][None]) / np.hypot(0.5, 0.5)
    ring = np.minimum((radius * BANDS).astype(int), BANDS - 1)
    found += [_log(power[:, ring == band].mean(axis=1)) for band in range(BANDS) if (ring == band).any()]
    found.append(_log(power[:, frequency[0].argmax(), frequency[1].argmax()]))
    return np.stack(found, axis=1)


def _log(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(energy, 0) + 1e-3)


def pixel_auc(
    real: tuple[Images, NDArray[np.int64]], synthetic: tuple[Images, NDArray[np.int64]], seed: int
) -> tuple[float, int] | None:
    """How well a logistic regression on these statistics tells real from synthetic, cross-validated: (AUC,
    images of each kind); 0.5: not at all. None with fewer than 10 of each.

    real, synthetic: images and labels. Of each class as many of both kinds are compared, so that another mix
    of classes is not what is told apart.
    """
    rng, pairs = np.random.default_rng(derive("pixel statistics", seed)), []
    for label in np.intersect1d(real[1], synthetic[1]):
        own = [rng.permutation(np.flatnonzero(labels == label)) for _, labels in (real, synthetic)]
        n = min(map(len, own))
        pairs.append([rows[:n] for rows in own])
    if sum(len(first) for first, _ in pairs) < 10:
        return None
    chosen = [np.concatenate(rows) for rows in zip(*pairs, strict=True)]
    found = [statistics(images[rows]) for (images, _), rows in zip((real, synthetic), chosen, strict=True)]
    return real_vs_synthetic_auc(found[0], found[1], seed)
