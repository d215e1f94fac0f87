"""Train, validation and test: the dataset's own, or made from it. Validation chooses, so it cannot also be
the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.documents import Document
from gmaug_core.data import cautions
from gmaug_core.errors import InputError
from gmaug_core.seeds import derive

if TYPE_CHECKING:
    from gmaug_core.data.dataset import Dataset

Index = NDArray[np.int64]
Parts = dict[str, Index]  # train, val and test: int64 indices, ascending
NAMES = ("train", "val", "test")
NAMED = 10  # classes that a sentence names before it says how many more


HELD = 0.15  # of every class, to validation and to test each, where the dataset has no splits
LEAST_UNITS = 3  # images, or sources, of a class from which on each part gets one


def three_way_split(
    labels: NDArray[np.int64],
    given: NDArray[np.str_],
    class_names: Sequence[str],
    *,
    seed: int,
    content: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Parts:
    """train, val and test as sorted indices. Validation chooses, so it cannot also be the test.

    The dataset's own splits are kept. A dataset with only one held-out part has it halved, class by class,
    test never the smaller; one without any gives 15 % of every class to each (at least one image of a class
    that has three). content: int [n], equal for copies of one image; groups: int [n], equal for images of one
    source (patient, slide, video, burst). In a split made here neither is ever on two sides. Raises
    InputError when that leaves a part without images.
    """
    rng = np.random.default_rng(derive("split", seed))
    parts = {name: np.flatnonzero(given == name) for name in NAMES}
    held = [name for name in ("val", "test") if len(parts[name])]
    if len(held) == 2:
        return _whole(labels, parts, class_names)
    made = np.ones(len(labels), bool) if not held else given == held[0]
    if groups is not None:
        unit = _units(groups, content)
        shares = (HELD, HELD) if not held else (0.0, 0.5)
        part = _by_unit(labels, unit, np.flatnonzero(made), shares, len(class_names), rng)
        if held:
            part[made & (part == 0)] = 2
    else:
        part = _by_image(labels, parts, held, len(class_names), rng)
        if content is not None:  # all copies join the one that is in the earliest part
            first = np.full(int(content.max()) + 1, 2)
            np.minimum.at(first, content[made], part[made])
            part[made] = first[content[made]]
    return _whole(
        labels, {name: np.flatnonzero(part == number) for number, name in enumerate(NAMES)}, class_names
    )


def _by_image(
    labels: NDArray[np.int64], parts: Parts, held: Sequence[str], classes: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Position in NAMES of every image, each on its own."""
    part = np.zeros(sum(map(len, parts.values())), np.int64)

    def take(index: Index, share: float, least: int) -> Index:
        taken = []
        for label in range(classes):
            members = rng.permutation(index[labels[index] == label])
            n = max(int(np.floor(len(members) * share + 0.5)), 1)
            taken.append(members[: min(n, len(members) - 1) if len(members) >= least else 0])
        return np.concatenate(taken)

    if held:
        index = parts[held[0]]
        part[index] = 2
        # half, rounded down: of three images two test
        half = [
            members[: len(members) // 2]
            for label in range(classes)
            for members in (rng.permutation(index[labels[index] == label]),)
        ]
        val = np.concatenate(half)
        if not len(val):  # one image a class: half of the classes choose, and the notes name them
            val = rng.permutation(index)[: len(index) // 2]
        part[val] = 1
        return part
    part[take(parts["train"], HELD, LEAST_UNITS)] = 2
    rest = np.setdiff1d(parts["train"], np.flatnonzero(part == 2))
    part[take(rest, HELD / (1 - HELD), LEAST_UNITS)] = 1
    return part


def _units(groups: NDArray[np.int64], content: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """int [n], equal for images that must stay together: of one source, or copies, or linked by both."""
    from scipy.sparse import coo_array  # here: a list of datasets does without
    from scipy.sparse.csgraph import connected_components

    n = len(groups)
    edges = [np.unique(groups, return_inverse=True)[1] + n]
    if content is not None:
        edges.append(np.unique(content, return_inverse=True)[1] + 2 * n)
    rows = np.tile(np.arange(n), len(edges))
    graph = coo_array((np.ones(len(rows)), (rows, np.concatenate(edges))), shape=(3 * n, 3 * n))
    return np.asarray(connected_components(graph, directed=False)[1][:n], np.int64)


def _by_unit(
    labels: NDArray[np.int64],
    unit: NDArray[np.int64],
    index: Index,
    shares: tuple[float, float],
    classes: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Position in NAMES of every image, whole units at a time; shares: of a class, to test and to val.

    Class by class, that with the fewest units first: the unit that brings a part nearest to its share goes
    there, as long as one that nobody has stays for the rest. A class with two units has none for validation.
    """
    part = np.zeros(len(labels), np.int64)
    names, place = np.unique(unit[index], return_inverse=True)
    table = np.zeros((len(names), classes), np.int64)  # images of each unit and class
    np.add.at(table, (place, labels[index]), 1)
    where = np.zeros(len(names), np.int64)
    for label in np.argsort((table > 0).sum(axis=0), kind="stable"):
        own = rng.permutation(np.flatnonzero(table[:, label]))
        total = table[own, label].sum()
        for number, share in ((2, shares[0]), (1, shares[1])):
            if len(own) < (LEAST_UNITS if number == 1 and shares[0] else 2):
                continue
            while (free := own[where[own] == 0]).size > 1:
                got = table[own[where[own] == number], label].sum()
                after = np.abs(got + table[free, label] - share * total)
                best = int(np.argmin(after))
                if share == 0 or (got and after[best] >= abs(got - share * total)):
                    break
                where[free[best]] = number
    part[index] = where[place]
    return part


def folds(
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    count: int,
    seed: int,
    content: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> list[Parts]:
    """`count` splits whose test parts share no image and together hold every one that can be tested; the
    dataset's own splits are not kept.

    Stratified: each class is spread evenly over the test parts. A class that one source (or one image and its
    copies) makes up stays in training and is tested nowhere. Of what a fold does not test, 15 % of all go to
    validation, but none of a class that has no more than two sources left: these are trained on. content,
    groups: see three_way_split. Raises InputError where a fold would be without a part.
    """
    rng = np.random.default_rng(derive("folds", seed))
    unit = _units(np.arange(len(labels)) if groups is None else groups, content)
    names, place = np.unique(unit, return_inverse=True)
    table = np.zeros((len(names), len(class_names)), np.int64)  # images of each unit and class
    np.add.at(table, (place, labels), 1)
    tested_in = _fold_of(table, count, rng)
    found = []
    for fold in range(count):
        rest = tested_in != fold
        left = (table[rest] > 0).sum(axis=0)  # units of each class
        few = rest & (table[:, left < LEAST_UNITS] > 0).any(axis=1)
        part = np.where(tested_in[place] == fold, 2, 0)
        may = np.flatnonzero((rest & ~few)[place])
        if not len(may):  # every class has few: choosing needs some of them
            may = np.flatnonzero(rest[place])
        own = _by_unit(labels, unit, may, (0.0, HELD * count / (count - 1)), len(class_names), rng)
        part[may] = own[may]
        parts = {name: np.flatnonzero(part == number) for number, name in enumerate(NAMES)}
        found.append(_whole(labels, parts, class_names))
    return found


def spread(data: Dataset, index: Index, count: int, seed: int) -> Index:
    """A number from 0 to count - 1 for each of these images, int64 [n]: every class is spread evenly, copies
    and images of one source get the same. -1 where a class has one source (or one image and its copies).
    """
    groups = np.arange(len(data)) if data.groups is None else data.groups
    names, place = np.unique(_units(groups, data.content)[index], return_inverse=True)
    table = np.zeros((len(names), len(data.class_names)), np.int64)
    np.add.at(table, (place, data.labels[index]), 1)
    return _fold_of(table, count, np.random.default_rng(derive("spread", seed)))[place]


def _fold_of(table: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold that tests each unit, int [units]; -1 where none does, since its class would not be trained
    on. Class by class, that with the fewest units first; each unit to the fold that has the fewest images of
    the class so far, and the fewest of all."""
    fold = np.full(len(table), -1)
    units = (table > 0).sum(axis=0)
    alone = (table[:, units == 1] > 0).any(axis=1)
    held = np.zeros((count, table.shape[1]), np.int64)  # images of each class that each fold tests
    for label in np.argsort(units, kind="stable"):
        own = rng.permutation(np.flatnonzero((table[:, label] > 0) & (fold < 0) & ~alone))
        for unit in own[np.argsort(-table[own, label], kind="stable")]:
            fold[unit] = np.lexsort((held.sum(axis=1), held[:, label]))[0]
            held[fold[unit]] += table[unit]
    return fold


def _whole(labels: NDArray[np.int64], parts: Parts, class_names: Sequence[str]) -> Parts:
    """The parts, if every one has images and every class is trained on. Raises InputError."""
    empty = [name for name, index in parts.items() if len(index) == 0]
    without = [name for label, name in enumerate(class_names) if not (labels[parts["train"]] == label).any()]
    if empty or without:
        what = (
            f"no images for {', '.join(empty)}"
            if empty
            else f"no training images of {', '.join(without[:NAMED])}"
        )
        raise InputError(
            f"the dataset cannot be split: {what}",
            expected="at least one training image of every class, and images to validate and test on",
            todo="add images of these classes, or leave them out, and import again",
        )
    return {name: np.sort(index) for name, index in parts.items()}


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


def kept_together(data: Dataset) -> NDArray[np.int64] | None:
    """int64 [n], equal for images that no split made here takes apart: of one source, or linked by near
    copies. None where the dataset has neither."""
    if data.groups is None or data.near is None:
        return data.near if data.groups is None else data.groups
    return _units(data.groups, data.near)


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
