"""The sheet beside exported images: what each of them is and where it comes from, one typed row an image."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gmaug_core.files import write_bytes
from gmaug_core.workspace.grouping import guard_cell

NONE = "not applicable"  # instead of an empty cell: readers then see one type in every split
LONGEST_FOLDER = 80  # characters
PORTS = {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}
RESERVED = {"CON", "PRN", "AUX", "NUL"} | PORTS  # names that Windows keeps for devices


@dataclass(frozen=True)
class Row:
    """One exported image; what does not apply to it is None. The fields are the columns of metadata.csv."""

    file_name: str  # below the folder that the sheet lies in
    class_name: str  # column `class`
    label: int  # line of the class in classes.txt, from 0: the same in every split
    split: str
    kind: str  # real or synthetic
    licence: str
    source_file: str | None = None  # of a real one: the name that was imported, and its bytes
    source_sha256: str | None = None
    run: str | None = None  # of a synthetic one, from here on
    sample: int | None = None
    step: int | None = None
    draw_seed: int | None = None
    judge_seed: int | None = None
    logit: float | None = None
    probability: float | None = None
    predicted: str | None = None
    reason: str | None = None
    decision: str | None = None
    generator: str | None = None
    generator_data: str | None = None

    @property
    def is_synthetic(self) -> bool:
        return self.kind == "synthetic"


COLUMNS = (
    "file_name",
    "class",
    "label",
    "split",
    "kind",
    "source_file",
    "source_sha256",
    "run",
    "sample",
    "step",
    "draw_seed",
    "judge_seed",
    "logit",
    "probability",
    "predicted",
    "reason",
    "decision",
    "generator",
    "generator_data",
    "licence",
)
NAMES = {"class", "predicted"}  # of classes, as people gave them
# what pandas, R and spreadsheets read as missing, or as a truth value
NO_NAMES = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "nil", "true", "false", "inf"}
# cells of these columns are empty where they do not apply
NUMBERS = {"label", "sample", "step", "draw_seed", "judge_seed", "logit", "probability"}


def write(path: Path, rows: Sequence[Row], *, below: str = "") -> None:
    """Write metadata.csv whole. below: what file names begin with and the sheet's folder holds already."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        values = asdict(replace(row, file_name=row.file_name.removeprefix(below)))
        values["class"] = values.pop("class_name")
        writer.writerow([cell(column, values[column]) for column in COLUMNS])
    write_bytes(path, text.getvalue().encode())


def cell(column: str, value: str | float | None) -> str | float:
    """A value as a cell: an apostrophe goes before text that a spreadsheet would run as a formula, and before
    the name of a class that a reader would take for a number or for nothing (`001`, `NA`)."""
    if value is None:
        return "" if column in NUMBERS else NONE
    if column == "file_name" or not isinstance(value, str):
        return value
    guarded = guard_cell(value)
    return f"'{value}" if column in NAMES and guarded == value and _is_misread(value) else guarded


def _is_misread(name: str) -> bool:
    """Whether a reader of CSV takes a name for a number, a truth value or nothing."""
    if name.strip().lower() in NO_NAMES:
        return True
    try:
        float(name)
    except ValueError:
        return False
    return True


def write_classes(folder: Path, folders: Mapping[str, str]) -> None:
    """Write classes.txt: a line a class in the order of their numbers. folders: class -> its folder.

    The order is that of the folders' names, as readers of image folders number them."""
    names = sorted(folders, key=folders.__getitem__)
    write_bytes(folder / "classes.txt", "".join(f"{folders[name]}\n" for name in names).encode())


def labels_of(folders: Mapping[str, str]) -> dict[str, int]:
    """The number of each class: its line in classes.txt, from 0."""
    return {name: k for k, name in enumerate(sorted(folders, key=folders.__getitem__))}


def class_folders(names: Sequence[str]) -> dict[str, str]:
    """class -> a folder name that every system takes; no two are equal, in capital letters or small."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        clean = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]+', "_", name).strip(". ")[:LONGEST_FOLDER] or "class"
        if clean.split(".")[0].upper() in RESERVED:
            clean = f"_{clean}"
        unique, number = clean, 1
        while unique.lower() in taken:
            number += 1
            unique = f"{clean}-{number}"
        taken.add(unique.lower())
        found[name] = unique
    return found
