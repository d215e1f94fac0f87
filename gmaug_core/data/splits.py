"""The split of a run: the dataset's own, or made from it once, and read ever after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.documents import Document
from gmaug_core.data import cautions
from gmaug_core.data.dividing import NAMED, Index, Parts, folds, three_way_split, units_of
from gmaug_core.errors import InputError

if TYPE_CHECKING:
    from gmaug_core.data.dataset import Dataset


def notes(
    labels: NDArray[np.int64],
    parts: Parts,
    class_names: Sequence[str],
    groups: NDArray[np.int64] | None,
) -> list[str]:
    """What a reader must know of a split, in words: classes that nothing tests, and sources on two sides.

    The second happens only where the dataset came with its own split; one made here keeps sources whole.
    """
    untested = [label for label in range(len(class_names)) if not (labels[parts["test"]] == label).any()]
    single = {
        label
        for label in untested
        if groups is not None and len(np.unique(groups[labels == label])) == 1 and (labels == label).sum() > 1
    }
    found = []
    for names, words in (
        (
            [class_names[label] for label in untested if label in single],
            "All images come from one source, which cannot be divided, so nothing tests",
        ),
        ([class_names[label] for label in untested if label not in single], "No test image of"),
    ):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            found.append(f"{words}: {', '.join(names[:NAMED])}{more}.")
    if groups is not None:
        sides = [np.unique(groups[index]) for index in parts.values()]
        shared = len(np.intersect1d(np.concatenate(sides[:2]), sides[2]))
        if shared:
            found.append(
                f"{shared:,} sources have images in the test split and in training or validation, as the "
                "dataset came: accuracies are too high."
            )
    return found


def _without_groups(document: dict[str, Any]) -> dict[str, Any]:
    """Form 1 knew no sources, and named nothing."""
    return document | {"groups": None, "notes": []}


class Split(Document):
    """Which images a run trains on, chooses by and tests on: made once from its seed, read ever after."""

    TITLE = "split"
    FILE = "split.json"
    SCHEMA = 2
    MIGRATIONS: ClassVar = {1: _without_groups}

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
    groups: int | None
    """Sources that the images come from, each on one side; null where the dataset names none."""
    notes: tuple[str, ...]
    """What a reader must know of it, in words: classes that nothing tests, sources or near copies on
    two sides, labels that contradict each other."""

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


def made(data: Dataset, seed: int) -> Parts:
    """The split of a dataset by this seed: three_way_split with its copies and sources kept together."""
    return three_way_split(
        data.labels,
        data.splits,
        data.class_names,
        content=data.content,
        groups=kept_together(data),
        seed=seed,
    )


def training_counts(data: Dataset, seed: int) -> Index:
    """int64 [classes], the images of each class that a run of this seed trains on. Raises InputError where
    the dataset cannot be split."""
    return np.bincount(data.labels[made(data, seed)["train"]], minlength=len(data.class_names))


def kept_together(data: Dataset) -> NDArray[np.int64] | None:
    """int64 [n], equal for images that no split made here takes apart: of one source, or linked by near
    copies. None where the dataset has neither."""
    if data.groups is None or data.near is None:
        return data.near if data.groups is None else data.groups
    return units_of(data.groups, data.near)


def of_run(data: Dataset, seed: int, count: int) -> list[Parts]:
    """The splits that a run uses: one, or one a fold. Raises InputError where the dataset cannot be split."""
    if count == 1:
        return [made(data, seed)]
    return folds(
        data.labels,
        data.class_names,
        count=count,
        seed=seed,
        content=data.content,
        groups=kept_together(data),
    )


def read(path: Path, data: Dataset, seed: int) -> Parts:
    """The split of a run, int64 indices of train, val and test. path: split.json in its folder.

    A run from before that file was written has it made anew from its seed. Raises InputError where the
    dataset has changed since, or cannot be split.
    """
    if not path.exists():
        return made(data, seed)
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
        write(path, data, seed, parts)
    return parts


def write(path: Path, data: Dataset, seed: int, parts: Parts) -> None:
    """A split that is read ever after."""
    numbers = {name: tuple(index.tolist()) for name, index in parts.items()}
    Split.new(
        dataset_version=data.version,
        seed=seed,
        **numbers,
        groups=None if data.groups is None else len(np.unique(data.groups)),
        notes=[*notes(data.labels, parts, data.class_names, data.groups), *cautions.of(data, parts)],
    ).write(path)


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
