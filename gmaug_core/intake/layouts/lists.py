"""The layout of lists: a table with a file and a label a row (CSV, TSV, JSON lines, one column a class)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import listed
from gmaug_core.data.tables import column_key, rows_of, text_of
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import roles

ENDINGS = (".csv", ".tsv", ".jsonl", ".txt")
LABELS = frozenset(
    [
        "label",
        "labels",
        "class",
        "classes",
        "class_name",
        "classname",
        "class_label",
        "label_name",
        "category",
        "category_name",
        "target",
        "dx",
        "diagnosis",
        "species",
        "breed",
        "variety",
        "type",
        "disease",
        "sub_class",
        "subclass",
        "y",
        "finding",
        "grade",
        "emotion",
    ]
)
SPLIT = frozenset(["split", "set", "subset", "partition", "phase", "usage", "data_set", "dataset"])
GROUPS = frozenset(
    [
        "patient",
        "patient_id",
        "subject",
        "subject_id",
        "lesion_id",
        "group",
        "source",
        "case",
        "case_id",
        "video",
        "video_id",
        "slide",
        "slide_id",
    ]
)
MATCHED = 0.5  # of a column's cells that are files: then it is the column of files
ONE_HOT = ({"0", "1"}, {"0.0", "1.0"}, {"False", "True"})
OFFERED = 5  # columns that a refusal names


@dataclass(frozen=True)
class Table:
    """A list: where it lies, its columns by name, one cell a row each; the images of its rows."""

    file: str
    columns: Mapping[str, Sequence[str]]
    images: Sequence[tuple[str, ...]]
    file_column: str

    @property
    def folder(self) -> str:
        return self.file.rpartition("/")[0]


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.level or options.labels == FOLDERS:
        return []
    wanted, column = _wanted(tree, options)
    names = Names(tree.images)
    tables = []
    for file in [wanted] if wanted else tree.lists(*ENDINGS):
        if wanted or "submission" not in file.lower():
            table = _table(tree, file, names, strict=bool(wanted))
            if table:
                tables.append(table)
    families: dict[tuple[str, ...], list[Table]] = defaultdict(list)
    for table in tables:
        families[tuple(table.columns)].append(table)
    readings = [
        reading for family in families.values() for reading in _readings(tree, family, options, column)
    ]
    if wanted and not readings:
        raise InputError(
            f"'{clean_name(wanted)}' has no column of labels",
            expected="a table with a column of files and a column of labels, or one column a class",
        )
    return readings


def _wanted(tree: Tree, options: Options) -> tuple[str | None, str | None]:
    """The list and the column that a person named. Raises InputError where there is no such file."""
    if not options.labels or options.labels.partition(":")[0].lower().endswith(".json"):
        return None, None
    file, column = options.labels, None
    known = {other: other for other in tree.others} | {
        other.rpartition("/")[2]: other for other in tree.others
    }
    if file not in known and ":" in file:
        file, _, column = file.rpartition(":")
    if file not in known:
        raise InputError(
            f"there is no list '{clean_name(file)}'",
            expected=f"one of {listed(tree.lists(*ENDINGS, '.json'))}"
            if tree.others
            else "a list beside the images",
            todo="say --labels FILE, or --labels FILE:COLUMN",
        )
    return known[file], column


def _table(tree: Tree, file: str, names: Names, *, strict: bool) -> Table | None:
    """The list in a file; None where it lists no images. Raises InputError where it was asked for."""
    try:
        columns = _columns(tree.data(file), file, names)
    except InputError:
        if strict:
            raise
        return None
    folder = file.rpartition("/")[0]
    best: tuple[float, str, list[tuple[str, ...]]] = (0.0, "", [])
    for name, cells in columns.items():
        probe = [bool(names.find(cell, folder)) for cell in cells[:200]]
        share = sum(probe) / len(probe)
        if share > best[0]:
            best = (share, name, [])
    if best[0] < MATCHED:
        if strict:
            raise InputError(
                f"'{clean_name(file)}' names no image that is there",
                expected="a column with the images' file names, with or without ending",
            )
        return None
    found = [tuple(names.find(cell, folder)) for cell in columns[best[1]]]
    return Table(file, columns, found, best[1])


def _columns(data: bytes, file: str, names: Names) -> dict[str, list[str]]:
    """The cells of a list by column."""
    text = text_of(data)
    if file.lower().endswith(".jsonl"):
        return _json_lines(text, file)
    rows = rows_of(text)
    if not rows:
        raise InputError(f"'{clean_name(file)}' is empty", expected="a table of files and labels")
    if len(rows[0]) == 1 and all(len(row[0].split()) == 2 for row in rows[:50]):
        rows = [row[0].split() for row in rows]  # "path label" a line
    folder = file.rpartition("/")[0]
    bare = any(names.find(cell, folder) for cell in rows[0])
    head = [f"column {k + 1}" for k in range(len(rows[0]))] if bare else rows[0]
    body = rows if bare else rows[1:]
    head = [name or f"column {k + 1}" for k, name in enumerate(head)]
    if len(set(head)) < len(head) or not body:
        raise InputError(f"'{clean_name(file)}' has no rows, or two columns of one name", expected="a table")
    return {name: [row[k] if k < len(row) else "" for row in body] for k, name in enumerate(head)}


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


def _readings(tree: Tree, family: list[Table], options: Options, column: str | None) -> list[Reading]:
    """A reading for each column that may be the class."""
    names = list(family[0].columns)
    own = {table.file_column for table in family}
    cells = {name: [cell for table in family for cell in table.columns[name]] for name in names}
    free = [
        name
        for name in names
        if name not in own and column_key(name) not in SPLIT | GROUPS and _categories(cells[name])
    ]
    if column is not None:
        near = [name for name in names if column_key(name) == column_key(column)]
        if not near:
            raise InputError(f"there is no column '{column}'", expected=f"one of {listed(names)}")
        return [_reading(tree, family, near[0], cells[near[0]], options)]
    hot = _one_hot(free, cells)
    named = [name for name in free if column_key(name) in LABELS]
    if hot and not named:
        labels = [
            next((n for n in hot if cells[n][i] in ("1", "1.0", "True")), "")
            for i in range(len(cells[hot[0]]))
        ]
        return [_reading(tree, family, "one column a class", labels, options)]
    chosen = named or (free if len(free) == 1 else [])
    if chosen:
        made = [_reading(tree, family, name, cells[name], options) for name in chosen]
        return _one_of_each(made, [cells[name] for name in chosen])
    return [replace(_reading(tree, family, n, cells[n], options), sure=False) for n in free[:OFFERED]]


def _categories(cells: Sequence[str]) -> bool:
    distinct = len(set(cells) - {""})
    return 2 <= distinct <= max(2, 0.7 * len(cells))


def _one_hot(free: Sequence[str], cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns of a table with one column a class, else none."""
    hot = [name for name in free if any(set(cells[name]) <= values for values in ONE_HOT)]
    rows = zip(*(cells[name] for name in hot), strict=True)
    ones = Counter(sum(cell in ("1", "1.0", "True") for cell in row) for row in rows)
    return (
        hot
        if len(hot) > 1 and ones[1] >= 0.9 * ones.total() and not sum(ones[k] for k in ones if k > 1)
        else []
    )


