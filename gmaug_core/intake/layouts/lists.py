"""The layout of lists: a table with a file and a label a row (CSV, TSV, JSON lines, one column a class)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.data.store import listed
from gmaug_core.data.tables import column_key
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.class_titles import is_titles, titles
from gmaug_core.intake.layouts.contract import FOLDERS, Layout, Options, Reading, Tree
from gmaug_core.intake.layouts.detect import near_names
from gmaug_core.intake.layouts.label_tables import ENDINGS, Table, table_of
from gmaug_core.intake.layouts.names import Names
from gmaug_core.intake.layouts.split_words import SKIP, role, roles

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
        "class_id",
        "classid",
        "category_id",
        "label_id",
        "finding_labels",
        "condition",
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
NOTHING = frozenset(["", "nan", "null", "?"])  # what stands where a label is missing
YES = ("1", "1.0", "True")
ONE_HOT = ({"0", "1"}, {"0.0", "1.0"}, {"False", "True"})
AGREED = 0.9  # of the images that two lists share: then they say one thing together
OFFERED = 5  # columns that a refusal names
Rows = dict[tuple[str, ...], set[tuple[str, ...]]]  # of a table: what it says of each image


def _read(tree: Tree, options: Options) -> list[Reading]:
    if options.pattern or options.level or options.labels == FOLDERS:
        return []
    wanted, column = _wanted(tree, options)
    names = Names(tree.images)
    tables = []
    for file in wanted or tree.lists(*ENDINGS):
        if not wanted and ("submission" in file.lower() or is_titles(file)):
            continue
        try:
            tables.append(table_of(tree, file, names))
        except InputError:
            if wanted:
                raise
    readings = [
        reading for family in _families(tables) for reading in _readings(tree, family, options, column)
    ]
    if wanted and not readings:
        raise InputError(
            f"'{clean_name(wanted[0])}' has no column of labels",
            expected="a table with a column of files and a column of labels, or one column a class",
        )
    return readings


def _families(tables: Sequence[Table]) -> list[list[Table]]:
    """Tables that say one thing together: of the same columns, and with the same rows for images that several
    of them list."""
    families: dict[tuple[str, ...], list[list[Table]]] = defaultdict(list)
    rows = {table.file: _rows(table) for table in tables}
    for table in tables:
        alike = families[tuple(table.columns)]
        own = next(
            (one for one in alike if all(_agree(rows[table.file], rows[other.file]) for other in one)), None
        )
        if own is None:
            alike.append([table])
        else:
            own.append(table)
    return [family for alike in families.values() for family in alike]


def _agree(mine: Rows, yours: Rows) -> bool:
    """Whether nearly all images that two tables list have a row in common."""
    both = mine.keys() & yours.keys()
    return sum(bool(mine[image] & yours[image]) for image in both) >= AGREED * len(both)


def _rows(table: Table) -> Rows:
    """The rows of each image, without what says the split."""
    columns = [cells for name, cells in table.columns.items() if _key(name) not in SPLIT]
    found: Rows = defaultdict(set)
    for images, row in zip(table.images, zip(*columns, strict=True), strict=True):
        if images:
            found[images].add(row)
    return found


def _wanted(tree: Tree, options: Options) -> tuple[list[str], str | None]:
    """The lists, several with + between, and the column that a person named. Raises InputError where there is
    no such file."""
    if not options.labels or options.labels.partition(":")[0].lower().endswith(".json"):
        return [], None
    file, column = options.labels, None
    known = {other: other for other in tree.others} | {
        other.rpartition("/")[2]: other for other in tree.others
    }
    files = [file] if file in known else file.split("+")
    if not known.keys() >= set(files) and ":" in file:
        file, _, column = file.rpartition(":")
        files = [file] if file in known else file.split("+")
    if not known.keys() >= set(files):
        raise InputError(
            f"there is no list '{clean_name(file)}'",
            expected=f"one of {listed(tree.lists(*ENDINGS, '.json'))}"
            if tree.others
            else "a list beside the images",
            todo="say --labels FILE, or --labels FILE:COLUMN",
        )
    return [known[file] for file in files], column


def _readings(tree: Tree, family: list[Table], options: Options, column: str | None) -> list[Reading]:
    """A reading for each column that may be the class."""
    names = list(family[0].columns)
    own = {table.file_column for table in family}
    cells = {name: [cell for table in family for cell in table.columns[name]] for name in names}
    free = [
        name
        for name in names
        if name not in own
        and _key(name) not in SPLIT | GROUPS
        and not _flag(name, cells[name])
        and _categories(cells[name], _key(name))
    ]
    if column is not None:
        near = [name for name in names if column_key(name) == column_key(column)]
        if not near:
            raise InputError(f"there is no column '{column}'", expected=f"one of {listed(names)}")
        return [_reading(tree, family, near[0], cells[near[0]], options)]
    hot = _one_hot(free, cells)
    named = [name for name in free if _key(name) in LABELS]
    if hot and not named:
        labels = [next((n for n in hot if cells[n][i] in YES), "") for i in range(len(cells[hot[0]]))]
        return [_reading(tree, family, "one column a class", labels, options)]
    chosen = named or (free if len(free) == 1 else [])
    if chosen:
        made = [_reading(tree, family, name, cells[name], options) for name in chosen]
        return _one_of_each(made, [cells[name] for name in chosen])
    return [replace(_reading(tree, family, n, cells[n], options), sure=False) for n in free[:OFFERED]]


def _key(name: str) -> str:
    """A column's name as compared, without the number of a second one of its name."""
    return column_key(re.sub(r" \(column \d+\)$", "", name))


