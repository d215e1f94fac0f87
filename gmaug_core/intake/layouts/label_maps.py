"""The layout of label maps: FiftyOne's labels.json (name -> class) and StyleGAN's dataset.json (pairs)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import listed
from gmaug_core.data.tables import column_key
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.class_titles import is_titles, titles
from gmaug_core.intake.layouts.coco import parse
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import SKIP, role, roles

Lists = list[tuple[str, list[tuple[str, str]]]]  # a file, and the image and class of each of its rows
FILES = (
    "image",
    "file",
    "file_name",
    "filename",
    "image_path",
    "path",
    "image_name",
    "image_id",
    "img",
    "name",
    "id",
)
WORDS = ("label", "class", "class_name", "category", "label_name", "category_name", "target", "species")


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.level or options.labels == FOLDERS:
        return []
    found = []
    for file in tree.lists(".json"):
        if options.labels and options.labels not in (file, file.rpartition("/")[2]):
            continue
        data = tree.data(file)
        if b'"annotations"' in data or (is_titles(file) and not options.labels):
            continue
        try:
            document = parse(data, file)
        except InputError:
            if options.labels or b'"labels"' in data:
                raise
            continue
        named = isinstance(document, dict) and "labels" in document
        pairs = _pairs(document) if named else _bare(document, Names(tree.images), file.rpartition("/")[0])
        if pairs:
            found.append((file, pairs))
    spoken = [each for each in found if _side(each[0])]
    together = spoken if len({_side(file) for file, _ in spoken}) > 1 else []
    apart = [[each] for each in found if each not in together]
    return [_reading(tree, lists, options) for lists in ([together] if together else []) + apart]


def _side(file: str) -> str | None:
    """The split that a list's name says, None where it says none."""
    said = role(file.rpartition("/")[2].rpartition(".")[0])
    return said[0] if said and said[0] != SKIP else None


def _bare(document: Any, names: Names, folder: str) -> list[tuple[str, str]]:
    """(image, class) of {image: class}, {class: [images]} or [{image, class}]; empty where most of the images
    are not there."""
    found: list[tuple[str, str]] = []
    if isinstance(document, list):
        rows = [
            {column_key(key): value for key, value in row.items()}
            for row in document
            if isinstance(row, dict)
        ]
        for row in rows:
            name = next((row[key] for key in FILES if isinstance(row.get(key), str)), None)
            label = next((row[key] for key in WORDS if isinstance(row.get(key), str | int)), None)
            if name is not None and label is not None:
                found.append((name, str(label)))
    elif isinstance(document, dict):
        for key, value in document.items():
            if isinstance(value, list):
                found += [(name, key) for name in value if isinstance(name, str)]
            elif isinstance(value, str | int):
                found.append((key, str(value)))
    probe = found[:200]
    there = sum(bool(names.find(name, folder)) for name, _ in probe)
    return found if found and there > len(probe) / 2 else []


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


def _reading(tree: Tree, lists: Lists, options: Options) -> Reading:
    """lists: of several, each says the split of its images by its name."""
    names = Names(tree.images)
    where = clean_name(lists[0][0].rpartition("/")[2])
    where += f" and {len(lists) - 1} more" if len(lists) > 1 else ""
    places: dict[str, Place | str] = {}
    missing = []
    rows = [(file, *pair) for file, pairs in lists for pair in pairs]
    called, said_by = titles(tree, {label for _, _, label in rows})
    for file, name, label in rows:
        found = names.find(name, file.rpartition("/")[0])
        if len(found) != 1:
            missing.append(Refused(file=clean_name(name)[:1000], reason=f"listed in {where}, but not there"))
            continue
        title = clean_name(called.get(label, label).replace("/", "-"))
        said = [roles({part}, options.splits).get(part) for part in found[0].split("/")[:-1]]
        side = next((word for word in said if word and word != SKIP), "train")
        side = (_side(file) if len(lists) > 1 else None) or side
        place: Place | str = (
            Place(side, (title,)) if title not in ("", ".", "..") else f"has no label in {where}"
        )
        if places.setdefault(found[0], place) != place:
            places[found[0]] = f"has two labels or splits in {where}"
    unlisted = [image for image in tree.images if image not in places]
    warnings = []
    if unlisted:
        warnings.append(f"{len(unlisted):,} images are not in {where} and were left out: {listed(unlisted)}")
    places |= dict.fromkeys(unlisted, f"is not in {where}")
    return Reading(
        "label-maps",
        where,
        places,
        replace(options, labels=lists[0][0] if len(lists) == 1 else None),
        strong=True,
        missing=tuple(missing),
        warnings=tuple(warnings),
        lists=frozenset({*(file for file, _ in lists), *([said_by] if said_by else [])}),
    )


LAYOUT = Layout("label-maps", "a JSON that maps file names to classes", _read)
