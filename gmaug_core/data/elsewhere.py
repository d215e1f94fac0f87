"""Images that another program made, beside the datasets: verified and kept as those are, but no dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.dataset import Dataset
from gmaug_core.data.manifest import SUMMARY
from gmaug_core.data.store import listed
from gmaug_core.errors import InputError
from gmaug_core.home import room


def folder() -> Path:
    """home()/elsewhere, created when it is not there."""
    return room("elsewhere")


def load(images_id: str) -> Dataset:
    """Open images that were taken in. Raises InputError where they are not there."""
    known = {each.name: each for each in folder().iterdir() if (each / SUMMARY).exists()}
    if images_id not in known:
        raise InputError(
            f"there are no images made elsewhere of the id '{images_id}'",
            expected="images that were taken in",
            todo="take them in again, with: python -m gmaug_core measure",
        )
    return Dataset(known[images_id])


def labels_in(given: Dataset, class_names: Sequence[str]) -> NDArray[np.int64]:
    """The class of each image made elsewhere, int64 [n], as a position in the dataset's class_names.

    A folder is a class of the same name; upper and lower case count only where the dataset has classes that
    differ in nothing else. Raises InputError that names the folders of no class.
    """
    exact = {name: label for label, name in enumerate(class_names)}
    near: dict[str, int | None] = {}
    for label, name in enumerate(class_names):
        near[name.casefold()] = None if name.casefold() in near else label
    found = {name: exact.get(name, near.get(name.casefold())) for name in given.class_names}
    unknown = [name for name, label in found.items() if label is None]
    if unknown:
        raise InputError(
            f"these folders are no class of the dataset: {listed(unknown)}",
            expected=f"one folder a class, named as the dataset names it: {listed(list(class_names))}",
            todo="rename the folders, or leave them out",
        )
    return np.array([found[name] for name in given.class_names], np.int64)[given.labels]
