"""How people write down which image is of which class: a table of layouts, and the choice among readings.

Nothing is ever read in one of two ways that are near: then it is refused, and both are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gmaug_core.data.folders import KNOWN, SPLITS, class_names
from gmaug_core.data.store import listed
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts import class_folders, coco, file_names, label_maps, lists
from gmaug_core.intake.layouts.contract import Layout, Options, Reading, Tree

LAYOUTS: tuple[Layout, ...] = (
    class_folders.LAYOUT,
    coco.LAYOUT,
    label_maps.LAYOUT,
    lists.LAYOUT,
    file_names.LAYOUT,
)
OFFERED = 4  # readings that a refusal or a preview names


@dataclass(frozen=True)
class Chosen:
    """The reading that is taken, and those that were near."""

    reading: Reading
    others: tuple[Reading, ...]


def choose(tree: Tree, options: Options, name: str, *, least: int = 2) -> Chosen | None:
    """The one reading of a tree that has `least` classes; None where none has.

    Raises InputError where two readings are near (it names them and what chooses each), or none is sure.
    """
    found = [reading for layout in LAYOUTS for reading in layout.read(tree, options)]
    found = [reading for reading in found if _classes(reading) >= least]
    sure = [reading for reading in found if reading.sure]
    if any(reading.strong for reading in sure):
        sure = [reading for reading in sure if reading.strong]
    apart: list[Reading] = []
    for reading in sorted(sure, key=_says, reverse=True):  # of those that agree, the one that says most
        if not any(_same(reading, other) for other in apart):
            apart.append(reading)
    if len(apart) == 1:
        chosen = apart[0]
        return Chosen(chosen, tuple(r for r in found if r is not chosen and not _same(r, chosen))[:OFFERED])
    if apart or found:
        raise doubt(name, apart or found)
    return None


class Doubt(InputError):
    """Labels that can be read in several ways, or in one that nobody would take unasked.

    readings: each in words, with what chooses it.
    """

    readings: tuple[tuple[str, Options], ...] = ()


def doubt(name: str, readings: Sequence[Reading]) -> Doubt:
    """The refusal that names every reading, and what a person says to choose it."""
    shown = readings[:OFFERED]
    ways = "; or ".join(f"{said(reading)}: {reading.options.said()}" for reading in shown)
    what = f"'{name}' can be read in {len(readings)} ways" if len(readings) > 1 else f"'{name}' may be"
    refusal = Doubt(
        f"{what}: {'; or '.join(said(reading) for reading in shown)}",
        expected="a layout that says the classes in one way",
        todo=f"say which one you mean ({ways}), or look with --preview first",
    )
    refusal.readings = tuple((said(reading), reading.options) for reading in shown)
    return refusal


def said(reading: Reading) -> str:
    """The reading as a sentence: '3 classes from labels.csv (nv, mel, bkl), 2 splits'."""
    places = reading.placed
    names = list(class_names(place.path for place in places.values()).values())
    splits = Counter(place.split for place in places.values())
    words = f"{len(names):,} classes from {reading.where} ({listed(names)})"
    if len(splits) > 1:
        counts = ", ".join(f"{split} {splits[split]:,}" for split in SPLITS if splits[split])
        words += f", {len(splits)} splits ({counts})"
    if reading.groups:
        words += f", {len(set(reading.groups.values())):,} sources that are never split apart"
    return words


def _classes(reading: Reading) -> int:
    return len({place.path for place in reading.placed.values()})


def _says(reading: Reading) -> tuple[int, int]:
    """How much a reading says: its splits, and the images that it places."""
    placed = reading.placed
    return len({place.split for place in placed.values()}), len(placed)


def _same(one: Reading, other: Reading) -> bool:
    """Whether two readings put the same images together, as far as both place them, and one of them knows no
    splits or both know the same."""
    both = one.placed.keys() & other.placed.keys()
    if not both or one.partition(both) != other.partition(both):
        return False
    mine, yours = one.placed, other.placed
    return 1 in (_says(one)[0], _says(other)[0]) or all(mine[f].split == yours[f].split for f in both)


__all__ = ["KNOWN", "LAYOUTS", "Chosen", "Layout", "Options", "Reading", "Tree", "choose", "doubt", "said"]
