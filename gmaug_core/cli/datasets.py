"""Verbs about datasets: demo, import, datasets, show, export."""

from __future__ import annotations

from pathlib import Path

from gmaug_core import intake
from gmaug_core.cli.output import Bar, say
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.data import cautions, dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.demo import make_demo
from gmaug_core.data.folders import SPLITS
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.contract import Options
from gmaug_core.intake.layouts.split_words import CLASS, SKIP
from gmaug_core.workspace import audit, groupings

LONG = {"schema_number", "classes", "counts", "hierarchy", "suggested_groupings"}  # `show` says them
NAMED = 20  # refused files and classes that are shown before "and so many more"


def register(verbs: Verbs) -> None:
    verbs.add("demo", demo, "make the embedded demo dataset and say its id")
    p = verbs.add("import", import_dataset, "import a zip, a folder of class folders, or an iNaturalist JSON")
    p.add_argument("path")
    p.add_argument("--name", help="what people see; default: the file's name")
    p.add_argument(
        "--group",
        metavar="REGEX",
        help="what its first parentheses match in a path is the image's source (patient, slide, video): "
        "images of one source are never split apart",
    )
    p.add_argument(
        "--labels",
        metavar="FILE[:COLUMN]",
        help="the list that says the classes, or 'folders' for the folders",
    )
    p.add_argument(
        "--pattern", metavar="REGEX", help="the class is what its first parentheses match in a path"
    )
    p.add_argument(
        "--level", metavar="N", help="which class folder is the class: 1 the outermost, 2, ..., or all"
    )
    p.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="NAME=ROLE",
        help="what a folder is: train, val, test, skip (leave it out) or class (no split)",
    )
    p.add_argument("--preview", action="store_true", help="say what would be read, and import nothing")
    verbs.add("datasets", datasets, "list the datasets")
    p = verbs.add("show", show, "one dataset: classes, counts, splits, groupings")
    p.add_argument("dataset")
    p = verbs.add("export", export, "a balanced ImageFolder with metadata.csv")
    p.add_argument("subject", metavar="DATASET|RUN")
    p.add_argument("--out", required=True, metavar="DIR")


def demo(_: Arguments) -> object:
    dataset_id = make_demo()
    say(f"Demo dataset: {dataset_id}")
    return describe(dataset.load(dataset_id))


def import_dataset(args: Arguments) -> object:
    if not args.path.strip():
        raise InputError("no path was given", expected="the path of a zip or a folder")
    options = _options(args)
    if args.preview:
        from gmaug_core.intake.door import preview

        seen = preview(Path(args.path), options)
        say(f"Would read {seen['layout']}")
        for other in seen["other_readings"]:
            say(f"  or: {other}")
        return seen
    with Bar() as bar:
        imported = intake.import_path(
            Path(args.path), name=args.name, group=args.group, options=options, report=bar
        )
    audit.record("dataset imported", imported.dataset_id, refused=len(imported.refused))
    say(f"{'Imported' if imported.created else 'Already here'}: {imported.dataset_id}")
    data = dataset.load(imported.dataset_id)
    show_counts(data)
    say(f"  labels: {imported.layout}")
    for other in imported.other_readings:
        say(f"  not read as: {other} (--preview says how to choose)")
    for words, n in imported.conversions.items():
        say(f"  {words}: {n:,} images")
    for warning in imported.warnings:
        say(f"  note: {warning}")
    for item in imported.refused[:NAMED]:
        say(f"  refused: {item.file}: {item.reason}")
    if len(imported.refused) > NAMED:
        say(f"  and {len(imported.refused) - NAMED} more refused files; --json lists them all")
    return imported.to_dict() | describe(data)


def _options(args: Arguments) -> Options:
    """What was said of the labels. Raises InputError for a --split that says no role."""
    splits = dict(item.partition("=")[::2] for item in args.split)
    if wrong := [name for name, role in splits.items() if role not in (*SPLITS, SKIP, CLASS)]:
        raise InputError(
            f"--split '{wrong[0]}' says no role", expected="NAME=ROLE, ROLE train, val, test, skip or class"
        )
    return Options(labels=args.labels, pattern=args.pattern, level=args.level, splits=splits)


def datasets(_: Arguments) -> object:
    found = dataset.list_datasets()
    for item in found:
        say(
            f"{item.id:40} {item.n_images:>8,} images  {item.n_classes:>5} classes  "
            f"imbalance {item.imbalance_ratio:.1f}"
        )
    damaged = dataset.damaged()
    for dataset_id, error in damaged:
        say(f"{dataset_id:40} damaged: {error}")
    if not found and not damaged:
        say("No dataset yet: import one, or run 'python -m gmaug_core demo'.")
    return [
        *(item.model_dump(mode="json", exclude=LONG) for item in found),
        *({"id": dataset_id, "state": "damaged", "error": error.what} for dataset_id, error in damaged),
    ]


def show(args: Arguments) -> object:
    data = dataset.load(args.dataset)
    show_counts(data)
    conflicts = cautions.contradictions(data.manifest.duplicates)
    warnings = list(dict.fromkeys([*data.manifest.warnings, *conflicts]))
    for warning in warnings:
        say(f"  note: {warning}")
    return (
        describe(data)
        | {"warnings": warnings, "layout": data.manifest.layout}
        | {"groupings": groupings.names(data)}
    )


def export(args: Arguments) -> object:
    from gmaug_core.report import export as exporting  # pandas: a third of a second

    document = exporting.export(args.subject, Path(args.out))
    say(f"Exported {document['images']:,} images to {Path(args.out).name}")
    return document


def describe(data: Dataset) -> dict[str, object]:
    """id, name, counts and so on, as JSON."""
    return {
        "dataset": data.id,
        "id": data.id,
        "name": data.name,
        "images": len(data),
        "classes": len(data.class_names),
        "class_names": list(data.class_names),
        "counts": data.counts,
        "imbalance_ratio": data.imbalance_ratio,
        "splits": data.summary.splits,
        "groups": sources(data),
        "image_size": data.image_size,
        "colour": data.colour,
    }


def sources(data: Dataset) -> int | None:
    """How many sources the images come from; None where the import was told of none."""
    return None if data.groups is None else len(set(data.groups.tolist()))


def show_counts(data: Dataset) -> None:
    """Images a split and a class, for people."""
    splits = ", ".join(f"{name} {n:,}" for name, n in data.summary.splits.items())
    say(
        f"{data.name}: {len(data):,} images, {len(data.class_names)} classes, "
        f"imbalance ratio {data.imbalance_ratio:.1f} ({splits})"
    )
    if (known := sources(data)) is not None:
        say(f"  from {known:,} sources; images of one are never split apart")
    for name, n in sorted(data.counts.items(), key=lambda item: -item[1])[:NAMED]:
        say(f"  {name:30} {n:>7,}")
    if len(data.counts) > NAMED:
        say(f"  and {len(data.counts) - NAMED} more classes")
