"""Pairs of different images, drawn without repetition.

Pair t of a set is position t of a keyed permutation of all its pairs. So any worker can draw any share,
asking for more pairs extends the same sequence, and what is drawn depends on the seed and the set alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmaug_core.seeds import derive

ROUNDS = 10  # of the permutation

Index = npt.NDArray[np.int64]


def stream(seed: int, *what: str) -> npt.NDArray[np.uint64]:
    """The round keys of a permutation, from the seed and what it is for."""
    state = np.random.SeedSequence(derive("pairs", seed, *what)).generate_state(ROUNDS, np.uint64)
    return np.asarray(state, np.uint64)


def permuted(size: int, start: int, stop: int, keys: npt.NDArray[np.uint64]) -> Index:
    """Positions start ... stop of a permutation of range(size): a Feistel network, walked until it lands
    inside."""
    half = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    values = np.arange(start, stop, dtype=np.uint64)
    outside = np.arange(len(values))
    while len(outside):
        left, right = values[outside] >> half, values[outside] & mask
        for key in keys:
            mixed = (right ^ key) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
            left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
        values[outside] = (left << half) | right
        outside = outside[values[outside] >= size]
    return values.astype(np.int64)


def pair_count(n: int) -> int:
    """Pairs of different images among n."""
    return n * (n - 1) // 2


def pair_at(position: Index) -> Index:
    """[m] positions among all pairs -> [m, 2] the pairs (j, i), i < j, numbered j (j - 1) / 2 + i."""
    high = ((1 + np.sqrt(1 + 8 * position.astype(np.float64))) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > position
    high += high * (high + 1) // 2 <= position
    return np.stack([high, position - high * (high - 1) // 2], axis=1)


def draw_pairs(n: int, start: int, stop: int, keys: npt.NDArray[np.uint64]) -> Index:
    """Pairs start ... stop of a set of n images: [m, 2], all different; each once when stop = n(n-1)/2."""
    return pair_at(permuted(pair_count(n), start, stop, keys))
