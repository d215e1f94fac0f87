"""Image lists in the iNaturalist / COCO style: train2019.json beside a folder of images."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.errors import InputError
from gmaug_core.intake.sources import Source, Unreadable

# levels above a species that become folders, where the file has them
RANKS = ("supercategory", "family", "genus")
SHOWN = 20  # problems listed before the total
_FILE = re.compile(r"(train|val)[\w-]*\.json", re.IGNORECASE)


@dataclass
class Labels:
    """places: file -> Place; missing: listed files that are not there."""

    places: dict[str, Place] = field(default_factory=dict)
    missing: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_labels(source: Source, only: str | None = None) -> Labels | None:
    """Labels from the train*.json and val*.json in the outermost folder that has one, or None when there is
    none.

    only: read this file alone. Raises InputError that lists the first SHOWN problems with the total; nothing
    is fetched.
    """
    names = dict(source.listing.files)
    lists = [file for file in names if _FILE.fullmatch(file.rpartition("/")[2])] if only is None else [only]
    depth = min((file.count("/") for file in lists), default=0)
    labels = Labels()
    read = False
    for file in (file for file in lists if file.count("/") == depth):
        try:
            document = _parse(source.read(names[file]), file)
        except Unreadable as error:
            raise InputError(
                f"'{file}' {error}", expected="a list of images as iNaturalist publishes it"
            ) from error
        if only or (isinstance(document, dict) and "annotations" in document):
            split = "val" if file.rpartition("/")[2].lower().startswith("val") else "train"
            _collect(document, file, split, names, labels)
            read = True
    if read and not labels.places:
        raise InputError(
            "none of the images listed is there",
            expected="the images beside the JSON, at the file_name it gives",
        )
    return labels if read else None


def _parse(data: bytes, file: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]
        raise InputError(
            f"'{file}' is not valid JSON: {reason}", expected="a list of images as iNaturalist publishes it"
        ) from error


def _collect(document: Any, file: str, split: str, names: dict[str, Any], labels: Labels) -> None:
    problems: list[str] = []
    rows: dict[str, list[dict[str, Any]]] = {}
    for key in ("images", "annotations", "categories"):
        table = document.get(key) if isinstance(document, dict) else None
        if not isinstance(table, list):
            raise InputError(
                f"'{file}' has no list '{key}'", expected="the keys images, annotations and categories"
            )
        rows[key] = [row for row in table if isinstance(row, dict)]
        if len(rows[key]) < len(table):
            problems.append(f"{len(table) - len(rows[key])} rows of {key} are not objects")
    categories = _by_id(rows["categories"], "category", problems, "name")
    images = _by_id(rows["images"], "image", problems, "file_name")
    folder = file.rpartition("/")[0]
    label_of: dict[Any, Any] = {}
    for row in rows["annotations"]:
        image, category = _scalar(row.get("image_id")), _scalar(row.get("category_id"))
        if image not in images or category not in categories:
            problems.append(
                f"an annotation points to image {image!r}, category {category!r}: not both are listed"
            )
        elif label_of.setdefault(image, category) != category:
            problems.append(f"image {image!r} has two labels")
    for key, row in images.items():
        name = row["file_name"]
        if (
            "\\" in name
            or name.startswith("/")
            or ".." in name.split("/")
            or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name)
        ):
            problems.append(f"image {key!r}: file_name '{name[:80]}' is no path inside the folder")
        elif key not in label_of:
            problems.append(f"image {key!r} ('{name[-80:]}') has no label")
    if problems:
        raise InputError(
            f"'{file}' has {len(problems):,} problems: " + "; ".join(problems[:SHOWN]),
            expected="every image listed once, with one label, by a path inside the folder",
            todo="correct the file; nothing was imported",
        )
    for key, row in images.items():
        name = f"{folder}/{row['file_name']}" if folder else row["file_name"]
        if name not in names:
            labels.missing.append(Refused(file=name, reason=f"listed in {file}, but not there"))
        elif name in labels.places and labels.places[name] != Place(split, _path(categories[label_of[key]])):
            raise InputError(
                f"'{name}' is listed twice with different labels or splits",
                expected="every image listed once",
            )
        else:
            labels.places[name] = Place(split, _path(categories[label_of[key]]))


def _by_id(
    rows: list[dict[str, Any]], kind: str, problems: list[str], text: str
) -> dict[Any, dict[str, Any]]:
    table: dict[Any, dict[str, Any]] = {}
    for row in rows:
        key = _scalar(row.get("id"))
        if key is None or not isinstance(row.get(text), str) or not row[text]:
            problems.append(f"a row of kind {kind} lacks id or {text}")
        elif key in table:
            problems.append(f"{kind} id {key!r} occurs twice")
        else:
            table[key] = row
    return table


def _scalar(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _path(category: dict[str, Any]) -> tuple[str, ...]:
    above = [category[rank] for rank in RANKS if isinstance(category.get(rank), str) and category[rank]]
    return tuple(clean_name(part.replace("/", "-")) for part in [*above, category["name"]])
