"""Which folders are classes, which are splits, which only wrap: pure functions over folder paths, no
files touched.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SPLITS = ("train", "val", "test")
ROLES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
KNOWN = (
    "a zip or folder with one folder a class (cats/1.jpg, dogs/2.jpg), optionally under or above train, val "
    "and test folders, or nested"
)

ClassPath = tuple[str, ...]
Groupings = list[tuple[str, dict[str, list[str]]]]


class Place(NamedTuple):
    """Where an image belongs: its split and the folders that name its class, outermost first."""

    split: str
    path: ClassPath


@dataclass
class Layout:
    """places: one item an image, in order: a Place, or the reason in words why it has none."""

    places: list[Place | str]
    warnings: list[str] = field(default_factory=list)


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


def detect(folders: Sequence[Sequence[str]]) -> Layout:
    """Place images by the folders they lie in.

    folders: for each image its folder names, outermost first. Wrapper folders are peeled off; folders named
    train, val, test (and valid, validation, training, testing, in any case) are splits when every image has
    one, or when train and one more occur, anywhere in the path. Without splits all images are "train". What
    is left of a path is the class.
    """
    cleaned = [tuple(clean_name(name) for name in folder) for folder in folders]
    layout = Layout([])
    _report_merged_names(folders, cleaned, layout)
    paths = _unwrap(cleaned, layout)
    found = [next((k for k, name in enumerate(path) if name.casefold() in ROLES), None) for path in paths]
    roles = {ROLES[path[k].casefold()] for path, k in zip(paths, found, strict=True) if k is not None}
    everywhere = all(k is not None for path, k in zip(paths, found, strict=True) if path)
    has_splits = bool(roles) and (("train" in roles and len(roles) > 1) or everywhere)
    if has_splits and len(roles) == 1 and roles != {"train"}:
        layout.warnings.append(
            f"only a {roles.pop()} folder is there: its images are taken as training images"
        )
        roles = {"train"}
    splits: list[str | None] = []
    rests: list[ClassPath] = []
    for path, k in zip(paths, found, strict=True):
        if not has_splits or not path:
            splits.append("train")
            rests.append(path)
        elif k is None:
            splits.append(None)
            rests.append(())
        else:
            role = ROLES[path[k].casefold()]
            rest = path[:k] + path[k + 1 :]
            while (
                rest[k : k + 1] and ROLES.get(rest[k].casefold()) == role
            ):  # train/train/cats: the split is said twice
                rest = rest[:k] + rest[k + 1 :]
            splits.append(role if len(roles) > 1 else "train")
            rests.append(rest)
    if has_splits:
        rests = _unwrap(rests, layout)
    for split, rest in zip(splits, rests, strict=True):
        if split is None:
            layout.places.append("lies outside the train, val and test folders")
        elif not rest:
            layout.places.append("lies in no class folder")
        else:
            layout.places.append(Place(split, rest))
    _join_splits(layout)
    _report_near_names({place.path for place in layout.places if isinstance(place, Place)}, layout)
    return layout


def _unwrap(paths: Sequence[ClassPath], layout: Layout) -> list[ClassPath]:
    """Peel off outer folders that all images share. The innermost folder always stays."""
    paths = list(paths)
    while True:
        inside = [path for path in paths if path]
        first = {path[0] for path in inside}
        if len(first) != 1 or max(map(len, inside)) < 2:
            return paths
        wrapper = first.pop()
        if ROLES.get(wrapper.casefold(), "train") != "train":
            layout.warnings.append(
                f"only a {wrapper} folder is there: its images are taken as training images"
            )
        paths = [path[1:] for path in paths]


def _join_splits(layout: Layout) -> None:
    """A class that lies elsewhere in val or test than in train (other depth, other case) is that class,
    where no doubt is possible.
    """
    places = [place for place in layout.places if isinstance(place, Place)]
    by_leaf: dict[str, dict[str, set[ClassPath]]] = {split: defaultdict(set) for split in SPLITS}
    for split, path in set(places):
        by_leaf[split][path[-1].casefold()].add(path)
    moved: dict[Place, Place] = {}
    for split in ("val", "test"):
        for leaf, paths in by_leaf[split].items():
            trained = by_leaf["train"].get(leaf, set())
            if len(paths) == len(trained) == 1 and paths != trained:
                (path,), (home,) = paths, trained
                moved[Place(split, path)] = Place(split, home)
                layout.warnings.append(
                    f"class '{'/'.join(path)}' of {split} was taken as '{'/'.join(home)}' of train"
                )
    layout.places = [
        moved.get(place, place) if isinstance(place, Place) else place for place in layout.places
    ]


def _report_merged_names(
    folders: Sequence[Sequence[str]], cleaned: Sequence[ClassPath], layout: Layout
) -> None:
    spellings: dict[ClassPath, set[tuple[str, ...]]] = defaultdict(set)
    for raw, clean in zip(folders, cleaned, strict=True):
        spellings[clean].add(tuple(raw))
    for clean, given in sorted(spellings.items()):
        if len(given) > 1:
            layout.warnings.append(
                f"{len(given)} folders are written '{'/'.join(clean)}' once normalised: they were merged"
            )


def _report_near_names(paths: Iterable[ClassPath], layout: Layout) -> None:
    spellings: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        spellings["/".join(path).casefold()].add("/".join(path))
    for names in spellings.values():
        if len(names) > 1:
            layout.warnings.append(
                f"classes that differ in upper and lower case only: {', '.join(sorted(names))}; merge them "
                "if they are one"
            )


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
