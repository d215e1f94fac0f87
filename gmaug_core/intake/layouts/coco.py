"""The layout of COCO and iNaturalist: a JSON with images, annotations and categories."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import listed
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import SKIP, roles

# levels above a species that become folders, where the file has them
RANKS = ("supercategory", "family", "genus")
SHOWN = 20  # problems listed before the total
EXPECTED = "a list of images as iNaturalist or COCO publishes it"
KEYS = (b'"annotations"', b'"images"', b'"categories"')


@dataclass
class _Labels:
    """What the lists say so far."""

    places: dict[str, Place | str] = field(default_factory=dict)
    missing: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.level or options.labels == FOLDERS:
        return []
    only = _wanted(tree, options)
    if options.labels and only is None:
        return []
    names, labels, used = Names(tree.images), _Labels(), []
    for file in [only] if only else tree.lists(".json"):
        data = tree.data(file)
        if only or all(key in data for key in KEYS[:2]):
            document = parse(data, file)
            if only or (isinstance(document, dict) and isinstance(document.get("annotations"), list)):
                _collect(document, file, names, labels, options)
                used.append(file)
    if not used:
        return []
    if not any(isinstance(place, Place) for place in labels.places.values()):
        raise InputError(
            "none of the images listed is there",
            expected="the images beside the JSON, at the file_name it gives",
        )
    where = clean_name(used[0].rpartition("/")[2]) + (f" and {len(used) - 1} more" if len(used) > 1 else "")
    unlisted = [file for file in tree.images if file not in labels.places]
    if unlisted:
        labels.warnings.append(
            f"{len(unlisted):,} images are not in {where} and were left out: {listed(unlisted)}"
        )
    places = labels.places | dict.fromkeys(unlisted, f"is not in {where}")
    chosen = replace(options, labels=used[0] if len(used) == 1 else None)
    return [
        Reading(
            "coco",
            where,
            places,
            chosen,
            strong=True,
            missing=tuple(labels.missing),
            warnings=tuple(labels.warnings),
            lists=frozenset(used),
        )
    ]


def _wanted(tree: Tree, options: Options) -> str | None:
    """The JSON that a person named, where it is of this form."""
    if not options.labels or not options.labels.lower().endswith(".json"):
        return None
    found = [f for f in tree.others if options.labels in (f, f.rpartition("/")[2])]
    if not found:
        raise InputError(
            f"there is no list '{clean_name(options.labels)}'",
            expected=f"one of {listed(tree.lists('.json'))}",
        )
    return None if b'"classes"' in tree.data(found[0]) or _pairs(tree.data(found[0])) else found[0]


def _pairs(data: bytes) -> bool:
    """Whether this is the other form: pairs of a file and a number."""
    return b'"labels"' in data and b'"annotations"' not in data


def parse(data: bytes, file: str) -> Any:
    """A JSON document. Raises InputError for what is none, NaN included."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]
        raise InputError(f"'{clean_name(file)}' is not valid JSON: {reason}", expected=EXPECTED) from error


def _collect(document: Any, file: str, names: Names, labels: _Labels, options: Options) -> None:
    problems: list[str] = []
    rows = _rows(document, file, problems)
    categories = _by_id(rows["categories"], "category", problems, "name")
    images = _by_id(rows["images"], "image", problems, "file_name")
    label_of, several = _labels(rows["annotations"], images, categories, problems)
    bare = []
    for key, row in images.items():
        name = row["file_name"].replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name):
            problems.append(
                f"image {key!r}: file_name '{clean_name(name[:80])}' is no path inside the folder"
            )
        elif key not in label_of:
            bare.append(f"image {key!r} ('{clean_name(name[-80:])}') has no label")
    if len(bare) > len(images) / 2:
        problems += bare
    if len(several) > len(images) / 2:
        problems += [
            f"image {key!r} has two labels: this is a list of objects" for key in sorted(several, key=str)
        ]
    if problems:
        raise InputError(
            f"'{file}' has {len(problems):,} problems: " + "; ".join(problems[:SHOWN]),
            expected="every image listed once, with one label, by a path inside the folder",
            todo="correct the file; nothing was imported",
        )
    if bare:
        labels.warnings.append(f"{len(bare):,} images of {file} have no label and were left out")
    if several:
        labels.warnings.append(f"{len(several):,} images of {file} have two labels and were left out")
    paths = _class_paths(categories, labels.warnings, file)
    split = _split(file, options)
    folder = file.rpartition("/")[0]
    for key, row in images.items():
        found = names.find(row["file_name"], folder)
        found = [f for f in found if _split(f, options) == split] if len(found) > 1 else found
        if len(found) != 1:
            reason = f"listed in {file}, but not there" if not found else f"{len(found)} files are called so"
            labels.missing.append(Refused(file=clean_name(row["file_name"])[:1000], reason=reason))
            continue
        place: Place | str = f"has no label in {file}"
        if key in several:
            place = f"has two labels in {file}"
        elif key in label_of and split != SKIP:
            place = Place(split, paths[label_of[key]])
        if labels.places.setdefault(found[0], place) != place:
            raise InputError(
                f"'{clean_name(found[0])}' is listed twice with different labels or splits",
                expected="every image listed once",
            )


