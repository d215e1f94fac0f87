"""The sheet beside exported images: what each of them is and where it comes from, one typed row an image."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
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
# cells of these columns are empty where they do not apply
NUMBERS = {"sample", "step", "draw_seed", "judge_seed", "logit", "probability"}


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
    """A value as a cell: text that a spreadsheet would run as a formula is shown instead."""
    if value is None:
        return "" if column in NUMBERS else NONE
    return value if column == "file_name" or not isinstance(value, str) else guard_cell(value)


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
