"""Super-classes: a partition of the sub-classes, and the rules of editing it.

The invariant (every sub-class in exactly one super-class) is held here.
"""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gmaug_core.data.tables import column_key, rows_of, text_of
from gmaug_core.errors import InputError

IDENTITY = "identity"
NAME_LENGTH = 80  # characters of the name of a super-class or a grouping
SUB_COLUMNS = frozenset({"sub_class", "subclass", "class", "sub"})
SUPER_COLUMNS = frozenset({"super_class", "superclass", "group", "super"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Grouping:
    """A named partition: super-class -> its sub-classes, both in a persistent order.

    An empty super-class is allowed while somebody edits; it is not scored.
    """

    name: str
    super_classes: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "super_classes", {key: tuple(value) for key, value in self.super_classes.items()}
        )

    def validate(self, class_names: Iterable[str]) -> None:
        """Raises InputError that names the sub-classes that are missing, unknown or in two places."""
        known = list(class_names)
        placed = Counter(sub for subs in self.super_classes.values() for sub in subs)
        twice = [sub for sub, times in placed.items() if times > 1]
        missing = [name for name in known if name not in placed]
        unknown = [sub for sub in placed if sub not in set(known)]
        problems = []
        if unknown:
            hints = [f"'{sub}'" + _near(sub, known) for sub in unknown[:10]]
            problems.append(f"unknown sub-classes: {', '.join(hints)}{_more(unknown)}")
        if twice:
            problems.append(f"in more than one super-class: {', '.join(twice[:10])}{_more(twice)}")
        if missing:
            problems.append(f"in no super-class: {', '.join(missing[:10])}{_more(missing)}")
        if problems:
            raise InputError(
                f"grouping '{self.name}' does not fit the dataset: " + "; ".join(problems),
                expected=f"each of the {len(known)} sub-classes in exactly one super-class",
                todo="correct these names and import the grouping again; "
                "the grouping stored before is unchanged",
            )

    def move(self, sub_class: str, super_class: str) -> Grouping:
        """A new grouping with one sub-class moved; the super-class is made when it is new.

        Raises InputError when the sub-class is unknown, or the new name empty or too long.
        """
        if sub_class not in self.super_of:
            raise InputError(f"there is no sub-class '{sub_class}'", expected="a sub-class of this grouping")
        clean = super_class.strip()
        if clean not in self.super_classes:
            clean = _new_name(super_class)
        groups = {
            name: [sub for sub in subs if sub != sub_class] for name, subs in self.super_classes.items()
        }
        groups.setdefault(clean, []).append(sub_class)
        return Grouping(self.name, groups)

    def add(self, super_class: str) -> Grouping:
        """A new grouping with one more, empty, super-class. Raises InputError when the name is no new one."""
        clean = _new_name(super_class)
        if clean in self.super_classes:
            raise InputError(
                f"there is a super-class '{clean}' already", expected="a name that is not in use yet"
            )
        return Grouping(self.name, {**self.super_classes, clean: ()})

    def rename(self, old: str, new: str) -> Grouping:
        """A new grouping with a super-class renamed, in its place.

        Raises InputError when unknown, or no new name.
        """
        if old not in self.super_classes:
            raise InputError(f"there is no super-class '{old}'", expected="a super-class of this grouping")
        clean = _new_name(new) if new.strip() != old else old
        if clean != old and clean in self.super_classes:
            raise InputError(
                f"super-class '{old}' cannot be called '{clean}': there is one already",
                expected="a name that is not in use yet",
            )
        return Grouping(
            self.name, {clean if name == old else name: subs for name, subs in self.super_classes.items()}
        )

    def remove(self, super_class: str) -> Grouping:
        """A new grouping without an empty super-class.

        Raises InputError when it is unknown or holds something.
        """
        if self.super_classes.get(super_class) != ():
            raise InputError(
                f"super-class '{super_class}' cannot be removed",
                expected="an empty super-class",
                todo="move its sub-classes first",
            )
        left = {name: subs for name, subs in self.super_classes.items() if name != super_class}
        return Grouping(self.name, left)

    def alone(self, sub_class: str) -> Grouping:
        """A new grouping with one sub-class in a super-class of its own, which bears its name where it can.

        Raises InputError when it is unknown.
        """
        if sub_class not in self.super_of:
            raise InputError(f"there is no sub-class '{sub_class}'", expected="a sub-class of this grouping")
        taken = {title for title, subs in self.super_classes.items() if set(subs) - {sub_class}}
        numbered = (f"{sub_class} {k}" for k in itertools.count(2))
        name = next(title for title in itertools.chain([sub_class], numbered) if title not in taken)
        groups = {
            title: [sub for sub in subs if sub != sub_class] for title, subs in self.super_classes.items()
        }
        return Grouping(self.name, groups | {name: [sub_class]})

    def place(self, super_class: str, before: str) -> Grouping:
        """A new grouping with a super-class before another one, at the end where that is "".

        Raises InputError when one is unknown.
        """
        for title in (super_class, before or super_class):
            if title not in self.super_classes:
                raise InputError(
                    f"there is no super-class '{title}'", expected="a super-class of this grouping"
                )
        rest = [title for title in self.super_classes if title != super_class]
        at = rest.index(before) if before in rest else len(rest)
        order = [*rest[:at], super_class, *rest[at:]]
        return Grouping(self.name, {title: self.super_classes[title] for title in order})

    def sort(self, by: str) -> Grouping:
        """A new grouping with its super-classes by "name", or by "size" with the largest first.

        Raises InputError for another order.
        """
        titles = sorted(self.super_classes, key=str.casefold)
        if by == "size":
            titles = sorted(self.super_classes, key=lambda title: -len(self.super_classes[title]))
        elif by != "name":
            raise InputError(f"super-classes cannot be ordered by '{by}'", expected="name or size")
        return Grouping(self.name, {title: self.super_classes[title] for title in titles})

    def without_empty(self) -> Grouping:
        """A new grouping without super-classes that hold nothing."""
        return Grouping(self.name, {name: subs for name, subs in self.super_classes.items() if subs})

    @property
    def super_of(self) -> dict[str, str]:
        """sub-class -> super-class."""
        return {sub: name for name, subs in self.super_classes.items() for sub in subs}

    def to_json(self) -> str:
        return json.dumps(
            {"name": self.name, "super_classes": {k: list(v) for k, v in self.super_classes.items()}},
            ensure_ascii=False,
        )

    def to_csv(self) -> str:
        """CSV with the columns sub_class, super_class.

        A cell that a spreadsheet would run as a formula gets a leading apostrophe.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["sub_class", "super_class"])
        for name, subs in self.super_classes.items():
            writer.writerows([guard_cell(sub), guard_cell(name)] for sub in subs)
        return out.getvalue()


def _new_name(text: str) -> str:
    clean = text.strip()
    if not clean:
        raise InputError("a super-class needs a name", expected="at least one visible character")
    if len(clean) > NAME_LENGTH:
        raise InputError(
            f"'{clean[:20]}…' is too long for a name", expected=f"at most {NAME_LENGTH} characters"
        )
    return clean


def identity(class_names: Iterable[str]) -> Grouping:
    """One sub-class a super-class."""
    return Grouping(IDENTITY, {name: [name] for name in class_names})


def read(text: str | bytes, name: str) -> Grouping:
    """A grouping from a JSON or CSV file. Validate it against a dataset afterwards.

    JSON: {super: [sub, ...]}, bare or under "super_classes". CSV: sub_class, super_class; comma, semicolon or
    tab; columns by the names in a header, else the first two. Raises InputError with the row or key.
    """
    if isinstance(text, bytes):
        text = text_of(text)
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise InputError(
            "the grouping file is empty",
            expected="CSV with sub_class, super_class, or JSON {super: [sub, ...]}",
        )
    return Grouping(name, _read_json(text) if text[0] in "{[" else _read_csv(text))


def _read_json(text: str) -> dict[str, list[str]]:
    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        doubled = [key for key, times in Counter(key for key, _ in items).items() if times > 1]
        if doubled:
            raise InputError(
                f"the grouping file names '{doubled[0]}' twice", expected="each super-class once"
            )
        return dict(items)

    try:
        document = json.loads(text, object_pairs_hook=pairs)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(
            f"the grouping file is not valid JSON ({error})", expected="{super: [sub, ...]}"
        ) from error
    groups = document.get("super_classes", document) if isinstance(document, dict) else None
    if not isinstance(groups, dict) or not groups:
        raise InputError("the grouping file holds no super-classes", expected="{super: [sub, ...]}")
    for key, subs in groups.items():
        if not isinstance(subs, list) or not all(isinstance(sub, str) for sub in subs):
            raise InputError(f"super-class '{key}' is not a list of names", expected="{super: [sub, ...]}")
    return {_composed(key): [_composed(sub) for sub in subs] for key, subs in groups.items()}


def _read_csv(text: str) -> dict[str, list[str]]:
    rows = [[_unguard(cell) for cell in row] for row in rows_of(text)]
    sub, sup, body = 0, 1, rows
    head = [column_key(cell) for cell in rows[0]] if rows else []
    subs = [k for k, name in enumerate(head) if name in SUB_COLUMNS]
    supers = [k for k, name in enumerate(head) if name in SUPER_COLUMNS]
    if subs and supers:
        sub, sup, body = subs[0], supers[0], rows[1:]
    groups: dict[str, list[str]] = {}
    for number, cells in enumerate(body, start=1 + len(rows) - len(body)):
        pair = [cells[k] if k < len(cells) else "" for k in (sub, sup)]
        if not all(pair):
            raise InputError(
                f"row {number} of the grouping file has no sub_class or no super_class",
                expected="two filled columns, with the header sub_class, super_class where there are more",
            )
        groups.setdefault(_composed(pair[1]), []).append(_composed(pair[0]))
    return groups


def _composed(text: str) -> str:
    """As class names are written: macOS writes an umlaut as two characters."""
    return unicodedata.normalize("NFC", text)


def guard_cell(text: str) -> str:
    """Text that a spreadsheet shows and does not run."""
    return "'" + text if text.startswith(_FORMULA) else text


def _unguard(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _near(name: str, known: list[str]) -> str:
    if zeros := [
        each for each in known if each.isdecimal() and each != name and each.lstrip("0") == name.lstrip("0")
    ]:
        return f" (is it '{zeros[0]}'? a spreadsheet takes leading zeros away: save that column as text)"
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _more(names: list[str]) -> str:
    return f" and {len(names) - 10} more" if len(names) > 10 else ""
