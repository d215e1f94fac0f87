"""Copies. Byte-identical images: inside a split they stay and are told, between splits one stays; near copies
are told, and no split made here takes them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gmaug_core.data import cautions
from gmaug_core.data.folders import SPLITS
from gmaug_core.data.manifest import Duplicate, Refused
from gmaug_core.data.store import Placed
from gmaug_core.intake.near import near_groups, stacked


def resolve_duplicates(
    placed: list[Placed],
) -> tuple[list[Placed], list[Duplicate], list[Refused]]:
    """Find byte-identical images. Returns what stays, the groups found, and what was dropped.

    Within one split copies stay, so that a dataset keeps its published counts; they are listed, and
    Dataset.content lets a later split keep them on one side. Between splits the copy in the split that judges
    stays (test, then val) and the other goes: a published test set keeps its images, and no model is judged
    on an image it was trained on.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, (image, _) in enumerate(placed):
        groups[image.sha256].append(i)
    duplicates = []
    gone: dict[int, str] = {}
    for digest, rows in groups.items():
        if len(rows) < 2:
            continue
        keeps = max((placed[i][1].split for i in rows), key=SPLITS.index)
        out = [i for i in rows if placed[i][1].split != keeps]
        gone |= dict.fromkeys(out, f"the same image is in {keeps}")
        duplicates.append(
            Duplicate(
                sha256=digest,
                files=tuple(placed[i][0].file for i in rows),
                across_classes=len({placed[i][1].path for i in rows}) > 1,
                across_splits=bool(out),
                dropped=tuple(placed[i][0].file for i in out),
            )
        )
    dropped = [Refused(file=placed[i][0].file, reason=reason) for i, reason in gone.items()]
    return [row for i, row in enumerate(placed) if i not in gone], duplicates, dropped


def leaks(placed: Sequence[Placed], duplicates: Sequence[Duplicate]) -> list[str]:
    """A sentence for each split that judges and came with images of an earlier one."""
    across = {each.sha256: len(each.dropped) for each in duplicates if each.across_splits}
    told = []
    for split in SPLITS[1:]:
        judging = [image.sha256 for image, place in placed if place.split == split]
        copied = [digest for digest in judging if digest in across]
        if copied:
            gone = sum(across[digest] for digest in set(copied))
            told.append(
                f"the split leaks: {len(copied):,} of {len(judging):,} {split} images are in an earlier "
                f"split, too; {gone:,} copies there were left out, so that no model is judged on them"
            )
    return told


def with_near_copies(placed: Sequence[Placed]) -> tuple[list[Placed], list[str]]:
    """The same with the group of near copies of each image, and what a person should know of them.

    Copies of the very same bytes are in the group of their image; where they are all there is, there is none.
    """
    first: dict[str, int] = {}
    own = [first.setdefault(image.sha256, i) for i, (image, _) in enumerate(placed)]
    at, place = np.unique(own, return_inverse=True)
    found = near_groups(stacked([placed[i][0].look for i in at]))
    if found is None:
        return list(placed), [
            "so many images are alike in small that near copies cannot be told from others: none were "
            "looked for"
        ]
    linked = np.bincount(found, minlength=len(at))[found] > 1
    near = np.where(linked[place], at[found][place], np.arange(len(placed)))
    given = [(replace(image, near=int(n)), where) for n, (image, where) in zip(near, placed, strict=True)]
    numbers = {path: k for k, path in enumerate(dict.fromkeys(where.path for _, where in placed))}
    labels = np.array([numbers[where.path] for _, where in placed])
    files = [image.file for image, _ in placed]
    splits = np.array([where.split for _, where in placed])
    parts = {name: np.flatnonzero(splits == name) for name in SPLITS}
    return given, [
        *cautions.near_copies(found),
        *cautions.near_contradictions(near, labels, files),
        *cautions.near_leaks(near, parts),
    ]
