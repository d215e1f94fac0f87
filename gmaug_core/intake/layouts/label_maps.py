"""The layout of label maps: FiftyOne's labels.json (name -> class) and StyleGAN's dataset.json (pairs)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import listed
from gmaug_core.intake.layouts.coco import parse
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import SKIP, roles


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.level or options.labels == FOLDERS:
        return []
    readings = []
    for file in tree.lists(".json"):
        if options.labels and options.labels not in (file, file.rpartition("/")[2]):
            continue
        data = tree.data(file)
        if b'"labels"' in data and b'"annotations"' not in data:
            pairs = _pairs(parse(data, file))
            if pairs:
                readings.append(_reading(tree, file, pairs, options))
    return readings


def _pairs(document: Any) -> list[tuple[str, str]]:
    """(image, class) of either form; empty where it is neither."""
    labels = document.get("labels") if isinstance(document, dict) else None
    if isinstance(labels, dict):
        items = list(labels.items())
    elif isinstance(labels, list):
        items = [(row[0], row[1]) for row in labels if isinstance(row, list) and len(row) == 2]
    else:
        return []
    classes = document.get("classes")
    found = []
    for name, label in items:
        if isinstance(label, dict):
            label = label.get("label")
        if isinstance(label, int) and isinstance(classes, list) and 0 <= label < len(classes):
            label = classes[label]
        if isinstance(name, str) and isinstance(label, int | str):
            found.append((name, str(label)))
    return found


def _reading(tree: Tree, file: str, pairs: list[tuple[str, str]], options: Options) -> Reading:
    names, folder = Names(tree.images), file.rpartition("/")[0]
    where = clean_name(file.rpartition("/")[2])
    places: dict[str, Place | str] = {}
    missing = []
    for name, label in pairs:
        found = names.find(name, folder)
        if len(found) != 1:
            missing.append(Refused(file=clean_name(name)[:1000], reason=f"listed in {where}, but not there"))
            continue
        title = clean_name(label.replace("/", "-"))
        said = [roles({part}, options.splits).get(part) for part in found[0].split("/")[:-1]]
        side = next((role for role in said if role and role != SKIP), "train")
        place: Place | str = (
            Place(side, (title,)) if title not in ("", ".", "..") else f"has no label in {where}"
        )
        if places.setdefault(found[0], place) != place:
            places[found[0]] = f"has two labels in {where}"
    unlisted = [image for image in tree.images if image not in places]
    warnings = []
    if unlisted:
        warnings.append(f"{len(unlisted):,} images are not in {where} and were left out: {listed(unlisted)}")
    places |= dict.fromkeys(unlisted, f"is not in {where}")
    return Reading(
        "label-maps",
        where,
        places,
        replace(options, labels=file),
        strong=True,
        missing=tuple(missing),
        warnings=tuple(warnings),
        lists=frozenset({file}),
    )


LAYOUT = Layout("label-maps", "a JSON that maps file names to classes", _read)
