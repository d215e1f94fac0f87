"""A table of files and labels as it lies in a file: its columns, and the image that each row means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gmaug_core.data.folders import clean_name
from gmaug_core.data.tables import column_key, rows_of
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import Tree
from gmaug_core.intake.layouts.label_maps import FILES
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.spelling import table_text

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".txt")
MATCHED = 0.5  # of a column's cells that are files: then it is the column of files
PROBED = 200  # cells of a column that are looked up before the whole is


@dataclass(frozen=True)
class Table:
    """A list: where it lies, its columns by name, one cell a row each; the images of its rows. loose: files
    were found without case, ending, leading zeros or folders. pairs: a second column names images, too.
    letters: in which it was read where nobody wrote them down."""

    file: str
    columns: Mapping[str, Sequence[str]]
    images: Sequence[tuple[str, ...]]
    file_column: str
    loose: bool = False
    pairs: bool = False
    letters: str = ""

    @property
    def folder(self) -> str:
        return self.file.rpartition("/")[0]


def table_of(tree: Tree, file: str, names: Names) -> Table:
    """The list in a file. Raises InputError where it is no table, or lists no image that is there."""
    text, letters = table_text(tree.data(file))
    columns = columns_of(text, file, names)
    folder = file.rpartition("/")[0]
    for loose in (False, True):
        shares = {}
        for name, cells in columns.items():
            probe = [len(names.find(cell, folder, loose=loose)) for cell in cells[:PROBED]]
            shares[name] = sum(n == 1 if loose else n > 0 for n in probe) / len(probe)
        column = max(columns, key=lambda name: _means_files(name, columns[name], shares[name]))
        if shares[column] >= MATCHED:
            found = [tuple(names.find(cell, folder, loose=loose)) for cell in columns[column]]
            others = [n for n in columns if n != column and shares[n] >= MATCHED and _files(columns[n])]
            return Table(file, columns, found, column, loose, bool(others), letters)
    first = next((cell for cells in columns.values() for cell in cells if cell), "")
    raise InputError(
        f"'{clean_name(file)}' names no image that is there: its first cell is '{clean_name(first)[-80:]}'",
        expected="a column with the images' file names, with or without ending",
    )


def _means_files(name: str, cells: Sequence[str], share: float) -> tuple[bool, bool, bool, float, int]:
    """How much a column looks like that of files; `share`: of its cells that are. A column of row numbers may
    find images, too, so what looks like a file goes first, then what is called so."""
    distinct = len(set(cells))
    called = column_key(name) in FILES and 2 * distinct > len(cells)
    there = share >= MATCHED
    return there, there and _files(cells), there and called, share, distinct


def _files(cells: Sequence[str]) -> bool:
    """Whether cells look like files, and not like numbers that happen to be names of files."""
    return all("." in cell or "/" in cell or "\\" in cell for cell in cells[:PROBED] if cell)


def columns_of(text: str, file: str, names: Names) -> dict[str, list[str]]:
    """The cells of a list by column. Raises InputError where it is no table."""
    if file.lower().endswith((".jsonl", ".ndjson")):
        return _json_lines(text, file)
    rows = rows_of(text)
    if not rows:
        raise InputError(f"'{clean_name(file)}' is empty", expected="a table of files and labels")
    folder = file.rpartition("/")[0]
    if all(len(row) == 1 for row in rows):
        rows = _by_blanks([row[0] for row in rows], names, folder)
    bare = any(names.find(cell, folder) for cell in rows[0])
    head = [""] * len(rows[0]) if bare else rows[0]
    body = rows if bare else rows[1:]
    if not body:
        raise InputError(f"'{clean_name(file)}' has no rows", expected="a table of files and labels")
    head = [name or f"column {k + 1}" for k, name in enumerate(head)]
    head = [name if head.index(name) == k else f"{name} (column {k + 1})" for k, name in enumerate(head)]
    return {name: [row[k] if k < len(row) else "" for row in body] for k, name in enumerate(head)}


def _by_blanks(lines: Sequence[str], names: Names, folder: str) -> list[list[str]]:
    """'path label' a line: cut at every blank, at the first or at the last, whichever finds most files."""
    every = [line.split() for line in lines]
    widths = {len(cells) for cells in every}
    if 1 in widths:
        return [[line] for line in lines]
    ways = [[line.split(None, 1) for line in lines], [line.rsplit(None, 1) for line in lines]]
    if len(widths) == 1:
        ways.insert(0, every)

    def found(rows: list[list[str]]) -> int:
        columns = zip(*rows[:PROBED], strict=True)
        return max(sum(bool(names.find(cell, folder)) for cell in cells) for cells in columns)

    best = max(ways, key=found)
    return best if len(widths) == 1 or found(best) else [[line] for line in lines]


def _json_lines(text: str, file: str) -> dict[str, list[str]]:
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"'{clean_name(file)}' is no JSON lines: {error}", expected="one object a line"
        ) from error
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"'{clean_name(file)}' is no JSON lines", expected="one object a line")
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [_cell(row.get(key)) for row in rows] for key in keys}


def _cell(value: object) -> str:
    return "" if value is None else str(value)
