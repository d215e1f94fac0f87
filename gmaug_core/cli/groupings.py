"""The verb about super-classes: group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gmaug_core.cli.output import say, when
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.workspace import agreement, grouping, groupings, provenance
from gmaug_core.workspace.grouping import Grouping


def register(verbs: Verbs) -> None:
    p = verbs.add("group", group, "show, import, suggest or export a grouping into super-classes")
    p.add_argument("dataset")
    way = p.add_mutually_exclusive_group()
    way.add_argument("--show", action="store_true", help="print a grouping (the default)")
    way.add_argument("--from", dest="file", metavar="FILE", help="import from CSV or JSON")
    way.add_argument(
        "--suggest",
        type=int,
        nargs="?",
        const=0,
        metavar="K",
        help="propose K super-classes by looks; without K as many as hold together best",
    )
    way.add_argument("--undo", action="store_true", help="back to what it was before its last edit")
    way.add_argument("--redo", action="store_true", help="forward again after an undo")
    way.add_argument("--history", action="store_true", help="every version it had: who made it, and when")
    way.add_argument("--identity", action="store_true", help="one sub-class a super-class")
    way.add_argument(
        "--compare", nargs="+", metavar="G", help="how far groupings agree, and what they disagree about"
    )
    way.add_argument("--merge", nargs="+", metavar="G", help="make one grouping of several, named by --name")
    p.add_argument("--name", "--g", dest="name", metavar="G", help="the grouping's name")
    p.add_argument("--out", metavar="FILE", help="write it as .csv or .json")


def group(args: Arguments) -> object:
    data = dataset.load(args.dataset)
    if args.out and Path(args.out).is_dir():
        raise InputError(f"'{Path(args.out).name}' is a folder", expected="a file .csv or .json to write")
    if args.history:
        return history(data, args.name or groupings.names(data)[0])
    if args.compare:
        return compare(data, args.compare)
    made, how = new_grouping(data, args)
    if made is None:
        chosen, revision = groupings.current(data, args.name or groupings.names(data)[0])
        if args.undo or args.redo:
            step = {"do": "undo" if args.undo else "redo"}
            chosen, revision = groupings.edit(data.id, chosen, revision, step)
    else:
        chosen = made
        chosen.validate(data.class_names)
        stored = groupings.load(data.id, chosen.name)
        revision = groupings.save(data.id, chosen, revision=stored[1] if stored else 0)
        if how:
            provenance.note(data.id, chosen.name, how)
    for name, subs in chosen.super_classes.items():
        say(f"{name}: {', '.join(subs)}")
    if args.out:
        out = Path(args.out)
        written = chosen.to_csv() if out.suffix.lower() == ".csv" else chosen.to_json()
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(written, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"'{out.name}' cannot be written ({error.strerror})", expected="a place that can be written"
            ) from error
    return {
        "dataset": data.id,
        "name": chosen.name,
        "revision": revision,
        "super_classes": chosen.super_classes,
        "origin": provenance.origin(data.id, chosen.name).how or None,
    }


def history(data: Dataset, name: str) -> object:
    """Every version of a stored grouping; the one it has now is marked."""
    groupings.current(data, name)  # says what there is when this one is not there
    made = groupings.history(data.id, name)
    for item in made:
        sizes = ", ".join(f"{title} ({len(subs)})" for title, subs in item.grouping.super_classes.items())
        say(f"{'*' if item.current else ' '} {item.number:>5}  {when(item.time)}  {item.person:15} {sizes}")
    if not made:
        say("A proposal of the import: nobody has edited it yet.")
    keys = ("number", "parent", "person", "time", "current")
    return {
        "dataset": data.id,
        "name": name,
        "versions": [
            {key: getattr(item, key) for key in keys} | {"super_classes": dict(item.grouping.super_classes)}
            for item in made
        ],
    }


def compare(data: Dataset, names: Sequence[str]) -> object:
    """Adjusted Rand index of every two groupings, and every sub-class that they disagree about."""
    compared = [groupings.current(data, name)[0].without_empty() for name in dict.fromkeys(names)]
    indices = agreement.indices(compared)
    rows = [row for row in agreement.disputed(compared) if row.share > 0]
    for (one, other), value in indices.items():
        say(f"{one} and {other}: adjusted Rand index {value:.3f}")
    for row in rows:
        places = ", ".join(f"{name}: {title}" for name, title in row.places.items())
        say(f"{row.share:5.0%}  {row.sub_class}  ({places})")
    return {
        "dataset": data.id,
        "agreement": [
            {"groupings": [one, other], "adjusted_rand": value} for (one, other), value in indices.items()
        ],
        "disputed": [
            {"sub_class": row.sub_class, "share": row.share, "super_classes": dict(row.places)}
            for row in rows
        ],
    }


def new_grouping(data: Dataset, args: Arguments) -> tuple[Grouping | None, str]:
    """The grouping that --from, --suggest, --merge or --identity asks for, and where it came from as a
    sentence; None when one is only looked at."""
    if args.file:
        source = Path(args.file)
        if not source.is_file():
            raise InputError(f"there is no file '{source.name}'", expected="a CSV or JSON grouping file")
        return grouping.read(source.read_bytes(), args.name or source.stem), f"Imported from {source.name}"
    if args.suggest is not None:
        from gmaug_core.report import scores  # brings NumPy and more: only where it is asked for

        made = scores.suggestion(data, args.suggest or None)
        say(f"{made.words}.")
        return Grouping(args.name or made.grouping.name, made.grouping.super_classes), made.words
    if args.merge:
        return agreement.merge(data, args.merge, args.name or "merged")
    if args.identity:
        groups = grouping.identity(data.class_names).super_classes
        return Grouping(args.name or grouping.IDENTITY, groups), ""
    return None, ""
