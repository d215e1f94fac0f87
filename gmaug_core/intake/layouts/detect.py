"""Which folders are classes, which are splits, which only wrap: pure functions over folder paths, no files
touched.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gmaug_core.data.folders import SPLITS, ClassPath, Place, clean_name
from gmaug_core.intake.layouts.split_words import SKIP, roles

INNER = frozenset(["images", "image", "imgs", "img", "pictures", "photos", "frames"])


@dataclass
class Found:
    """places: one item an image, in order: a Place, or the reason in words why it has none."""

    places: list[Place | str]
    warnings: list[str] = field(default_factory=list)


def detect(folders: Sequence[Sequence[str]], given: Mapping[str, str] | None = None) -> Found:
    """Place images by the folders they lie in.

    folders: for each image its folder names, outermost first. Wrapper folders are peeled off; folders whose
    names say train, val or test are splits when every image has one, or when train and one more occur,
    anywhere in the path, or val or test beside the same classes. Without splits all images are "train". What
    is left of a path is the class.
    given: what a person said of folder names: train, val, test, skip or class.
    """
    cleaned = [tuple(clean_name(name) for name in folder) for folder in folders]
    found = Found([])
    _report_merged_names(folders, cleaned, found)
    paths = _unwrap(cleaned, found, given or {})
    said, at = _split_of_each(paths, given or {})
    there = {role for role in said if role and role != SKIP}
    everywhere = all(role for role, path in zip(said, paths, strict=True) if path)
    around = "train" not in said and (bool(given) or _lies_around(paths, said, at))
    has_splits = around or (bool(there) and (("train" in there and len(there) > 1) or everywhere))
    if around and None in said:
        there.add("train")
    if has_splits and len(there) == 1 and there != {"train"}:
        found.warnings.append(
            f"only a {there.pop()} folder is there: its images are taken as training images"
        )
        there = {"train"}
    splits: list[str | None] = []
    rests: list[ClassPath] = []
    doubled = _doubled(paths, said, at)
    for path, role, k in zip(paths, said, at, strict=True):
        if not has_splits or not path or (around and role is None):
            splits.append("train")
            rests.append(path)
        elif role is None or role == SKIP:
            splits.append(role)
            rests.append(())
        else:
            splits.append(role if len(there) > 1 else "train")
            rests.append(path[:k] + path[k + 1 + doubled.get(path[: k + 1], 0) :])
    if not has_splits:
        found.warnings += _spoken_classes(paths, said, at)
    if has_splits:
        rests = _unwrap(_without_holders(rests), found, given or {})
    for split, rest in zip(splits, rests, strict=True):
        found.places.append(_place(split, rest))
    _join_splits(found)
    found.warnings += near_names({place.path for place in found.places if isinstance(place, Place)})
    return found


def _lies_around(paths: Sequence[ClassPath], said: Sequence[str | None], at: Sequence[int]) -> bool:
    """cat/1, dog/1, test/cat/1, test/dog/1: whether val or test hold classes that lie beside them, so that
    what is around is there to train on."""
    rows = list(zip(paths, said, at, strict=True))
    inside = {path[:k] + path[k + 1 :] for path, role, k in rows if role and role != SKIP}
    return len(inside) > 1 and inside <= {path for path, role, _ in rows if role is None}


def _spoken_classes(
    paths: Sequence[ClassPath], said: Sequence[str | None], at: Sequence[int]
) -> Iterable[str]:
    """A sentence where a folder that may be no class, by its name, is taken as one."""
    rows = zip(paths, said, at, strict=True)
    names = {path[k] for path, role, k in rows if role not in (None, "train") and len(path) == k + 1}
    for name in sorted(names):
        yield f"'{name}' was taken as a class: say --split '{name}=skip' to leave it out"


def _place(split: str | None, rest: ClassPath) -> Place | str:
    if split is None:
        return "lies outside the train, val and test folders"
    if split == SKIP:
        return "lies in a folder of images without labels"
    if not rest:
        return "lies in no class folder"
    if any(name in ("", ".", "..") for name in rest):
        return "lies in a folder whose name is blank or dots alone"
    return Place(split, rest)


def _split_of_each(
    paths: Sequence[ClassPath], given: Mapping[str, str]
) -> tuple[list[str | None], list[int]]:
    """The role of each path, None where it has none, and at which depth.

    The outermost depth at which every path has a role and two roles occur, else for each path by itself.
    """
    deepest = max(map(len, paths), default=0)
    known = [roles({path[k] for path in paths if len(path) > k}, given) for k in range(deepest)]
    whole = [path for path in paths if path]
    for k, found in enumerate(known):
        said = {found.get(path[k]) if len(path) > k else None for path in whole}
        if None not in said and len(said) > 1 and "train" in said:
            return [found[path[k]] if path else None for path in paths], [k] * len(paths)
    at = [next((k for k, name in enumerate(path) if name in known[k]), -1) for path in paths]
    return [known[k][path[k]] if k >= 0 else None for path, k in zip(paths, at, strict=True)], at


def _doubled(
    paths: Sequence[ClassPath], said: Sequence[str | None], at: Sequence[int]
) -> dict[ClassPath, int]:
    """train/train/cat: the split is said twice. By the path of a split folder, how many folders repeat it.

    Never where the inner one has a folder beside it: then it is a class.
    """
    inside: dict[ClassPath, list[ClassPath]] = defaultdict(list)
    spoken: dict[ClassPath, str] = {}
    for path, role, k in zip(paths, said, at, strict=True):
        if role:
            inside[path[: k + 1]].append(path[k + 1 :])
            spoken[path[: k + 1]] = role
    found = {}
    for outer, rests in inside.items():
        depth = 0
        while len(names := {rest[depth] if len(rest) > depth else None for rest in rests}) == 1:
            name = names.pop()
            if name is None or (name != outer[-1] and roles({name}, {}).get(name) != spoken[outer]):
                break
            depth += 1
        found[outer] = depth
    return found


def _unwrap(paths: Sequence[ClassPath], found: Found, given: Mapping[str, str]) -> list[ClassPath]:
    """Peel off outer folders that all images share. The innermost folder always stays."""
    paths = list(paths)
    while True:
        inside = [path for path in paths if path]
        first = {path[0] for path in inside}
        if len(first) != 1 or max(map(len, inside)) < 2:
            return paths
        wrapper = first.pop()
        if roles({wrapper}, given).get(wrapper, "train") not in ("train", SKIP):
            found.warnings.append(
                f"only a {wrapper} folder is there: its images are taken as training images"
            )
        paths = [path[1:] for path in paths]


def _without_holders(paths: Sequence[ClassPath]) -> list[ClassPath]:
    """cat/images/1.png: the innermost folder goes where it is called so below every class, and an image that
    lies in nothing else ('val/images/1.png') is in no class."""
    held = [path for path in paths if path and path[-1].casefold() in INNER]
    deeper = {path[:-1] for path in held if len(path) > 1}
    if not deeper or any(
        path[: len(outer)] == outer and path not in held
        for path in paths
        if path
        for outer in (path[:-1], path)
        if outer in deeper
    ):
        return list(paths)
    return [path[:-1] if path and path[-1].casefold() in INNER else path for path in paths]


def _join_splits(found: Found) -> None:
    """A class that lies elsewhere in val or test than in train (other depth, case or separators) is that
    class, where no doubt is possible.
    """
    places = [place for place in found.places if isinstance(place, Place)]
    by_leaf: dict[str, dict[str, set[ClassPath]]] = {split: defaultdict(set) for split in SPLITS}
    for split, path in set(places):
        by_leaf[split][_spelt(path[-1])].add(path)
    moved: dict[Place, Place] = {}
    for split in ("val", "test"):
        for leaf, paths in by_leaf[split].items():
            trained = by_leaf["train"].get(leaf, set())
            if len(paths) == len(trained) == 1 and paths != trained:
                (path,), (home,) = paths, trained
                moved[Place(split, path)] = Place(split, home)
                found.warnings.append(
                    f"class '{'/'.join(path)}' of {split} was taken as '{'/'.join(home)}' of train"
                )
    found.places = [moved.get(place, place) if isinstance(place, Place) else place for place in found.places]


def _report_merged_names(
    folders: Sequence[Sequence[str]], cleaned: Sequence[ClassPath], found: Found
) -> None:
    spellings: dict[ClassPath, set[tuple[str, ...]]] = defaultdict(set)
    for raw, clean in zip(folders, cleaned, strict=True):
        spellings[clean].add(tuple(raw))
    for clean, given in sorted(spellings.items()):
        if len(given) > 1:
            found.warnings.append(
                f"{len(given)} folders are written '{'/'.join(clean)}' once normalised: they were merged"
            )


def _spelt(name: str) -> str:
    """A name without upper case, what cannot be seen, and what stands between its words."""
    seen = re.sub(r"\\u200[b-f]|\\ufeff|\\xad", "", name.replace("\\xa0", " "))
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", seen.strip().casefold())


def _apart(names: set[str]) -> str:
    one = len({name.casefold() for name in names}) == 1
    return "upper and lower case" if one else "case, blanks, hyphens or signs that cannot be seen"


def near_names(paths: Iterable[ClassPath]) -> list[str]:
    """A sentence for each name that several classes have in different upper and lower case, or with other
    blanks, hyphens and underscores between its words."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        spellings["/".join(map(_spelt, path))].add("/".join(path))
    return [
        f"classes that differ in {_apart(names)} only: {', '.join(sorted(names))}; merge them if they are one"
        for _, names in sorted(spellings.items())
        if len(names) > 1
    ]
