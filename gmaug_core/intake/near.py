"""Near copies: images that look the same though their bytes differ, found among 100,000 in seconds.

Each image is kept as a small look, and its hash says by the signs of low frequencies what is in it (Zauner,
Implementation and benchmarking of perceptual image hash functions, 2010). Pairs whose hashes differ in few
bits come from tables of parts of the hash (Norouzi et al., Fast search in Hamming space with multi-index
hashing, 2012); which of them are near copies is decided by SSIM of the looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LUMA, CHROMA = 32, 8  # pixels a side of a look: brightness, and each of its two colours
GREY_LOOK, LOOK = LUMA**2, LUMA**2 + 2 * CHROMA**2  # bytes
BANDS, BAND_BITS = 4, 16  # of a hash
RADIUS = 2 * BANDS - 1  # bits: then one band differs in one bit at most
FEW = 1024  # images that are compared each with each: buckets cost a quarter of a second, however few
MOST_COMPARED = 2 * 10**9  # pairs of hashes; of more, equal bands alone are looked at, and of more nothing is
BLOCK = 2**21  # pairs of hashes at once
CHECKED = 1024  # pairs of looks at once
WINDOW = 7  # pixels of SSIM's window, as in scikit-image
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
FLAT = 9.0  # variance of grey levels below which a place says nothing: both images are empty there
LEAST_SAID = 0.1  # share of places that must say something
# Mean SSIM over the places that say something. With it: no pair of 2,062 sign digits, 3 groups of 5,421
# groceries, 19 of 4,064 flowers, 100 of 1,121 weather photographs, 34 of 20,000 pieces of clothing at 28 px
ALIKE = 0.95
CORRELATED = 0.9  # of the whole looks: copies are far above it
COLOURS = 12.0  # mean difference of colour, in levels, that a near copy has at most

Index = NDArray[np.int64]
Looks = NDArray[np.uint8]


def look(image: Image.Image) -> bytes:
    """What is kept of an image to compare it: LUMA x LUMA bytes of brightness and, where it is RGB, twice
    CHROMA x CHROMA of colour. image: "L" or "RGB"."""
    small = image.resize((LUMA, LUMA), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if small.mode == "L":
        return small.tobytes()
    luma, *colours = small.convert("YCbCr").split()
    return luma.tobytes() + b"".join(
        colour.resize((CHROMA, CHROMA), Image.Resampling.BOX).tobytes() for colour in colours
    )


def stacked(looks: Sequence[bytes]) -> Looks:
    """uint8 [n, LOOK] of looks; a grey one has no colour, 128."""
    found = np.full((len(looks), LOOK), 128, np.uint8)
    for row, own in zip(found, looks, strict=True):
        row[: len(own)] = np.frombuffer(own, np.uint8)
    return found


def near_groups(looks: Looks) -> Index | None:
    """int64 [n]: equal for images that are linked by near copies, the position of the first of them; an image
    without one has its own. None where so many images are alike in small that copies cannot be told.

    looks: uint8 [n, LOOK].
    """
    from scipy.sparse import coo_array  # here: the child that verifies does without
    from scipy.sparse.csgraph import connected_components

    pairs = _close(_hashes(looks))
    if pairs is None:
        return None
    near = pairs[_are_copies(looks, pairs)]
    n = len(looks)
    graph = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(n, n))
    part = connected_components(graph, directed=False)[1]
    _, first = np.unique(part, return_index=True)
    return np.asarray(first[part], np.int64)


def _hashes(looks: Looks) -> NDArray[np.uint64]:
    """uint64 [n]: whether each of the 64 lowest frequencies is above their median."""
    order = sorted(((u, v) for u in range(11) for v in range(11) if u or v), key=lambda uv: (sum(uv), uv))[
        :64
    ]
    rows, columns = np.array(order).T
    waves = np.cos(np.pi * np.outer(np.arange(11), np.arange(LUMA) + 0.5) / LUMA).astype(np.float32)
    found = np.empty(len(looks), np.uint64)
    for start in range(0, len(looks), CHECKED):
        luma = looks[start : start + CHECKED, :GREY_LOOK].reshape(-1, LUMA, LUMA).astype(np.float32)
        values = (waves @ luma @ waves.T)[:, rows, columns]
        above = values > np.median(values, axis=1, keepdims=True)
        found[start : start + len(luma)] = np.ascontiguousarray(np.packbits(above, axis=1)).view(np.uint64)[
            :, 0
        ]
    return found


def _close(hashes: NDArray[np.uint64]) -> Index | None:
    """int64 [m, 2]: pairs, the smaller position first, whose hashes differ in RADIUS bits at most, or in
    BANDS - 1 where there are too many for that; None where there are too many for both."""
    if len(hashes) <= FEW:
        apart = np.bitwise_count(hashes[:, None] ^ hashes)
        return np.argwhere(np.triu(apart <= RADIUS, 1))
    bands = [(hashes >> np.uint64(BAND_BITS * k)).astype(np.uint16) for k in range(BANDS)]
    sizes = [np.bincount(band, minlength=1 << BAND_BITS) for band in bands]
    one_bit = [0, *(1 << bit for bit in range(BAND_BITS))]
    values = np.arange(1 << BAND_BITS)
    for flips in (one_bit, [0]):
        if sum(int((size * size[values ^ flip]).sum()) for size in sizes for flip in flips) <= MOST_COMPARED:
            found = [
                pair
                for band in bands
                for flip in flips
                for pair in _in_buckets(hashes, band, np.uint16(flip))
            ]
            together = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
            return np.stack(np.divmod(together, len(hashes)), axis=1)
    return None


def _in_buckets(hashes: NDArray[np.uint64], band: NDArray[np.uint16], flip: np.uint16) -> Iterator[Index]:
    """Pairs (i, j), i < j, as i * n + j, whose bands are equal but for `flip` and whose hashes are close."""
    n = len(hashes)
    order = np.argsort(band, kind="stable")
    starts = np.searchsorted(band[order], np.arange((1 << BAND_BITS) + 1))
    partner = (band ^ flip).astype(np.int64)
    counts = starts[partner + 1] - starts[partner]
    ends = np.cumsum(counts)
    begin = 0
    while begin < n:
        done = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, done + BLOCK, side="right")), begin + 1)
        own = counts[begin:end]
        i = np.repeat(np.arange(begin, end), own)
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        j = order[np.repeat(starts[partner[begin:end]], own) + within]
        later = i < j
        i, j = i[later], j[later]
        close = np.bitwise_count(hashes[i] ^ hashes[j]) <= RADIUS
        yield i[close] * n + j[close]
        begin = end


def _are_copies(looks: Looks, pairs: Index) -> NDArray[np.bool_]:
    """bool [m]: whether the two looks of each pair are one picture."""
    found = np.empty(len(pairs), bool)
    for start in range(0, len(pairs), CHECKED):
        one, other = (looks[pairs[start : start + CHECKED, side]] for side in (0, 1))
        may = _correlated(one, other) & _same_colours(one, other)
        may[may] = _similar(one[may], other[may])
        found[start : start + len(one)] = may
    return found


def _correlated(one: Looks, other: Looks) -> NDArray[np.bool_]:
    """Whether brightness goes together over the whole picture: quick, and spares most pairs the slow look."""
    x, y = (own[:, :GREY_LOOK].astype(np.float32) for own in (one, other))
    x -= x.mean(axis=1, keepdims=True)
    y -= y.mean(axis=1, keepdims=True)
    lengths = np.einsum("ij,ij->i", x, x) * np.einsum("ij,ij->i", y, y)
    return np.asarray(np.einsum("ij,ij->i", x, y) >= CORRELATED * np.sqrt(lengths))


def _same_colours(one: Looks, other: Looks) -> NDArray[np.bool_]:
    apart = np.abs(one[:, GREY_LOOK:].astype(np.int16) - other[:, GREY_LOOK:])
    return np.asarray(apart.mean(axis=1) <= COLOURS)


def _similar(one: Looks, other: Looks) -> NDArray[np.bool_]:
    """Whether SSIM (Wang 2004) is ALIKE over the places where either of the two holds something.

    Elsewhere both are empty, and would be alike in any two digits on black.
    """
    from scipy.ndimage import uniform_filter

    inside = (slice(None), *[slice(WINDOW // 2, LUMA - WINDOW // 2)] * 2)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(uniform_filter(values, (0, WINDOW, WINDOW))[inside])

    x, y = (own[:, :GREY_LOOK].reshape(-1, LUMA, LUMA).astype(np.float32) for own in (one, other))
    mean_x, mean_y = mean(x), mean(y)
    spread_x, spread_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    together = mean(x * y) - mean_x * mean_y
    ssim = (2 * mean_x * mean_y + C1) * (2 * together + C2)
    ssim /= (mean_x**2 + mean_y**2 + C1) * (spread_x + spread_y + C2)
    told = np.maximum(spread_x, spread_y) > FLAT
    n_told = told.sum(axis=(1, 2))
    total = np.where(told, ssim, 0).sum(axis=(1, 2))
    return np.asarray((n_told >= LEAST_SAID * told.shape[1] * told.shape[2]) & (total >= ALIKE * n_told))