def _rows(document: Any, file: str, problems: list[str]) -> dict[str, list[dict[str, Any]]]:
    rows = {}
    for key in ("images", "annotations", "categories"):
        table = document.get(key) if isinstance(document, dict) else None
        if not isinstance(table, list):
            raise InputError(
                f"'{file}' has no list '{key}'", expected="the keys images, annotations and categories"
            )
        rows[key] = [row for row in table if isinstance(row, dict)]
        if len(rows[key]) < len(table):
            problems.append(f"{len(table) - len(rows[key])} rows of {key} are not objects")
    return rows


def _labels(
    rows: list[dict[str, Any]], images: Mapping[Any, Any], categories: Mapping[Any, Any], problems: list[str]
) -> tuple[dict[Any, Any], set[Any]]:
    """The category of each image, and the images with two."""
    label_of: dict[Any, Any] = {}
    several = set()
    for row in rows:
        image, category = _scalar(row.get("image_id")), _scalar(row.get("category_id"))
        if image not in images or category not in categories:
            problems.append(
                f"an annotation points to image {image!r}, category {category!r}: not both are listed"
            )
        elif label_of.setdefault(image, category) != category:
            several.add(image)
    return label_of, several


def _split(file: str, options: Options) -> str:
    """The split that a list's name says, else its folders; train where they say none."""
    head, _, name = file.rpartition("/")
    for word in (name.rpartition(".")[0], *reversed(head.split("/"))):
        word = re.sub(r"^(instances|image_info|annotations?)[_-]", "", word)
        if said := roles({word}, options.splits).get(word):
            return said
    return "train"


def _by_id(
    rows: list[dict[str, Any]], kind: str, problems: list[str], text: str
) -> dict[Any, dict[str, Any]]:
    table: dict[Any, dict[str, Any]] = {}
    for row in rows:
        key = _scalar(row.get("id"))
        if key is None or not isinstance(row.get(text), str) or not row[text].strip():
            problems.append(f"a row of kind {kind} lacks id or {text}")
        elif kind == "category" and row[text].strip() in (".", ".."):
            problems.append(f"category {key!r} is called '{row[text].strip()}'")
        elif key in table:
            problems.append(f"{kind} id {key!r} occurs twice")
        else:
            table[key] = row
    return table


def _scalar(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _class_paths(
    categories: Mapping[Any, Mapping[str, Any]], warnings: list[str], file: str
) -> dict[Any, tuple[str, ...]]:
    """The class of each category. Two ids of one name are two classes, and a warning."""
    paths = {key: _path(row) for key, row in categories.items()}
    times = Counter(paths.values())
    doubled = sorted({path[-1] for path, n in times.items() if n > 1})
    if doubled:
        warnings.append(f"several categories of {file} have one name and stay apart by id: {listed(doubled)}")
    return {
        key: path if times[path] == 1 else (*path[:-1], f"{path[-1]} (id {key})")
        for key, path in paths.items()
    }


def _path(category: Mapping[str, Any]) -> tuple[str, ...]:
    above = [
        category[rank] for rank in RANKS if isinstance(category.get(rank), str) and category[rank].strip()
    ]
    return tuple(clean_name(part.replace("/", "-")) for part in [*above, category["name"]])


LAYOUT = Layout("coco", "a JSON with images, annotations and categories", _read)