def _one_of_each(readings: list[Reading], cells: list[Sequence[str]]) -> list[Reading]:
    """Without columns that say the same in numbers (class_id beside class_name)."""
    kept: list[tuple[Reading, Sequence[str]]] = []
    worded = sorted(
        zip(readings, cells, strict=True), key=lambda pair: all(c.isdecimal() for c in pair[1] if c)
    )
    for reading, own in worded:
        if not any(
            reading.partition(reading.placed.keys()) == other.partition(other.placed.keys())
            for other, _ in kept
        ):
            kept.append((reading, own))
    return [reading for reading, _ in kept]


def _reading(tree: Tree, family: list[Table], column: str, cells: Sequence[str], options: Options) -> Reading:
    where = clean_name(family[0].file.rpartition("/")[2]) + (
        f" and {len(family) - 1} more" if len(family) > 1 else ""
    )
    places: dict[str, Place | str] = {}
    groups: dict[str, str] = {}
    missing: list[Refused] = []
    unclear = 0
    labels = iter(cells)
    for table in family:
        sides, sources = _splits(table, options), _sources(table)
        for i, (images, label) in enumerate(zip(table.images, labels, strict=False)):
            given = table.columns[table.file_column][i]
            if len(images) != 1:
                reason = (
                    f"in {where}, but not there"
                    if not images
                    else f"in {where}, and {len(images)} files are called so"
                )
                missing.append(Refused(file=clean_name(given)[:1000], reason=reason))
                unclear += len(images) > 1
                continue
            (image,) = images
            place = _place(label, sides[i] or _side(image, options), where)
            before = places.get(image, place)
            places[image] = place if before == place else f"has two labels or splits in {where}"
            if sources:
                groups[image] = sources[i]
    unlisted = [file for file in tree.images if file not in places]
    places |= dict.fromkeys(unlisted, f"is not in {where}")
    name = family[0].file
    chosen = replace(options, labels=name if column == "one column a class" else f"{name}:{column}")
    if len(family) > 1:
        chosen = replace(options, labels=None)
    return Reading(
        "lists",
        f"{where}, column {column}" if column != "one column a class" else f"{where}, {column}",
        places,
        chosen,
        sure=2 * len(unlisted) <= len(tree.images) or bool(options.labels),
        groups=groups if len(set(groups.values())) < len(groups) else {},
        missing=tuple(missing),
        warnings=tuple(_told(where, places, missing, unlisted, groups)),
        lists=frozenset(table.file for table in family),
    )


