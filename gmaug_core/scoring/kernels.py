"""The kernels of SSIM: flat arrays that hold rows of `width` = LANES S values in strip order (see ssim.py).

taps: a tuple, so its length is known to the compiler and loops over taps unroll. Products go into `plane`,
column after column of vectors, so the taps of the vertical pass are a constant apart; they are filtered down
into `row`, and then along it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from gmaug_core.scoring.vectors import (
    LANES,
    load,
    load_spread,
    next_lane,
    splat,
    store,
    total_of,
    where_below,
)


def _compiled(function: Callable[..., Any]) -> Any:
    """njit without the GIL; machine code is cached beside the module, or nowhere when no folder can be
    written.
    """
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)


@_compiled
def _tall(height):
    """Rows a column of vectors is given in a plane: odd, so that neighbours do not fall on the same cache
    sets.
    """
    return (height | 7) + 6


@_compiled
def _aligned(size, like):
    """`size` zeros of like's dtype that begin at a cache line: a vector that straddles two lines costs two
    loads.
    """
    memory = np.zeros(size + 64 // like.itemsize, like.dtype)
    start = (-memory.ctypes.data % 64) // like.itemsize
    return memory[start : start + size]


@_compiled
def _down(plane, row, taps, top, height, width):
    """Filter rows top ... top + span of the plane into `row`, and lay copies that are shifted by a lane
    behind it.
    """
    half, span = len(taps) - 1, 2 * len(taps) - 2
    for f in range(0, width, LANES):
        at = f * height + top * LANES
        total = splat(taps[half]) * load(plane, at + half * LANES)
        for k in range(half):
            total = total + splat(taps[k]) * (
                load(plane, at + k * LANES) + load(plane, at + (span - k) * LANES)
            )
        store(row, f, total)
        behind = f + width
        while behind < width + span * LANES:
            total = next_lane(total)
            store(row, behind, total)
            behind += width


@_compiled
def _along(row, taps, f):
    half, span = len(taps) - 1, 2 * len(taps) - 2
    total = splat(taps[half]) * load(row, f + half * LANES)
    for k in range(half):
        total = total + splat(taps[k]) * (load(row, f + k * LANES) + load(row, f + (span - k) * LANES))
    return total


@_compiled
def _moments(pixels, moments, mask, taps, constants, height, plane, squares, row, row2):
    """Rows of gain (mu - centre) and of gain^2 (sigma^2 + C2 / 2), alternating, into `moments`; OUTSIDE where
    mask is 0.

    Returns of the flat positions: count, sum of gain (mu - centre), sum of its square.
    """
    span, width = 2 * len(taps) - 2, len(mask)
    gain, c2, divide = splat(constants[4]), splat(constants[2]), constants[4] != 1
    limit, one, huge = splat(constants[2] + constants[3]), splat(constants[6]), splat(constants[7])
    count = first = second = c2 - c2
    tall = _tall(height)
    for r in range(height):
        for f in range(0, width, LANES):
            value = load(pixels, r * width + f)
            store(plane, f * tall + r * LANES, value)
            store(squares, f * tall + r * LANES, value * value)
        if r >= span:
            _down(plane, row, taps, r - span, tall, width)
            _down(squares, row2, taps, r - span, tall, width)
            at = (r - span) * 2 * width
            for f in range(0, width, LANES):
                mean = _along(row, taps, f)
                if divide:
                    mean = mean / gain
                inside = load(mask, f)
                variance = _along(row2, taps, f) - mean * mean + c2
                store(moments, at + f, mean)
                store(moments, at + width + f, variance + huge * (one - inside))
                flat = where_below(variance, limit, inside)
                count = count + flat
                first = first + flat * mean
                second = second + flat * mean * mean
    return float(total_of(count)), float(total_of(first)), float(total_of(second))


@_compiled
def prepare(images, chosen, mask, taps, constants, pixels, moments, centre, flat):
    """Fill pixels, moments, centre and flat of images[chosen]; images uint8 [n, h, w]."""
    height, columns, width, strips = images.shape[1], images.shape[2], len(mask), len(mask) // LANES
    span, tall = 2 * len(taps) - 2, _tall(height)
    line = np.zeros(width, pixels.dtype)
    plane, squares = _aligned(tall * width, pixels), _aligned(tall * width, pixels)
    row, row2 = _aligned(width + (span + 1) * LANES, pixels), _aligned(width + (span + 1) * LANES, pixels)
    positions = (height - span) * (columns - span)
    for k in range(len(chosen)):
        target = pixels[k]
        total = 0
        for r in range(height):
            source = images[chosen[k], r]
            for f in range(columns):
                total += source[f]
        around = np.int32(total // (height * columns))  # small numbers square to small rounding errors
        for attempt in range(2):
            for r in range(height):
                source = images[chosen[k], r]
                for f in range(columns):
                    line[f] = np.int32(source[f]) - around
                for c in range(strips):
                    store(target, r * width + c * LANES, load_spread(line, c, strips))
            count, first, second = _moments(
                target, moments[k], mask, taps, constants, height, plane, squares, row, row2
            )
            flat[k] = second * constants[0] ** 2 / positions
            if attempt or flat[k] < constants[5]:
                break
            around += np.int32(
                np.round(first * constants[0] / count)
            )  # a uniform background goes to zero, where float32 is exact
        centre[k] = around


@_compiled
def compare(pixels, moments, centre, pairs, channels, height, taps, constants, values):
    """values[p] = sum over channels and positions of SSIM / 4. To the last bit symmetric in the images."""
    span, width, tall = 2 * len(taps) - 2, pixels.shape[1] // height, _tall(height)
    plane, row = _aligned(tall * width, pixels), _aligned(width + (span + 1) * LANES, pixels)
    shift = np.zeros(2, pixels.dtype)
    scale, c1, c2 = splat(constants[0]), splat(constants[1]), splat(constants[2])
    for p in range(len(pairs)):
        total = 0.0
        for channel in range(channels):
            i, j = pairs[p, 0] * channels + channel, pairs[p, 1] * channels + channel
            x, y, moments_x, moments_y = pixels[i], pixels[j], moments[i], moments[j]
            shift[0], shift[1] = centre[i], centre[j]
            centre_x, centre_y = splat(shift[0]), splat(shift[1])
            for r in range(height):
                for f in range(0, width, LANES):
                    store(plane, f * tall + r * LANES, load(x, r * width + f) * load(y, r * width + f))
                if r >= span:
                    _down(plane, row, taps, r - span, tall, width)
                    at = (r - span) * 2 * width
                    sums = c1 - c1
                    for f in range(0, width, LANES):
                        mu_x, mu_y = load(moments_x, at + f), load(moments_y, at + f)
                        structure = _along(row, taps, f) - mu_x * mu_y + c2  # gain^2 (sigma_xy + C2 / 2)
                        variances = load(moments_x, at + width + f) + load(moments_y, at + width + f)
                        mu_x, mu_y = mu_x * scale + centre_x, mu_y * scale + centre_y
                        product, both = mu_x * mu_y + c1, mu_x + mu_y
                        squares = (
                            both * both - (product + product) + (c1 + c1 + c1 + c1)
                        )  # mu_x^2 + mu_y^2 + C1
                        sums = sums + product * structure / (squares * variances)
                    total += total_of(sums)
        values[p] = total
