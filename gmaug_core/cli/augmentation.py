"""Verbs about augmentation: augment, measure, report, table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gmaug_core import runs
from gmaug_core.cli import places
from gmaug_core.cli.output import Bar, say
from gmaug_core.cli.runs import describe_run, follow, show_result
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.config import (
    CLASSIFIERS,
    GENERATORS,
    PRESETS,
    AugmentationConfig,
    augmentation_config,
    parse_assignments,
)
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_bytes
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, launch
from gmaug_core.runs.estimate import Estimate
from gmaug_core.workspace import groupings

if TYPE_CHECKING:
    from pandas import DataFrame


def register(verbs: Verbs) -> None:
    p = verbs.add("augment", augment, "run GM-augCls and measure what it was worth")
    p.add_argument("dataset")
    p.add_argument("--preset", default="quick", help=", ".join(PRESETS))
    p.add_argument("--generator", help=", ".join(GENERATORS))
    p.add_argument("--classifier", help=", ".join(CLASSIFIERS))
    p.add_argument("--seeds", type=int)
    p.add_argument(
        "--set",
        action="append",
        metavar="KEY=VALUE",
        help="any setting, for example generator.kimg=20; may be repeated",
    )
    places.add_to(p)
    p.add_argument("--estimate", action="store_true", help="measure what it would cost here; starts nothing")
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")
    p = verbs.add(
        "measure", measure, "what synthetic images made elsewhere are worth, as a generator's would be"
    )
    p.add_argument("dataset")
    p.add_argument(
        "--synthetic", required=True, metavar="FOLDER|ZIP", help="one folder a class of the dataset"
    )
    p.add_argument("--preset", default="quick", help=", ".join(PRESETS))
    p.add_argument("--classifier", help=", ".join(CLASSIFIERS))
    p.add_argument("--seeds", type=int)
    p.add_argument("--set", action="append", metavar="KEY=VALUE", help="any setting; may be repeated")
    places.add_to(p)
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")
    p = verbs.add("report", report, "a self-contained HTML report of a run")
    p.add_argument("run")
    p.add_argument("--out", required=True, metavar="FILE.html")
    p = verbs.add(
        "table",
        show_table,
        "a table of a finished run: its variants, classes, amounts, what the filter lets through, or test "
        "images before and after",
    )
    p.add_argument("run")
    p.add_argument("rows", choices=("variants", "classes", "amounts", "acceptance", "confusion"))
    p.add_argument("--out", metavar="FILE.csv", help="write it as CSV")


def augment(args: Arguments) -> object:
    where = places.asked(args)
    data = dataset.load(args.dataset)
    config = wanted(args, data, args.generator)
    show_outlook(config, data)
    if args.estimate:
        found = launch.estimate(config, data=data, where=where)
        show_estimate(found)
        return found.model_dump(mode="json")
    return started(config, args, data)


def measure(args: Arguments) -> object:
    data = dataset.load(args.dataset)
    with Bar() as bar:
        given = take_in(Path(args.synthetic), data, report=bar)
    for name, n in zip(data.class_names, given.offered, strict=True):
        say(f"  {name:40} {n:>7,} images")
    say(f"{len(given.imported.refused):,} files refused")
    return started(wanted(args, data, "folder", given.settings), args, data)


def started(config: AugmentationConfig, args: Arguments, data: Dataset | None = None) -> object:
    """The run, and unless detached its result."""
    run_id = launch.submit(config, data=data, where=places.asked(args))
    if args.detach:
        say(f"Started {run_id}; follow it with: python -m gmaug_core status {run_id}")
        return describe_run(run_id)
    document = follow(run_id)
    show_result(document["result"])
    return document


def wanted(
    args: Arguments, data: Dataset, generator: str | None, source: Mapping[str, object] | None = None
) -> AugmentationConfig:
    """The settings that the arguments ask for. source: settings of the generator that no argument may change.
    Raises InputError that names what is wrong."""
    overrides = parse_assignments(args.set or [])
    if source:
        overrides["generator"] = {**overrides.get("generator", {}), **source}
    if args.seeds is not None:
        overrides["seeds"] = args.seeds
    if args.classifier is not None:
        given = overrides.get("classifier", {})
        if not isinstance(given, dict):
            raise InputError(
                f"setting 'classifier' is given twice: '{args.classifier}' and '{given}'",
                expected="one classifier",
                todo="leave one of them out; its settings are classifier.KEY=VALUE; nothing was started",
            )
        overrides["classifier"] = {"name": args.classifier} | given
    overrides.setdefault("grouping", groupings.names(data)[0])
    return augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        preset=args.preset,
        generator=generator,
        symmetric=data.symmetric,
        overrides=overrides,
    )


def show_outlook(config: AugmentationConfig, data: Dataset) -> None:
    """What is known before the run starts, for people."""
    from gmaug_core.report import outlook  # scipy

    known = outlook.of(config, data)
    for line in known.lines:
        say(line)
    if known.run is None:
        say(f"    python -m gmaug_core verdict {data.id} --fast")


def show_estimate(found: Estimate) -> None:
    """What a generator would cost here, for people."""
    say(
        f"Generator on {found.device}: {found.seconds_per_kimg:.3g} s a thousand images, "
        f"{found.kimg:g} thousand of them"
    )
    say(
        f"Training about {found.training_seconds / 60:.3g} minutes; "
        f"drawing {found.sampling_img_per_s:.3g} images a second"
    )
    say(f"Memory {found.memory_mb:,.0f} MB. Nothing was started.")


def report(args: Arguments) -> object:
    from gmaug_core.report import html  # pandas, scipy and plotly

    page = html.html_report(args.run).encode()
    out = Path(args.out)
    write_bytes(out, page)
    say(f"Report written: {out.name}, {len(page) / 1024:.0f} KB")
    return {"run": args.run, "bytes": len(page), "file": out.name}


def show_table(args: Arguments) -> object:
    from gmaug_core.report import acceptance, doses, findings  # pandas and scipy

    paths = runs.find(args.run)
    if RunConfigFile.read(paths.config).kind != "augmentation" or not paths.result.exists():
        raise GMAugError(
            f"run '{args.run}' has no tables",
            expected="a finished augmentation run",
            todo="wait until it has finished, or resume it",
        )
    made = {
        "variants": findings.variants_table,
        "classes": findings.per_class_table,
        "amounts": doses.table,
        "acceptance": acceptance.table,
    }
    if args.rows == "confusion":
        table = _confusion(paths)
    else:
        table = made[args.rows](AugmentationResult.read(paths.result))
    say(table.to_string(index=False))
    if args.out:
        write_bytes(Path(args.out), findings.to_csv(table).encode())
    return table.to_dict("records")


def _confusion(paths: runs.RunPaths) -> DataFrame:
    """Test images by their class and the class they were put in, before and after."""
    from gmaug_core.method.predictions import Predictions
    from gmaug_core.report import confusion

    file = paths.folder / Predictions.FILE
    if not file.exists():
        raise GMAugError(
            f"run '{paths.id}' kept no predictions of the test images",
            expected="a run of this version",
            todo="run it again",
        )
    found = Predictions.read(file)
    say(confusion.words(found))
    return confusion.table(found, dataset.load(RunConfigFile.read(paths.config).settings.dataset).class_names)
