"""The verb verdict: is a generator worth training for this dataset?"""

from __future__ import annotations

from gmaug_core import runs
from gmaug_core.cli import places
from gmaug_core.cli.output import say
from gmaug_core.cli.runs import describe_run, follow
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.config import PRESETS, VerdictConfig, augmentation_config, parse_assignments
from gmaug_core.data import dataset
from gmaug_core.method.verdict.figures import Figure
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.runs import launch
from gmaug_core.workspace import groupings


def register(verbs: Verbs) -> None:
    p = verbs.add("verdict", verdict, "what can be gained, what can be seen, what is free: one verdict")
    p.add_argument("dataset")
    p.add_argument("--minutes", type=float, default=6.0, metavar="M", help="for all trainings; default 6")
    p.add_argument("--fast", action="store_true", help="the first reading alone: seconds, no network")
    p.add_argument("--preset", default="quick", help="of the run that it is about: " + ", ".join(PRESETS))
    p.add_argument("--seeds", type=int, help="of that run")
    p.add_argument("--set", action="append", metavar="KEY=VALUE", help="any setting of that run")
    places.add_to(p)
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")


def verdict(args: Arguments) -> object:
    data = dataset.load(args.dataset)
    overrides = parse_assignments(args.set or [])
    if args.seeds is not None:
        overrides["seeds"] = args.seeds
    overrides.setdefault("grouping", groupings.names(data)[0])
    about = augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        preset=args.preset,
        symmetric=data.symmetric,
        overrides=overrides,
    )
    wanted = VerdictConfig.about(about, minutes=args.minutes, fast=args.fast)
    run_id = launch.submit(wanted, data=data, where=places.asked(args))
    if args.detach:
        say(f"Started {run_id}; follow it with: python -m gmaug_core status {run_id}")
        return describe_run(run_id)
    follow(run_id)
    found = Verdict.read(runs.find(run_id).result)
    show(found)
    return found.to_dict()


def show(found: Verdict) -> None:
    """The verdict and its witnesses, for people."""
    from gmaug_core.report import acceptance  # pandas

    measure = found.measure.replace("_", " ")
    say(found.verdict.sentence)
    say(found.verdict.change)
    for each in found.ceiling.projections:
        gain = with_interval(each.gain) if each.gain else f"not projected: {each.refused}"
        say(f"Ceiling, {each.label}: {gain}")
    seen = found.seen
    say(
        f"Seen: from {seen.smallest:.1f} points on ({seen.test_images:,} test images, {seen.seeds} seeds)"
        f"{seen.rests}"
    )
    if found.length:
        for rung in found.length.rungs:
            share, on_training = getattr(rung.accuracies, found.measure), rung.training_accuracy
            say(f"Length: {rung.steps:,} steps, {measure} {share:.1%}, on training images {on_training:.1%}")
    for row in found.free.recipes:
        say(f"Free: {row.label}, {with_interval(row.gain)}")
    if found.filter:
        say(f"Filter: {found.filter.rule} would accept {acceptance.of_real(found.filter.passed)}")
        if why := acceptance.too_strict(found.filter.passed):
            say(f"Filter: {why}")
    if found.law:
        law = found.law
        told = f"{with_interval(law.predicted)} (percent)" if law.predicted else law.refused
        say(f"Law: score {law.score:.4f}, {told}")
    for words in found.skipped:
        say(f"Not measured: {words}")
    say(f"On validation images, {measure}; {found.seconds:.0f} seconds")


def with_interval(figure: Figure) -> str:
    """'+2.3 points [+0.5, +3.9]'."""
    return f"{figure.value:+z.1f} points [{figure.low:+z.1f}, {figure.high:+z.1f}]"
