"""Train, validation and test: the dataset's own, or made from it. Validation chooses, so it cannot also be
the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.documents import Document
from gmaug_core.errors import InputError
from gmaug_core.seeds import derive

if TYPE_CHECKING:
    from gmaug_core.data.dataset import Dataset

Index = NDArray[np.int64]
Parts = dict[str, Index]  # train, val and test: int64 indices, ascending


def three_way_split(
    labels: NDArray[np.int64],
    given: NDArray[np.str_],
    class_names: Sequence[str],
    *,
    seed: int,
    content: NDArray[np.int64] | None = None,
) -> Parts:
    """train, val and test as sorted indices. Validation chooses, so it cannot also be the test.

    The dataset's own splits are kept. A dataset with only one held-out part has it halved, class by class;
    one without any gives 15 % of every class to each (at least one image of a class that has three). content:
    int [n], equal for copies of one image: in a split made here all copies join the one that is in the
    earliest part, so that nothing is trained on and tested. Raises InputError when that leaves a part without
    images.
    """
    rng = np.random.default_rng(derive("split", seed))
    parts = {name: np.flatnonzero(given == name) for name in ("train", "val", "test")}

    def take(index: NDArray[np.int64], share: float) -> NDArray[np.int64]:
        taken = []
        for label in range(len(class_names)):
            members = rng.permutation(index[labels[index] == label])
            n = int(np.floor(len(members) * share + 0.5))
            taken.append(
                members[
                    : min(max(n, 1), max(len(members) - 1, 0)) if len(members) >= 3 or share == 0.5 else 0
                ]
            )
        return np.concatenate(taken)

    held = [name for name in ("val", "test") if len(parts[name])]
    if len(held) == 1:
        half = take(parts[held[0]], 0.5)
        parts = {"train": parts["train"], "val": half, "test": np.setdiff1d(parts[held[0]], half)}
    elif not held:
        test = take(parts["train"], 0.15)
        rest = np.setdiff1d(parts["train"], test)
        val = take(rest, 0.15 / 0.85)
        parts = {"train": np.setdiff1d(rest, val), "val": val, "test": test}
    if content is not None and len(held) < 2:
        part = np.empty(len(labels), np.int64)
        for number, name in enumerate(("train", "val", "test")):
            part[parts[name]] = number
        first = np.full(int(content.max()) + 1, 2)
        made = np.ones(len(labels), bool) if not held else given == held[0]
        np.minimum.at(first, content[made], part[made])
        part[made] = first[content[made]]
        parts = {name: np.flatnonzero(part == number) for number, name in enumerate(("train", "val", "test"))}
    empty = [name for name, index in parts.items() if len(index) == 0]
    without = [name for label, name in enumerate(class_names) if not (labels[parts["train"]] == label).any()]
    if empty or without:
        what = (
            f"no images for {', '.join(empty)}"
            if empty
            else f"no training images of {', '.join(without[:10])}"
        )
        raise InputError(
            f"the dataset cannot be split: {what}",
            expected="at least one training image of every class, and images to validate and test on",
            todo="add images of these classes, or leave them out, and import again",
        )
    return {name: np.sort(index) for name, index in parts.items()}


class Split(Document):
    """Which images a run trains on, chooses by and tests on: made once from its seed, read ever after."""

    TITLE = "split"
    FILE = "split.json"
    SCHEMA = 1

    dataset_version: str
    """Of the images: their numbers below are positions in this version's manifest."""
    seed: int
    """What was not split in the dataset itself was split by this seed."""
    train: tuple[int, ...]
    """Images to train on, ascending."""
    val: tuple[int, ...]
    """Images that choose, ascending."""
    test: tuple[int, ...]
    """Images that are looked at once, at the end, ascending."""

    @property
    def parts(self) -> Parts:
        """The same as arrays."""
        given = {"train": self.train, "val": self.val, "test": self.test}
        return {name: np.array(index, np.int64) for name, index in given.items()}


@dataclass(frozen=True)
class Part:
    """One part of a split: int64 [m], ascending; seed: of the split, None where the dataset cannot be
    split."""

    index: Index
    seed: int | None


def read(path: Path, data: Dataset, seed: int) -> Parts:
    """The split of a run, int64 indices of train, val and test. path: split.json in its folder.

    A run from before that file was written has it made anew from its seed. Raises InputError where the
    dataset has changed since, or cannot be split.
    """
    if not path.exists():
        return three_way_split(data.labels, data.splits, data.class_names, content=data.content, seed=seed)
    split = Split.read(path)
    if split.dataset_version != data.version:
        raise InputError(
            "the dataset has changed since this run",
            expected="the images that the run was made with",
            todo="import it again",
        )
    return split.parts


def kept(path: Path, data: Dataset, seed: int) -> Parts:
    """As read; written to `path` first where it is not there yet."""
    parts = read(path, data, seed)
    if not path.exists():
        numbers = {name: tuple(index.tolist()) for name, index in parts.items()}
        Split.new(dataset_version=data.version, seed=seed, **numbers).write(path)
    return parts


def training_part(path: Path, data: Dataset, seed: int) -> Part:
    """The images that an augmentation run of this seed trains on; the split is written to `path`.

    A dataset that cannot be split (see three_way_split) can still be scored: then all of its training images.
    """
    try:
        return Part(kept(path, data, seed)["train"], seed)
    except InputError:
        if path.exists():
            raise
        return Part(data.split("train"), None)