def _categories(cells: Sequence[str], key: str) -> bool:
    """Whether cells are of few kinds; of a column that is called so, any repeated one will do."""
    distinct = len(set(cells) - {""})
    return 2 <= distinct <= max(2, len(cells) - 1 if key in LABELS else 0.7 * len(cells))


def _one_hot(free: Sequence[str], cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns of a table with one column a class, else none."""
    hot = [name for name in free if any(set(cells[name]) <= values for values in ONE_HOT)]
    rows = zip(*(cells[name] for name in hot), strict=True)
    ones = Counter(sum(cell in YES for cell in row) for row in rows)
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
    spoken: set[str] = set()  # images whose split a list says
    cells, named = _named(tree, cells)
    labels = iter(cells)
    for table in family:
        sides, sources = _splits(table, options), _sources(table)
        for i, (images, label) in enumerate(zip(table.images, labels, strict=False)):
            given, side = table.columns[table.file_column][i], sides[i]
            if len(images) > 1 and side:
                images = tuple(file for file in images if _side(file, options) == side) or images
            if len(images) != 1:
                reason = (
                    f"in {where}, but not there"
                    if not images
                    else f"in {where}, and {len(images)} files are called so"
                )
                missing.append(Refused(file=clean_name(given)[:1000], reason=reason))
                continue
            (image,) = images
            place = _place(label, side or _side(image, options), where)
            before = places.get(image, place)
            if _paths(before) == _paths(place) and bool(side) != (image in spoken):
                places[image] = place if side else before  # one list says a split, another none
            else:
                places[image] = place if before == place else f"has two labels or splits in {where}"
            if side:
                spoken.add(image)
            if sources:
                groups[image] = sources[i]
    unlisted = [file for file in tree.images if file not in places]
    places |= dict.fromkeys(unlisted, f"is not in {where}")
    trained = {file for file in tree.images if _side(file, options) == "train"}
    name = "+".join(table.file for table in family)
    chosen = replace(options, labels=name if column == "one column a class" else f"{name}:{column}")
    return Reading(
        "lists",
        f"{where}, column {column}" if column != "one column a class" else f"{where}, {column}",
        places,
        chosen,
        sure=(2 * len(trained.intersection(unlisted)) <= len(trained) and not any(t.pairs for t in family))
        or bool(options.labels),
        groups=groups if len(set(groups.values())) < len(groups) else {},
        missing=tuple(missing),
        warnings=(*_told(where, places, missing, unlisted, groups), *_found(family, where, named)),
        lists=frozenset([*(table.file for table in family), *([named] if named else [])]),
    )


def _paths(place: Place | str) -> tuple[str, ...] | str:
    return place.path if isinstance(place, Place) else place


def _named(tree: Tree, cells: Sequence[str]) -> tuple[Sequence[str], str]:
    """The labels, and the file that says what their numbers are called, '' where none does. Numbers that were
    saved as 1.0 are 1."""
    said = {cell for cell in cells if cell.casefold() not in NOTHING}
    if said and all(re.fullmatch(r"\d+\.0", cell) for cell in said):
        cells = [cell.partition(".")[0] for cell in cells]
        said = {cell.partition(".")[0] for cell in said}
    called, file = titles(tree, said)
    return ([called.get(cell, cell) for cell in cells] if called else cells), file


def _found(family: Sequence[Table], where: str, named: str) -> Iterator[str]:
    """How files and names were found, where it was not by what is written."""
    if any(table.loose for table in family):
        yield (
            f"the images of {where} were found by their names without case, ending, leading zeros or "
            "folders: look at some of them"
        )
    for letters in sorted({table.letters for table in family} - {""}):
        yield f"{where} is not in UTF-8 and was read as {letters}: look at the class names"
    if named:
        yield f"the numbers in {where} are called what {clean_name(named.rpartition('/')[2])} calls them"


def _place(label: str, side: str, where: str) -> Place | str:
    name = clean_name(label.replace("/", "-").replace("\\", "-"))
    if name.casefold() in NOTHING:
        return f"has no label in {where}"
    if name in (".", ".."):
        return f"has the label '{name}' in {where}"
    if side == SKIP:
        return f"is to be left out, as {where} says"
    return Place(side, (name,))


def _splits(table: Table, options: Options) -> list[str | None]:
    """The split of each row: from a column that says it, else from the list's own name or folder."""
    for name, cells in table.columns.items():
        if _key(name) in SPLIT and (known := _roles_of(set(cells) - {""}, options)):
            return [known.get(cell, "train") for cell in cells]
        if flag := _flag(name, cells):
            other = "test" if flag == "train" else "train"
            return [flag if cell in YES else other for cell in cells]
    own = table.file.rpartition("/")[2].rpartition(".")[0]
    for name in (own, *reversed(table.folder.split("/"))):
        if (said := _roles_of({name}, options).get(name)) and said != SKIP:
            return [said] * len(table.images)
    return [None] * len(table.images)


def _flag(name: str, cells: Sequence[str]) -> str | None:
    """The split that a column of yes and no is about ('is_valid'), else None."""
    said = role(name)
    if said is None or said[0] == SKIP or said[1] != ("is",):
        return None
    return said[0] if any(set(cells) <= values for values in ONE_HOT) else None


def _roles_of(names: set[str], options: Options) -> dict[str, str]:
    """The roles of what stands where a split is said: any word counts, in 'PublicTest' or 'test_labels'."""
    found = {name: said[0] for name in names if (said := role(name)) is not None}
    return found | {name: options.splits[name] for name in names if name in options.splits}


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
    bare = [file for file, place in places.items() if isinstance(place, str) and "no label" in place]
    if bare:
        yield f"{len(bare):,} images have no label in {where} and were left out: {listed(bare)}"
    taken = {place.path for place in places.values() if isinstance(place, Place)}
    if odd := sorted(path[-1] for path in taken if path[-1].casefold() in ("none", "na", "n-a")):
        yield f"in {where} {listed(odd)} was taken as the name of a class"
    yield from near_names(taken)
    yield from _joined(places, where)
    twice = [file for file, place in places.items() if isinstance(place, str) and "two labels" in place]
    if twice:
        yield f"{len(twice):,} images have two labels or splits in {where} and were left out: {listed(twice)}"
    if 1 < len(set(groups.values())) < len(groups):
        yield f"images of one source ({len(set(groups.values())):,} in {where}) are never split apart"


def _joined(places: Mapping[str, Place | str], where: str) -> Iterator[str]:
    """A sentence where a label is several of the other ones ('scab rust' beside 'scab' and 'rust')."""
    labels = {file: place.path[-1] for file, place in places.items() if isinstance(place, Place)}
    names = set(labels.values())
    parts = {name: re.split(r"[|;,+&/\s]+", name) for name in names}
    several = sorted(name for name, own in parts.items() if len(own) > 1 and names.issuperset(own))
    if several:
        count = sum(label in several for label in labels.values())
        yield (
            f"{count:,} images have several labels in {where}, and each set of labels was taken as a class: "
            f"{listed(several)}"
        )


LAYOUT = Layout("lists", "a table of files and labels", _read)
