"""Images that are alike: copies by their pixels, practically the same ones, and the most similar pairs."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import numpy.typing as npt

from gmaug_core.config import Profile
from gmaug_core.scoring.pairs import Index, pair_at, pair_count, permuted, stream
from gmaug_core.scoring.result import LikePair, MostSimilar, NearCopies
from gmaug_core.scoring.ssim import ssim_pairs

# In six real sets 75 to 100 % of images encoded again as JPEG 75 are above it, all of JPEG 90; the pairs of
# the sets themselves about and above it that were looked at (66) were of one photograph or one patient
# (benchmarks/results/near_copies.json).
NEARLY_ONE = 0.95
NEAR_PAIRS = 10_000  # looked at for them; ten times as many found no other in flowers and weather
COPIES_SHOWN = 24
SEARCHED_IMAGES = 20_000  # of more, so many chosen at random are searched for near neighbours
CHUNK = 1024  # images looked at together

Images = npt.NDArray[np.uint8]


def first_of(images: Images) -> Index:
    """int64 [n]: the index of the first image with the same pixels; an image without a copy has its own.

    images: uint8 [n, h, w] or [n, h, w, 3], may be memory-mapped.
    """
    quick = np.empty(len(images), np.uint32)
    for start in range(0, len(images), CHUNK):
        part = np.ascontiguousarray(images[start : start + CHUNK])
        quick[start : start + len(part)] = [zlib.crc32(image.data) for image in part]
    _, place, count = np.unique(quick, return_inverse=True, return_counts=True)
    first = np.arange(len(images), dtype=np.int64)
    seen: dict[bytes, int] = {}
    for i in np.flatnonzero(count[place] > 1):  # equal sums are rare: only there are the pixels compared
        digest = hashlib.sha256(np.ascontiguousarray(images[i]).data).digest()
        first[i] = seen.setdefault(digest, int(i))
    return first


def near_copies(
    images: Images,
    first: Index,
    numbers: npt.ArrayLike,
    *,
    profile: Profile,
    seed: int = 0,
    workers: int = 0,
) -> NearCopies:
    """Pairs of images that are the same by their pixels, or that are practically the same.

    first: of first_of(images); numbers: what each image is called in the result, ascending. Searched as
    most_similar does, among all images together.
    """
    called = np.asarray(numbers)
    copies = np.flatnonzero(first != np.arange(len(first)))
    exact = [LikePair(i=int(called[first[k]]), j=int(called[k]), value=1.0) for k in copies]
    distinct = np.flatnonzero(first == np.arange(len(first)))
    found = most_similar(
        images,
        profile=profile,
        members=distinct,
        k=None,
        above=NEARLY_ONE,
        budget=NEAR_PAIRS,
        seed=seed,
        workers=workers,
    )
    near = [LikePair(i=int(called[p.i]), j=int(called[p.j]), value=p.value) for p in found.pairs]
    return NearCopies(
        above=NEARLY_ONE,
        found=len(exact) + len(near),
        pairs=tuple([*exact, *near][:COPIES_SHOWN]),
        exact=found.exact,
    )


def most_similar(
    images: Images,
    *,
    profile: Profile,
    members: npt.ArrayLike | None = None,
    k: int | None = 20,
    above: float = -1.0,
    budget: int = 100_000,
    seed: int = 0,
    workers: int = 0,
) -> MostSimilar:
    """The k most similar pairs of images, highest first; None: all above `above`.

    members: indices to search among (default all). More pairs than `budget`: the candidates are the nearest
    neighbours of 16 x 16 thumbnails, half by distance and half by correlation (of at most 20,000 images); a
    likeness that such thumbnails do not show can be missed, and `exact` is then false.
    """
    chosen = np.arange(len(images)) if members is None else np.asarray(members)
    exact = pair_count(len(chosen)) <= budget
    if exact:
        candidates = chosen[pair_at(np.arange(pair_count(len(chosen))))]
    else:
        if len(chosen) > SEARCHED_IMAGES:
            chosen = chosen[np.sort(permuted(len(chosen), 0, SEARCHED_IMAGES, stream(seed, "most similar")))]
        candidates = chosen[_near_pairs(_thumbnails(images, chosen), budget)]
    if not len(candidates):
        return MostSimilar(pairs=(), exact=exact, searched=0)
    values = ssim_pairs(images, candidates, window=profile.window, workers=workers)
    shown = [
        LikePair(i=int(candidates[best].min()), j=int(candidates[best].max()), value=float(values[best]))
        for best in np.argsort(-values, kind="stable")[:k]
        if values[best] > above
    ]
    return MostSimilar(pairs=tuple(shown), exact=exact, searched=len(candidates))


def _thumbnails(images: Images, chosen: Index) -> npt.NDArray[np.float32]:
    """float32 [n, 256 or less]: block means of the grey image."""
    found = []
    for start in range(0, len(chosen), 1024):
        part = np.asarray(images[chosen[start : start + 1024]], np.float32)
        part = part.mean(axis=3) if part.ndim == 4 else part
        side = min(16, *part.shape[1:])
        height, width = part.shape[1] // side, part.shape[2] // side
        part = part[:, : side * height, : side * width].reshape(len(part), side, height, side, width)
        found.append(part.mean(axis=(2, 4)).reshape(len(part), -1))
    return np.concatenate(found)


def _near_pairs(features: npt.NDArray[np.float32], budget: int) -> Index:
    """At most `budget` different pairs of near neighbours, as positions [m, 2]."""
    n = len(features)
    neighbours = int(np.clip(budget // (2 * n), 1, n - 1))
    centred = features - features.mean(axis=1, keepdims=True)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True) + 1.0
    length = (features**2).sum(axis=1)
    found = []
    for start in range(0, n, 1024):
        rows = slice(start, min(start + 1024, n))
        for likeness in (2 * features[rows] @ features.T - length, centred[rows] @ centred.T):
            likeness[np.arange(likeness.shape[0]), np.arange(rows.start, rows.stop)] = -np.inf
            near = np.argpartition(-likeness, neighbours - 1, axis=1)[:, :neighbours]
            found.append(
                np.stack([np.repeat(np.arange(rows.start, rows.stop), neighbours), near.ravel()], axis=1)
            )
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs, axis=0)[:, ::-1]
