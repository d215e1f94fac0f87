"""How many synthetic images a dataset is short of: known before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmaug_core.errors import InputError


def short_of(counts: NDArray[np.int64], target: int | None, added: int | None = None) -> NDArray[np.int64]:
    """Images that each class is short of, int64 [classes].

    counts: int [classes], real training images; target: wanted of each class, real and synthetic together;
    None: as many as the largest class has; added: so many of each class instead.
    """
    if added is not None:
        return np.full(len(counts), added, np.int64)
    return np.asarray(np.maximum((target or int(counts.max())) - counts, 0), np.int64)


def wanted_of(
    counts: NDArray[np.int64], target: int | None, added: int | None = None, stock: Sequence[int] = ()
) -> NDArray[np.int64]:
    """Synthetic images of each class that a run asks for, int64 [classes]: what it is short of the target.
    Where no number is asked for, all of the stock where there is one.

    counts, target, added: as in short_of; stock: images of each class that were made elsewhere.
    """
    return (
        np.array(stock, np.int64)
        if stock and target is None and added is None
        else short_of(counts, target, added)
    )


def times(wanted: NDArray[np.int64], amount: float) -> NDArray[np.int64]:
    """So many times what is wanted of each class, int64 [classes], rounded up."""
    return np.asarray(np.ceil(wanted * amount), np.int64)


def budget_of(wanted: NDArray[np.int64], draws: float, stock: Sequence[int] = ()) -> NDArray[np.int64]:
    """Draws of each class that one step may cost, int64 [classes].

    wanted: int [classes]; draws: for every image wanted; stock: as in wanted_of, which is drawn as a whole.
    """
    most = np.where(wanted > 0, np.array(stock), 0) if stock else np.ceil(wanted * draws)
    return np.asarray(most, np.int64)


def check_short(
    labels: NDArray[np.int64],
    target: int | None,
    class_names: Sequence[str],
    added: int | None = None,
    stock: Sequence[int] = (),
) -> None:
    """Raises InputError where no class is short of anything, so that nothing would be drawn, and where the
    stock is not of these classes.

    labels: int [n], of the real training images; stock: as in wanted_of; the rest: see short_of.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if stock and len(stock) != len(class_names):
        raise InputError(
            f"the images made elsewhere are of {len(stock)} classes",
            expected=f"the {len(class_names)} classes of the dataset",
            todo="take them in again, for this dataset",
        )
    if budget_of(wanted_of(counts, target, added, stock), 1, stock).any():
        return
    if target is None:
        what = f"every class has {int(counts.max())} training images already: nothing would be drawn"
    else:
        least = int(counts.argmin())
        what = (
            f"every class has the {target} images already that are asked for ({class_names[least]}, the "
            f"smallest, has {int(counts[least])} to train on): nothing would be drawn"
        )
    raise InputError(
        what,
        expected="a target above the smallest class",
        todo=f"set target (images a class, real and synthetic together) above {int(counts.min())}; "
        f"above {int(counts.max())}, every class gets some; or set added, synthetic images of each class",
    )
