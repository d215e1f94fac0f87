"""Which files are decoded, and which class, split and source each image has, as the chosen reading says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gmaug_core.data.folders import Place
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import Accepted, Placed, listed
from gmaug_core.intake.layouts import Chosen, choose, said
from gmaug_core.intake.layouts.contract import FOLDERS, Options, Tree
from gmaug_core.intake.listing import Listing


@dataclass
class SortedOut:
    """Images with their places, and those that have none."""

    placed: list[Placed]
    refused: list[Refused]
    warnings: list[str]
    layout: str
    others: tuple[str, ...]


def wanted_files(listing: Listing, chosen: Chosen | None) -> tuple[list[tuple[str, Any]], list[Refused]]:
    """The files to decode, and those that the layout leaves out."""
    if chosen is None:
        return listing.files, []
    reading = chosen.reading
    wanted, out = [], list(reading.missing)
    for file, handle in listing.files:
        place = reading.places.get(file)
        if isinstance(place, str):
            out.append(Refused(file=file, reason=place))
        elif file not in reading.lists:
            wanted.append((file, handle))
    return wanted, out


def sort_out(
    images: Sequence[Accepted],
    tree: Tree,
    chosen: Chosen | None,
    options: Options,
    path: Path,
    least: int,
    notes: Sequence[str],
) -> SortedOut:
    """Give each image its class, split and source, as the layout says. Folders are read again where files
    turned out to be no images, or images turned up under another ending."""
    accepted = [image.file for image in images]
    if chosen is None or (chosen.reading.key == FOLDERS and set(accepted) != set(chosen.reading.placed)):
        left_out = (
            set() if chosen is None else {f for f, p in chosen.reading.places.items() if isinstance(p, str)}
        )
        again = choose(tree.only([*accepted, *left_out]), options, path.name, least=least)
        chosen = again or chosen
    if chosen is None:
        reasons = [Refused(file=image.file, reason="lies in no class folder") for image in images]
        return SortedOut([], reasons, [], "", ())
    reading = chosen.reading
    warnings = [*notes, *reading.warnings]
    if reading.key == FOLDERS:
        warnings += _empty_folders(tree.folders, images)
    found = SortedOut([], [], warnings, said(reading), tuple(said(other) for other in chosen.others))
    for image in images:
        place = reading.places.get(image.file, "is in no list of labels")
        if isinstance(place, Place):
            group = reading.groups.get(image.file, "")
            found.placed.append((replace(image, group=group) if group else image, place))
        else:
            found.refused.append(Refused(file=image.file, reason=place))
    return found


def _empty_folders(folders: set[str], images: Sequence[Accepted]) -> list[str]:
    used = set()
    for image in images:
        folder = image.file
        while "/" in folder and (folder := folder.rpartition("/")[0]) not in used:
            used.add(folder)
    unused = folders - used
    topmost = sorted(folder for folder in unused if folder.rpartition("/")[0] not in unused)
    return [f"folders without a usable image: {listed(topmost)}"] if topmost else []
