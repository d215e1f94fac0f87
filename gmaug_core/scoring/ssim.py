"""SSIM of many image pairs (Wang 2004; paper A, equation 1) on the CPU: numba, threads, explicit vectors.

    SSIM = (2 mu_x mu_y + C1)(2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1)(sigma_x^2 + sigma_y^2 + C2))

averaged over all positions at which the window lies inside the image, C1 = (.01 * 255)^2, C2 = (.03 * 255)^2;
of a colour image, the mean over its channels. Two windows, each the convention of a scikit-image call:

    gaussian11   structural_similarity(x, y, data_range=255, gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False) uniform7     structural_similarity(x, y, data_range=255)      7x7 box, sample
    covariance (its defaults)

How it is fast: mu and sigma of an image are computed once and kept, so a pair costs ONE filtered plane (x*y);
a row goes through product, vertical pass, horizontal pass and the SSIM sum while it is in the first-level
cache; and the columns of a row are dealt to vector lanes in strips, so the horizontal pass needs no unaligned
loads (see `_valid_positions`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gmaug_core.config import Window
from gmaug_core.errors import InputError
from gmaug_core.scoring import kernels
from gmaug_core.scoring.vectors import LANES

WINDOWS: tuple[Window, ...] = ("gaussian11", "uniform7")
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
PLANE_BYTES = 256 * 2**20  # planes kept at once: 1,400 images of 128 px
# A position is flat when its variance is below FLAT_VARIANCE grey levels^2: rounding errors of neighbours are
# then equal and do not average out. An image's flat value is the mean over positions of (mu - centre)^2 where
# flat, after the centre was moved to its background if it has one. Above FLAT_RISK float32 could miss 1e-6,
# so pairs with that image use float64.
FLAT_VARIANCE = 0.5
FLAT_RISK = 100.0
OUTSIDE = 1e30  # sigma^2 where the window leaves the image: SSIM is then 0 there, at no cost


def window_weights(window: Window) -> npt.NDArray[np.float64]:
    """The one-dimensional weights of the (separable) window; they sum to 1."""
    if window == "gaussian11":
        weights: npt.NDArray[np.float64] = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
        total: np.float64 = weights.sum()
        return weights / total
    if window == "uniform7":
        return np.full(7, 1 / 7)
    raise InputError(f"unknown window '{window}'", expected="gaussian11 or uniform7")


def _constants(window: Window, dtype: type[np.floating[Any]]) -> tuple[tuple[Any, ...], npt.NDArray[Any]]:
    """The taps from the outermost to the middle one, and what the kernels read as constants[0] to
    constants[7].

    gain is the sum of the taps. A gain that is off by 1e-8 would shift sigma_xy = E[xy] - mu_x mu_y
    everywhere alike, so it is made exact: the box has taps of 1 (sums of integers, exact in float32) and the
    rounding of the other Gaussian taps goes to the outermost, whose own rounding is a hundred times finer.
    """
    weights = window_weights(window)
    half = len(weights) // 2
    if window == "uniform7":
        taps, gain, c2 = (
            np.ones(half + 1, dtype),
            7.0,
            C2 * 48 / 49,
        )  # C2 over 49/48 is the sample covariance at no cost
    else:
        taps, gain, c2 = weights[: half + 1].astype(dtype), 1.0, C2
        taps[0] = (1 - float(taps[half]) - 2 * taps[1:half].astype(np.float64).sum()) / 2
    return tuple(taps), np.array(
        [1 / gain, C1 / 2, gain**2 * c2 / 2, gain**2 * FLAT_VARIANCE, gain, FLAT_RISK / 4, 1, OUTSIDE], dtype
    )


def ssim_pairs(
    images: npt.NDArray[np.uint8], pairs: npt.ArrayLike, *, window: Window = "gaussian11", workers: int = 0
) -> npt.NDArray[np.float64]:
    """SSIM of each pair of images.

    images: uint8 [n, h, w] (grey) or [n, h, w, 3]; may be memory-mapped. pairs: int [m, 2], indices into
    images. workers: threads, 0 for all cores. Returns float64 [m] in the order of the pairs, each in [-1, 1],
    within 1e-6 of scikit-image (2e-6 where every row of both images is the same ramp). A value depends on its
    two images alone: not on order, batch, workers or what else is asked. Raises InputError for a wrong dtype
    or shape, images smaller than the window, or an index out of range.
    """
    images = np.asarray(images)
    index = checked_pairs(images, pairs, len(window_weights(window)))
    values = np.empty(len(index))
    if not len(index):
        return values
    count = workers or (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    capacity = max(2, PLANE_BYTES // _bytes_of(images))
    order = _cache_order(index, capacity)
    with ThreadPoolExecutor(count) as pool:
        for block in _blocks(index, order, capacity):
            used, local = np.unique(index[block], return_inverse=True)
            values[block] = _block(np.take(images, used, axis=0), local.reshape(-1, 2), window, pool, count)
    return values


def checked_pairs(images: npt.NDArray[Any], pairs: npt.ArrayLike, size: int) -> npt.NDArray[np.int64]:
    """The pairs as int64 [m, 2]; InputError where images or pairs cannot be used."""
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise InputError(
            f"images are {images.dtype} {list(images.shape)}", expected="uint8 [n, h, w] or [n, h, w, 3]"
        )
    if min(images.shape[1:3]) < size:
        raise InputError(
            f"images of {images.shape[1]} x {images.shape[2]} pixels",
            expected=f"at least the window, {size} x {size}",
        )
    index = np.asarray(pairs)
    if index.size == 0:
        index = index.reshape(0, 2).astype(np.int64)
    if index.ndim != 2 or index.shape[1] != 2 or index.dtype.kind not in "iu":
        raise InputError(f"pairs are {index.dtype} {list(index.shape)}", expected="integers [m, 2]")
    index = index.astype(np.int64, copy=False)
    if len(index) and (index.min() < 0 or index.max() >= len(images)):
        wrong = int(index.min()) if index.min() < 0 else int(index.max())
        raise InputError(f"a pair names image {wrong}", expected=f"indices from 0 to {len(images) - 1}")
    return index


def _cache_order(index: npt.NDArray[np.int64], capacity: int) -> npt.NDArray[np.int64]:
    """The order of work: tiles of pairs whose images fit in memory together, in each, tiles that fit in the
    third-level cache, and in those, tiles that fit in the second-level cache.
    """
    low, high = index.min(1), index.max(1)
    keys = [high, low]
    for side in (4, 48, max(1, capacity // 2)):
        keys += [high // side, low // side]
    return np.lexsort(keys)


def _blocks(
    index: npt.NDArray[np.int64], order: npt.NDArray[np.int64], capacity: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Runs of `order` that name at most `capacity` different images each."""
    if len(order) == 1 or len(np.unique(index[order])) <= capacity:
        yield order
    else:
        middle = len(order) // 2
        yield from _blocks(index, order[:middle], capacity)
        yield from _blocks(index, order[middle:], capacity)


