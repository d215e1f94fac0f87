"""Which folders are classes, which are splits, which only wrap: pure functions over folder paths, no
files touched.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SPLITS = ("train", "val", "test")
KNOWN = (
    "a zip, tar.gz or folder with one folder a class (cats/1.jpg, dogs/2.jpg), optionally under or above "
    "train, val and test folders, or nested"
)

ClassPath = tuple[str, ...]
Groupings = list[tuple[str, dict[str, list[str]]]]


class Place(NamedTuple):
    """Where an image belongs: its split and the folders that name its class, outermost first."""

    split: str
    path: ClassPath


def clean_name(text: str) -> str:
    """A folder or file name as shown and compared: NFC, trimmed, unprintable characters (newline, bidi,
    zero-width) escaped.
    """
    text = unicodedata.normalize("NFC", text).strip()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 'img2' before 'img10'."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text) if part
    ]


def class_names(paths: Iterable[ClassPath]) -> dict[ClassPath, str]:
    """The name of each class, in display order: its innermost folder where that is unique, else the
    joined path 'A/B'.
    """
    paths = set(paths)
    leaves = Counter(path[-1] for path in paths)
    names = {path: path[-1] if leaves[path[-1]] == 1 else "/".join(path) for path in paths}
    return dict(sorted(names.items(), key=lambda item: (natural_key(item[1]), item[0])))


def suggested_groupings(hierarchy: Mapping[str, ClassPath]) -> Groupings:
    """Super-classes that the folders propose: one grouping a folder level that says something new, then the
    identity.

    hierarchy: class -> the folders above it. A class that lies above a level stands for itself there.
    """
    paths = {name: (*above, name.rpartition("/")[2] if above else name) for name, above in hierarchy.items()}
    groupings: Groupings = []
    for level in range(1, max(map(len, paths.values()), default=1)):
        members: dict[ClassPath, list[str]] = defaultdict(list)
        for name, path in paths.items():
            members[path[:level]].append(name)
        titles = class_names(members)
        groups = {titles[key]: members[key] for key in titles}
        if 1 < len(groups) < len(paths) and groups not in [known for _, known in groupings]:
            groupings.append((f"folders-{level}", groups))
    groupings.append(("identity", {name: [name] for name in paths}))
    return groupings
