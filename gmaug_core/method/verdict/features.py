"""The fast learner: fixed random convolutional patches and a ridge classifier.

Patches of the training images, whitened, are the filters (Coates & Ng 2011, "The importance of encoding
versus training with sparse coding and vector quantization": random patches with a soft threshold come close
to learned dictionaries). Responses are pooled over the image and over its quadrants. No torch: an image costs
about a millisecond.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import linalg

from gmaug_core.data.views import Images
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.seeds import derive

PATCH = 6  # pixels a side, the best of Coates 2011 at 32 px
FILTERS = 256
POOLS = (1, 2)  # cells a side of the two pooling levels
# of the soft threshold, in deviations of a whitened response: flowers at 32 px, 354 to 2,848 images, accuracy
# 64.1 to 71.0 % at 1, 60.3 to 69.9 at .25
THRESHOLD = 1.0
SAMPLED = 40_000  # patches that whitening is estimated from
CONTRAST = 10.0  # added to a patch's variance, in grey levels squared: flat patches stay flat
ZCA = 0.1  # added to the eigenvalues before whitening
CHUNK = 128  # images at a time

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Bank:
    """Filters: a patch p, contrast-normalised, responds with p @ weights - offset."""

    weights: Floats  # [patch numbers, filters]
    offset: Floats  # [filters]

    @property
    def numbers(self) -> int:
        """Numbers an image is turned into."""
        return int(2 * self.weights.shape[1]) * sum(cells**2 for cells in POOLS)


def random_bank(images: Images, *, seed: int, filters: int = FILTERS) -> Bank:
    """Filters from random patches of images, uint8 [n, h, w] or [n, h, w, 3], h and w at least 8."""
    rng = np.random.default_rng(derive("verdict filters", seed))
    picked = np.sort(rng.choice(len(images), min(len(images), 2_000), replace=False))
    windows = _patches(np.asarray(images[picked]), 1)
    flat = windows.reshape(-1, windows.shape[-1])
    patches = _normalised(flat[rng.choice(len(flat), min(len(flat), SAMPLED), replace=False)])
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False).astype(np.float64))
    whiten = ((vectors / np.sqrt(np.maximum(values, 0) + ZCA)) @ vectors.T).astype(np.float32)
    chosen = (patches[rng.choice(len(patches), filters, replace=len(patches) < filters)] - mean) @ whiten
    chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-6)
    weights = np.ascontiguousarray((whiten @ chosen.T).astype(np.float32))
    return Bank(weights, (mean @ weights).astype(np.float32))


def extract(
    images: Images,
    bank: Bank,
    *,
    stride: int = 2,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Floats:
    """float32 [n, filters, numbers a filter]: both signs of every response, averaged over the cells of both
    pooling levels.

    images: uint8 [n, h, w] or [n, h, w, 3]; stride: pixels between two patches. Raises Stopped after
    should_stop().
    """
    filters = bank.weights.shape[1]
    found = np.empty((len(images), filters, bank.numbers // filters), np.float32)

    def fill(start: int) -> None:
        stop = min(start + CHUNK, len(images))
        windows = _patches(np.asarray(images[start:stop]), stride)
        n, high, wide, numbers = windows.shape
        response = _normalised(windows.reshape(-1, numbers)) @ bank.weights - bank.offset
        response = response.reshape(n, high, wide, -1)
        up, down = np.maximum(response - THRESHOLD, 0), np.maximum(-response - THRESHOLD, 0)
        cells = [cell for each in (up, down) for level in POOLS for cell in _pool(each, level)]
        found[start:stop] = np.stack(cells, axis=-1)

    cores = os.cpu_count() or 1
    starts = range(0, len(images), CHUNK)
    with ThreadPoolExecutor(cores) as pool:  # numpy lets go of the interpreter: a chunk a core
        for first in range(0, len(starts), cores):
            if should_stop():
                raise Stopped
            list(pool.map(fill, starts[first : first + cores]))
            report("", min((first + cores) * CHUNK, len(images)), len(images))
    return found


def _patches(images: NDArray[np.uint8], stride: int) -> Floats:
    """float32 [n, rows, columns, patch numbers]."""
    pixels = images[..., None] if images.ndim == 3 else images
    windows = sliding_window_view(pixels, (PATCH, PATCH), axis=(1, 2))[:, ::stride, ::stride]
    n, high, wide = windows.shape[:3]
    return windows.astype(np.float32).reshape(n, high, wide, -1)


def _normalised(patches: Floats) -> Floats:
    """Each patch [m, numbers] with its own mean and contrast taken away."""
    patches = patches - patches.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.einsum("ij,ij->i", patches, patches) / patches.shape[1] + CONTRAST)
    patches /= scale[:, None]
    return patches


def _pool(response: Floats, cells: int) -> list[Floats]:
    """Means over a grid of cells: [n, rows, columns, filters] -> one [n, filters] a cell."""
    _, high, wide, _ = response.shape
    rows, columns = (np.linspace(0, side, cells + 1).astype(int) for side in (high, wide))
    return [
        response[
            :, rows[i] : max(rows[i + 1], rows[i] + 1), columns[j] : max(columns[j + 1], columns[j] + 1)
        ].mean(axis=(1, 2))
        for i in range(cells)
        for j in range(cells)
    ]


@dataclass(frozen=True)
class Standard:
    """Mean and scale of every feature, of the training images."""

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, features: Floats) -> Standard:
        """features: [n, d]."""
        scale = features.std(axis=0)
        return cls(features.mean(axis=0), np.where(scale > 1e-6, scale, 1.0).astype(np.float32))

    def __call__(self, features: Floats) -> Floats:
        """The same features with mean 0 and deviation 1 over the training images."""
        return (features - self.mean) / self.scale


def ridge_scores(
    train: Floats,
    labels: NDArray[np.int64],
    classes: int,
    others: Floats,
    ridges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """float32 [ridges, m, classes]: one-against-all regression on standardised features, closed form.

    train: [n, d], others: [m, d]; ridges: strengths, relative to the number of training images; weights:
    float [n], how much each training image counts (default: alike), scaled to mean 1. The smaller of the
    primal (d x d) and the dual (n x n) system is solved.
    """
    weight = np.ones(len(train)) if weights is None else weights / weights.mean()
    root = np.sqrt(weight).astype(np.float32)
    centre = (train * weight[:, None].astype(np.float32)).mean(axis=0)
    target = np.eye(classes, dtype=np.float32)[labels]
    base = (target * weight[:, None].astype(np.float32)).mean(axis=0)
    x, y = (train - centre) * root[:, None], (target - base) * root[:, None]
    z = others - centre
    primal = x.shape[1] <= x.shape[0]
    gram = x.T @ x if primal else x @ x.T
    side = x.T @ y if primal else y
    across = z if primal else z @ x.T
    found = np.empty((len(ridges), len(others), classes), np.float32)
    for number, ridge in enumerate(ridges):
        system = gram.copy()
        system[np.diag_indices_from(system)] += np.float32(ridge * len(train))
        factor = linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        found[number] = across @ linalg.cho_solve(factor, side, check_finite=False) + base
    return found
