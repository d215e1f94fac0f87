"""The layout of file names: the label is a part of each name (cat.12.jpg, 25_0_2_2017.jpg)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.split_words import SKIP, roles
from gmaug_core.intake.origins import expression

KEY = "file-names"
LEAST, MOST = 2, 200  # classes of a guess
NUMBERED = r"([^/]*?[^/\W\d_])[ ._-]*\(?\d+\)?\.\w+$"  # a word and a number
SEPARATORS = "_-+ ."
PARTS = 5  # of a name that are tried
UNLABELLED = "lies in a folder of images without labels"
EXPECTED = "a regular expression whose group 'label', or first parentheses, match the class: '([a-z]+)_\\d+'"


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern:
        return [_reading(tree, options.pattern, options, sure=True)]
    if options.labels or options.level:
        return []
    found: list[Reading] = []
    for text in _guesses(tree.images):
        reading = _reading(tree, text, options, sure=False)
        if _usable(reading, len(tree.images)) and not any(reading.places == r.places for r in found):
            found.append(reading)
    return sorted(found, key=_numbers)


def _usable(reading: Reading, images: int) -> bool:
    """Whether a guess may be one: nearly all images have a class, but for those that nobody trains on, and
    classes have images."""
    placed = reading.placed
    classes = len({place.path for place in placed.values()})
    without = sum(isinstance(place, str) and place != UNLABELLED for place in reading.places.values())
    return LEAST <= classes <= min(MOST, images // 2) and without <= 0.1 * images


def _numbers(reading: Reading) -> bool:
    """Whether the classes are numbers: a word is more likely to be one."""
    return all(place.path[-1].isdecimal() for place in reading.placed.values())


def _guesses(images: Sequence[str]) -> list[str]:
    """Expressions to try: a word before a number, and each part between separators that all names have
    equally often."""
    stems = [file.rpartition("/")[2].rpartition(".")[0] for file in images]
    found = [NUMBERED]
    for mark in SEPARATORS:
        counts = {stem.count(mark) for stem in stems}
        if len(counts) == 1 and (n := counts.pop()):
            own, between = f"[^/{re.escape(mark)}]*", re.escape(mark)
            found += [
                f"(?:^|/)(?:{own}{between}){{{k}}}({own})" + (f"{between}[^/]*$" if k < n else r"\.\w+$")
                for k in range(min(n + 1, PARTS))
            ]
    return found


def _sides(images: Sequence[str], options: Options) -> dict[str, str]:
    """The split that each image's folders say, where they say train and another one; train elsewhere."""
    folders = [file.split("/")[:-1] for file in images]
    deepest = max(map(len, folders), default=0)
    for depth in range(deepest):
        known = roles({path[depth] for path in folders if len(path) > depth}, options.splits)
        if options.splits or {"train"} < set(known.values()):
            return {
                file: known.get(path[depth], "train") if len(path) > depth else "train"
                for file, path in zip(images, folders, strict=True)
            }
    return {}


def _reading(tree: Tree, text: str, options: Options, *, sure: bool) -> Reading:
    pattern = expression(text, EXPECTED)
    places: dict[str, Place | str] = {}
    groups = {}
    sides = _sides(tree.images, options)
    for file in tree.images:
        match = pattern.search(file)
        named = match.groupdict() if match else {}
        label = clean_name((named.get("label") or (match[1] if match else "") or "").replace("/", "-"))
        side = sides.get(file, "train")
        if split := named.get("split"):
            side = roles({split}, options.splits).get(split, "train")
        if side == SKIP or (label in ("", ".", "..") and side != "train"):
            places[file] = UNLABELLED
        else:
            places[file] = (
                Place(side, (label,)) if label not in ("", ".", "..") else "the pattern finds no label in it"
            )
        if named.get("source"):
            groups[file] = named["source"] or ""
    if sure and not any(isinstance(place, Place) for place in places.values()):
        shown = f", such as '{clean_name(tree.images[0])[-80:]}'" if tree.images else ""
        raise InputError(
            f"'{text}' matches no path{shown}", expected=EXPECTED, todo="try it on one of the paths"
        )
    chosen = replace(options, pattern=text)
    return Reading(KEY, "the file names", places, chosen, sure=sure, groups=groups)


LAYOUT = Layout(KEY, "the label is a part of the file name", _read)
