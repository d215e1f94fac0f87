"""The published split of class folders, where lists of their images say it: train.txt and test.txt."""

from __future__ import annotations

from dataclasses import replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.store import listed
from gmaug_core.data.tables import rows_of, text_of
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import Reading, Tree
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import SKIP, role

LISTED = 0.9  # of a list's lines that are images: then it is a list of images


def with_listed_split(reading: Reading, tree: Tree) -> Reading:
    """The same with the split that lists of files say; as it is where it has one, or none is said.

    Lists that contradict each other are named and not used.
    """
    if len({place.split for place in reading.placed.values()}) != 1:
        return reading
    said = _listed(tree)
    lists = sorted({file for files in said.values() for file, _ in files})
    sides = {image: {side for _, side in files} for image, files in said.items()}
    if len({side for own in sides.values() for side in own}) < 2:
        return reading
    shown = listed([clean_name(file) for file in lists])
    if any(len(own) > 1 for own in sides.values()) or "train" not in set().union(*sides.values()):
        told = f"{shown} say a split, but not one: they were not used"
        return replace(reading, warnings=(*reading.warnings, told))
    places: dict[str, Place | str] = {}
    for image, place in reading.places.items():
        side = next(iter(sides.get(image, ())), None)
        if isinstance(place, Place):
            places[image] = f"is in none of {shown}" if side is None else Place(side, place.path)
        else:
            places[image] = place
    left = sum(isinstance(place, Place) and image not in sides for image, place in reading.places.items())
    told = f"the split is that of {shown}"
    if left:
        told += f"; {left:,} images are in none of them and were left out"
    return replace(reading, places=places, warnings=(*reading.warnings, told))


def _listed(tree: Tree) -> dict[str, list[tuple[str, str]]]:
    """For each image the lists that name it, with the split that each is of."""
    names = Names(tree.images)
    found: dict[str, list[tuple[str, str]]] = {}
    for file in tree.lists(".txt", ".csv"):
        said = role(file.rpartition("/")[2].rpartition(".")[0])
        if said is None or said[0] == SKIP:
            continue
        try:
            rows = rows_of(text_of(tree.data(file)))
        except InputError:
            continue
        if not rows or any(len(row) != 1 for row in rows):
            continue
        images = [names.find(row[0], file.rpartition("/")[0]) for row in rows]
        clear = [own[0] for own in images if len(own) == 1]
        if len(clear) >= LISTED * len(rows):
            for image in clear:
                found.setdefault(image, []).append((file, said[0]))
    return found
