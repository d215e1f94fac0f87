"""The layout of file names: the label is a part of each name (cat.12.jpg, 25_0_2_2017.jpg)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.split_words import roles
from gmaug_core.intake.origins import expression

KEY = "file-names"
LEAST, MOST = 2, 200  # classes of a guess
NUMBERED = r"([^/]*?[^/\W\d_])[ ._-]*\(?\d+\)?\.\w+$"  # a word and a number
EXPECTED = "a regular expression whose group 'label', or first parentheses, match the class: '([a-z]+)_\\d+'"


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern:
        return [_reading(tree, options.pattern, options, sure=True)]
    if options.labels or options.level:
        return []
    guesses = [_reading(tree, text, options, sure=False) for text in _guesses(tree.images)]
    return [r for r in guesses if _usable(r, len(tree.images))]


def _usable(reading: Reading, images: int) -> bool:
    """Whether a guess may be one: nearly all images have a class, and classes have images."""
    classes = len({place.path for place in reading.placed.values()})
    return LEAST <= classes <= min(MOST, images // 2) and len(reading.placed) >= 0.9 * images


def _guesses(images: Sequence[str]) -> list[str]:
    """Expressions to try: a word before a number, and each part between underscores."""
    stems = [file.rpartition("/")[2].rpartition(".")[0] for file in images]
    parts = {stem.count("_") for stem in stems}
    if len(parts) == 1 and (n := parts.pop()):
        return [NUMBERED, *(f"(?:^|/)(?:[^/_]*_){{{k}}}([^/_]*)_[^/]*$" for k in range(min(n, 4)))]
    return [NUMBERED]


def _reading(tree: Tree, text: str, options: Options, *, sure: bool) -> Reading:
    pattern = expression(text, EXPECTED)
    places: dict[str, Place | str] = {}
    groups = {}
    for file in tree.images:
        match = pattern.search(file)
        named = match.groupdict() if match else {}
        label = clean_name((named.get("label") or (match[1] if match else "") or "").replace("/", "-"))
        split = named.get("split") or "train"
        side = roles({split}, options.splits).get(split, "train")
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
