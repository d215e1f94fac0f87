"""Train, validation and test: the dataset's own, or made from it. Validation chooses, so it cannot also be the test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmaug_core.errors import InputError
from gmaug_core.seeds import derive


def three_way_split(
    labels: NDArray[np.int64],
    given: NDArray[np.str_],
    class_names: Sequence[str],
    *,
    seed: int,
    content: NDArray[np.int64] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """train, val and test as sorted indices. Validation chooses, so it cannot also be the test.

    The dataset's own splits are kept. A dataset with only one held-out part has it halved, class by class; one without any
    gives 15 % of every class to each (at least one image of a class that has three). content: int [n], equal for copies of
    one image: in a split made here all copies join the one that is in the earliest part, so that nothing is trained on and
    tested. Raises InputError when that leaves a part without images.
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
