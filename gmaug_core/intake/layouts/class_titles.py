"""What numbers of classes are called: classes.txt, label_map.json or class_names.csv beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gmaug_core.data.tables import rows_of, text_of
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.coco import parse
from gmaug_core.intake.layouts.contract import Tree

# words that the name of such a file is made of, and at least one of SAYS
WORDS = frozenset(
    [
        "class",
        "classes",
        "label",
        "labels",
        "category",
        "categories",
        "name",
        "names",
        "map",
        "mapping",
        "num",
        "number",
        "to",
        "id",
        "ids",
        "index",
        "idx",
        "dict",
        "list",
        "title",
        "titles",
        "disease",
        "wnids",
        "synset",
        "synsets",
        "species",
    ]
)
SAYS = frozenset(["class", "classes", "label", "labels", "category", "categories", "names"])
MOST = 2**20  # bytes of such a file


def is_titles(file: str) -> bool:
    """Whether a file says by its name that it lists classes: class_names.csv, label_map.json."""
    words = re.findall(r"[a-z]+", file.rpartition("/")[2].rpartition(".")[0].casefold())
    return (len(words) > 1 and set(words) <= WORDS and bool(SAYS & set(words))) or words == ["classes"]


def titles(tree: Tree, numbers: Iterable[str]) -> tuple[dict[str, str], str]:
    """The name of each number and the file that says it; ({}, "") where no file names exactly these.

    Lines without numbers count from 0 where a label is 0, else from 1 where the last label is the last line.
    """
    wanted = set(numbers)
    if not wanted or not all(number.isdecimal() for number in wanted):
        return {}, ""
    for file in tree.lists(".txt", ".csv", ".tsv", ".json"):
        if (is_titles(file) or file.rpartition("/")[2].casefold() == "labels.txt") and (
            found := _said(tree, file, wanted)
        ):
            return found, file
    return {}, ""


def _said(tree: Tree, file: str, wanted: set[str]) -> dict[str, str]:
    data = tree.data(file)
    if len(data) > MOST:
        return {}
    try:
        pairs = _json_pairs(data, file) if file.lower().endswith(".json") else _rows(data, wanted)
    except InputError:
        return {}
    told = {str(int(number)): title for number, title in pairs if number.isdecimal() and title}
    found = {number: told[str(int(number))] for number in wanted if str(int(number)) in told}
    return found if len(found) == len(wanted) == len(set(found.values())) else {}


def _json_pairs(data: bytes, file: str) -> list[tuple[str, str]]:
    document = parse(data, file)
    if isinstance(document, list) and all(isinstance(item, str) for item in document):
        return [(str(k), title) for k, title in enumerate(document)]
    if not isinstance(document, Mapping):
        return []
    items = [(str(key), str(value)) for key, value in document.items() if isinstance(value, str | int)]
    return [(b, a) if b.isdecimal() and not a.isdecimal() else (a, b) for a, b in items]


def _rows(data: bytes, wanted: set[str]) -> list[tuple[str, str]]:
    rows = rows_of(text_of(data))
    if all(len(row) == 1 for row in rows):
        split = [re.fullmatch(r"(\d+)[\s:.,)-]+(\S.*)", row[0]) for row in rows]
        if rows and all(split):
            return [(match[1], match[2]) for match in split if match]
        lines = [row[0] for row in rows]
        if numbered := _numbered_behind(lines):
            return numbered
        if "0" in wanted:
            return [(str(k), title) for k, title in enumerate(lines)]
        if max(map(int, wanted)) == len(lines):
            return [(str(k), title) for k, title in enumerate(lines, 1)]
        return []
    return _columns([row for row in rows if len(row) > 1])


def _numbered_behind(lines: Sequence[str]) -> list[tuple[str, str]]:
    """'cat 0' a line; nothing where the numbers do not count ('Boeing 707' is a name)."""
    found = [match for line in lines if (match := re.fullmatch(r"(\S.*?)[\s:=]+(\d+)", line))]
    numbers = sorted(int(match[2]) for match in found)
    counts = len(found) == len(lines) and numbers in (list(range(len(lines))), list(range(1, len(lines) + 1)))
    return [(match[2], match[1]) for match in found] if counts and len({m[1] for m in found}) > 1 else []


def _columns(rows: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The number and the name of each row: the first column of numbers, and the first that holds more."""
    body = [row for row in rows if any(cell.isdecimal() for cell in row)]
    columns = list(zip(*body, strict=False))
    numbers = next((cells for cells in columns if all(cell.isdecimal() for cell in cells)), ())
    names = next((cells for cells in columns if not all(map(_is_number, cells))), ())
    return list(zip(numbers, names, strict=False))


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[\d.]*", cell) is not None
