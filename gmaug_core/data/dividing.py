"""Dividing a dataset into train, validation and test, or into folds: whole sources, copies on one side, every
class in training. Validation chooses, so it cannot also be the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
        unit = units_of(groups, content)
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


def units_of(groups: NDArray[np.int64], content: NDArray[np.int64] | None) -> NDArray[np.int64]:
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
    unit = units_of(np.arange(len(labels)) if groups is None else groups, content)
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
    names, place = np.unique(units_of(groups, data.content)[index], return_inverse=True)
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
