"""What copies mean for labels and for a split, in words: said at an import, at a launch and in a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.folders import SPLITS
from gmaug_core.data.manifest import Duplicate
from gmaug_core.data.store import listed

if TYPE_CHECKING:
    from gmaug_core.data.dataset import Dataset

Index = NDArray[np.int64]


def of(data: Dataset, parts: Mapping[str, Index] | None = None) -> list[str]:
    """Labels that contradict each other, and images that are judged on with near copies among those that are
    learnt from. parts: train, val and test as indices; default: the dataset's own."""
    sides = {name: data.split(name) for name in SPLITS} if parts is None else parts
    told = contradictions(data.manifest.duplicates)
    if data.near is not None:
        told += near_contradictions(data.near, data.labels, data.manifest.images.file)
        told += near_leaks(data.near, sides)
    return told + _halved(data, sides)


def _halved(data: Dataset, parts: Mapping[str, Index]) -> list[str]:
    """A sentence where the dataset came with one part to judge on, and a run divides it."""
    own = {name: len(data.split(name)) for name in SPLITS[1:]}
    held = [name for name, n in own.items() if n]
    if len(held) != 1 or not all(len(parts[name]) for name in own) or len(parts[held[0]]) == own[held[0]]:
        return []
    lacks = "choose" if held[0] == "test" else "test"
    return [
        f"the dataset came with a {held[0]} part and nothing to {lacks} by: of its {own[held[0]]:,} images "
        f"{len(parts['val']):,} choose and {len(parts['test']):,} test, so that figures are not those of the "
        "whole published part"
    ]


def contradictions(duplicates: Sequence[Duplicate]) -> list[str]:
    """A sentence where the same image lies in two classes: one of the labels is wrong."""
    groups = [each for each in duplicates if each.across_classes]
    if not groups:
        return []
    files = [each.files[0] for each in groups]
    return [f"{len(groups):,} images have two labels each, of which one is wrong: {listed(files)}"]


def near_contradictions(near: Index, labels: Index, files: Sequence[str]) -> list[str]:
    """A sentence where images that look the same lie in several classes.

    near: int64 [n], equal in a group of near copies, the position of the first; labels: int64 [n].
    """
    odd = np.unique(near[labels != labels[near]])
    if not len(odd):
        return []
    return [
        f"{len(odd):,} groups of images that look the same lie in more than one class, so that a label may "
        f"be wrong: {listed([files[first] for first in odd])}"
    ]


def near_leaks(near: Index, parts: Mapping[str, Index]) -> list[str]:
    """A sentence for each part that judges and has images which look the same as one of an earlier part."""
    told = []
    earlier = near[parts["train"]]
    for name in SPLITS[1:]:
        own = near[parts[name]]
        found = int(np.isin(own, earlier).sum())
        if found:
            told.append(
                f"{found:,} of {len(own):,} {name} images look the same as an image of an earlier split "
                "(near copies): what is measured on them is too high"
            )
        earlier = np.concatenate([earlier, own])
    return told


def near_copies(near: Index) -> list[str]:
    """A sentence that counts them, where there are any."""
    sizes = np.bincount(near, minlength=len(near))
    linked = sizes[sizes > 1]
    if not len(linked):
        return []
    return [
        f"{linked.sum():,} images look the same as another one, in {len(linked):,} groups (near copies): a "
        "split that is made here keeps a group on one side"
    ]
