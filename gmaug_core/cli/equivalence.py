"""The verb equivalence: what synthetic images are worth in real ones."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gmaug_core import runs
from gmaug_core.cli import places
from gmaug_core.cli.output import Bar, say
from gmaug_core.cli.runs import describe_run, follow
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.config import EQUIVALENCE_PRESETS, EquivalenceConfig, equivalence_config, parse_assignments
from gmaug_core.data import dataset, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.files import write_bytes
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.equivalence.words import Costs
from gmaug_core.report import cost
from gmaug_core.runs import launch
from gmaug_core.workspace import groupings


def register(verbs: Verbs) -> None:
    p = verbs.add("equivalence", equivalence, "what synthetic images are worth in real ones")
    p.add_argument("dataset")
    p.add_argument("--preset", default="small", help=", ".join(EQUIVALENCE_PRESETS))
    p.add_argument("--base", metavar="N,N", help="real images a class in each base; default: from the images")
    p.add_argument("--seeds", type=int, help="classifiers a cell")
    p.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="any setting, for example generator_seeds=3"
    )
    p.add_argument(
        "--images",
        metavar="FOLDER|ZIP",
        help="made elsewhere, one folder a class: these instead of a generator",
    )
    p.add_argument("--estimate", action="store_true", help="measure what it would cost here; starts nothing")
    places.add_to(p)
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")
    p.add_argument("--real-cost", type=float, metavar="X", help="of one real image, collected and labelled")
    p.add_argument("--hour-cost", type=float, default=0.0, metavar="X", help="of an hour of this machine")
    p.add_argument("--out", metavar="FILE.csv", help="write the table as CSV")


def equivalence(args: Arguments) -> object:
    data = dataset.load(args.dataset)
    config = wanted(args, data)
    if args.estimate and args.images:
        raise InputError("the cost of images made elsewhere is not measured", todo="leave --estimate out")
    if args.estimate:
        found = launch.estimate(config, data=data, where=places.asked(args))
        say(cost.equivalence_words(config, data, found))
        say("Nothing was started.")
        return found.model_dump(mode="json") | cost.equivalence_minutes(config, data, found)
    said = cost.equivalence_words(config, data)  # refuses too few images before anything is written
    run_id = launch.submit(config, data=data, where=places.asked(args))
    if args.detach:
        say(f"Started {run_id}; follow it with: python -m gmaug_core status {run_id}")
        return describe_run(run_id)
    say(said)
    follow(run_id)
    result = EquivalenceResult.read(runs.find(run_id).result)
    show(result, None if args.real_cost is None else Costs(args.real_cost, args.hour_cost), args.out)
    return result.to_dict()


def wanted(args: Arguments, data: Dataset) -> EquivalenceConfig:
    """The settings that the arguments ask for. Raises InputError that names what is wrong."""
    overrides = parse_assignments(args.set or [])
    if args.seeds is not None:
        overrides["seeds"] = args.seeds
    if args.base is not None:
        overrides["base_sizes"] = _numbers(args.base)
    if args.images is not None:
        with Bar() as bar:
            given = take_in(Path(args.images), data, report=bar)
        overrides["generator"] = {"name": "folder", **given.settings}
    overrides.setdefault("grouping", groupings.names(data)[0])
    return equivalence_config(
        data.id,
        partial(splits.training_counts, data),
        image_size=data.image_size,
        colour=data.colour,
        preset=args.preset,
        symmetric=data.symmetric,
        overrides=overrides,
    )


def _numbers(given: str) -> list[int]:
    try:
        return [int(each) for each in given.split(",")]
    except ValueError as error:
        raise InputError(
            f"'{given}' is no list of base sizes", expected="real images a class, for example 50,100,200"
        ) from error


def show(result: EquivalenceResult, costs: Costs | None = None, out: str | None = None) -> None:
    """The answer, the table of equivalents and the published form, for people."""
    from gmaug_core.report import equivalence_charts, equivalence_findings, findings  # pandas and altair

    say(result.sentence)
    if found := equivalence_findings.substitution(result):
        say(f"{equivalence_findings.REPLACES_WORDS[found[0]]}. {found[1]}")
    say(equivalence_charts.table(result, result.measure).to_string(index=False))
    say(equivalence_findings.training(result))
    for line in equivalence_findings.published(result):
        say(line)
    for line in equivalence_findings.prices(result, costs) if costs else ():
        say(line)
    for line in result.skipped:
        say(f"Not measured: {line}")
    if out:
        write_bytes(Path(out), findings.to_csv(equivalence_charts.numbers(result)).encode())
