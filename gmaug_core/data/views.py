"""Images that are picked, repeated or put together without being copied: pixels come a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


class Images(Protocol):
    """uint8 [n, h, w] (grey) or [n, h, w, 3]: an array, in memory or mapped, or a view of some."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def ndim(self) -> int: ...

    @property
    def dtype(self) -> np.dtype[np.uint8]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | Index, /) -> NDArray[np.uint8]:
        """These images, copied where they are not a slice of an array."""


class View:
    """Some images of one or several arrays, in any order and as often as one likes.

    `images[rows]` gives the same pixels as numpy.concatenate(arrays)[index][rows] would.
    """

    def __init__(self, arrays: Sequence[NDArray[np.uint8]], index: Index) -> None:
        """arrays: uint8, all [*, h, w] or all [*, h, w, 3]; index: int [n], positions in their
        concatenation.
        """
        self._arrays = tuple(arrays)
        self._index = np.asarray(index, np.int64)
        self._ends = np.cumsum([len(array) for array in self._arrays])

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._index), *self._arrays[0].shape[1:])

    @property
    def ndim(self) -> int:
        return self._arrays[0].ndim

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        return self._arrays[0].dtype

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, rows: slice | Index, /) -> NDArray[np.uint8]:
        index = self._index[rows]
        if len(self._arrays) == 1:
            return self._arrays[0][index]
        found = np.empty((len(index), *self.shape[1:]), np.uint8)
        source = np.searchsorted(self._ends, index, side="right")
        for number, array in enumerate(self._arrays):
            mine = source == number
            found[mine] = array[index[mine] - (self._ends[number] - len(array))]
        return found

    def take(self, rows: Index) -> View:
        """A view of some of its images."""
        return View(self._arrays, self._index[rows])

    def followed_by(self, other: View) -> View:
        """A view of its images and then of another's of the same height, width and colour."""
        return View(
            (*self._arrays, *other._arrays), np.concatenate([self._index, other._index + self._ends[-1]])
        )