def _block(
    images: npt.NDArray[np.uint8],
    pairs: npt.NDArray[np.int64],
    window: Window,
    pool: ThreadPoolExecutor,
    workers: int,
) -> Any:
    """SSIM of pairs of a few images whose planes fit in memory: every image's planes, then every pair."""
    size = len(window_weights(window))
    channels = images.shape[3] if images.ndim == 4 else 1
    planes = (
        np.ascontiguousarray(np.moveaxis(images, 3, 1)).reshape(-1, *images.shape[1:3])
        if channels == 3
        else images
    )
    height, width = planes.shape[1:]
    rows, columns = height - size + 1, width - size + 1
    valid = _valid_positions(width, size)

    def run(
        pairs: npt.NDArray[np.int64], dtype: type[np.floating[Any]]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        used, local = np.unique(pairs, return_inverse=True)
        local = local.reshape(-1, 2)
        chosen = (used[:, None] * channels + np.arange(channels)).ravel()
        taps, constants = _constants(window, dtype)
        mask = valid.astype(dtype)
        centre, flat, values = np.empty(len(chosen)), np.empty(len(chosen)), np.empty(len(pairs))
        with _scratch(len(chosen) * (height + 2 * rows) * len(mask), dtype) as memory:
            pixels = memory[: len(chosen) * height * len(mask)].reshape(len(chosen), -1)
            moments = memory[pixels.size :].reshape(len(chosen), -1)

            def prepare(part: slice) -> None:
                kernels.prepare(
                    planes,
                    chosen[part],
                    mask,
                    taps,
                    constants,
                    pixels[part],
                    moments[part],
                    centre[part],
                    flat[part],
                )

            def compare(part: slice) -> None:
                kernels.compare(
                    pixels, moments, centre, local[part], channels, height, taps, constants, values[part]
                )

            list(pool.map(prepare, _parts(len(chosen), workers)))
            list(pool.map(compare, _parts(len(pairs), workers)))
        worst = flat.reshape(-1, channels).max(1)
        return values * (4 / (rows * columns * channels)), worst[local].max(1)

    values, risk = run(pairs, np.float32)
    precise = np.flatnonzero(risk > FLAT_RISK)
    if len(precise):
        values[precise] = run(pairs[precise], np.float64)[0]
    return values


_memory: dict[str, npt.NDArray[np.uint8]] = {}
_memory_lock = threading.Lock()


@contextmanager
def _scratch(size: int, dtype: type[np.floating[Any]]) -> Iterator[npt.NDArray[Any]]:
    """`size` uninitialised values. The last buffer is kept: fresh pages cost as much time as filtering what
    goes into them.
    """
    wanted = size * np.dtype(dtype).itemsize
    with _memory_lock:
        buffer = _memory.pop("planes", None)
    if buffer is None or len(buffer) < wanted + 64:
        buffer = np.empty(wanted + 64, np.uint8)
    start = -buffer.ctypes.data % 64  # a vector that straddles two cache lines costs two loads
    try:
        yield buffer[start : start + wanted].view(dtype)
    finally:
        with _memory_lock:
            if len(buffer) <= PLANE_BYTES and len(buffer) > len(_memory.get("planes", ())):
                _memory["planes"] = buffer


def _parts(n: int, workers: int) -> list[slice]:
    """Cuts of range(n): several a worker, so that none waits long for the last."""
    size = max(1, -(-n // (4 * workers)))
    return [slice(start, start + size) for start in range(0, n, size)]


def _bytes_of(images: npt.NDArray[np.uint8]) -> int:
    """Bytes of the float32 planes of one image: pixels, mu and sigma^2."""
    shape: tuple[int, ...] = images.shape
    height, width = shape[1:3]
    return 3 * 4 * height * (width + LANES) * (3 if images.ndim == 4 else 1)


@cache
def _valid_positions(width: int, size: int) -> npt.NDArray[np.float64]:
    """1 at the positions of a row where the window lies inside the image, else 0; its length is the width of
    a row.

    The columns of a row are dealt to vector lanes in strips: lane j holds columns j S ... j S + S - 1, so
    position LANES c + j is column j S + c, and the column to its right is one whole vector further: a
    horizontal tap is an aligned load. Only past c = S - 1 does a column come from the next lane; those
    vectors are written behind the row once, as the row shifted by one lane.
    """
    strips = max(2, -(-width // LANES))
    column = np.arange(LANES)[None, :] * strips + np.arange(strips)[:, None]
    return (column <= width - size).astype(np.float64).ravel()