def _place(label: str, side: str, where: str) -> Place | str:
    name = clean_name(label.replace("/", "-").replace("\\", "-"))
    if name.casefold() in ("", "nan", "none", "null", "?"):
        return f"has no label in {where}"
    if name in (".", ".."):
        return f"has the label '{name}' in {where}"
    return Place(side, (name,))


def _splits(table: Table, options: Options) -> list[str | None]:
    """The split of each row: from a column that says it, else from the list's own name or folder."""
    for name, cells in table.columns.items():
        if column_key(name) in SPLIT and (known := roles(set(cells) - {""}, options.splits)):
            return [known.get(cell, "train") for cell in cells]
    own = table.file.rpartition("/")[2].rpartition(".")[0]
    for name in (own, *reversed(table.folder.split("/"))):
        if said := roles({name}, options.splits).get(name):
            return [said] * len(table.images)
    return [None] * len(table.images)


def _side(image: str, options: Options) -> str:
    """The split that an image's folders say, train where they say none."""
    for name in image.split("/")[:-1]:
        if (said := roles({name}, options.splits).get(name)) in ("val", "test"):
            return said
    return "train"


def _sources(table: Table) -> Sequence[str]:
    return next((cells for name, cells in table.columns.items() if column_key(name) in GROUPS), ())


def _told(
    where: str,
    places: Mapping[str, Place | str],
    missing: Sequence[Refused],
    unlisted: Sequence[str],
    groups: Mapping[str, str],
) -> Iterator[str]:
    if unlisted:
        yield f"{len(unlisted):,} images are not in {where} and were left out: {listed(unlisted)}"
    if missing:
        yield f"{len(missing):,} rows of {where} have no image here: {listed([m.file for m in missing])}"
    twice = [file for file, place in places.items() if isinstance(place, str) and "two labels" in place]
    if twice:
        yield f"{len(twice):,} images have two labels or splits in {where} and were left out: {listed(twice)}"
    if 1 < len(set(groups.values())) < len(groups):
        yield f"images of one source ({len(set(groups.values())):,} in {where}) are never split apart"


LAYOUT = Layout("lists", "a table of files and labels", _read)
