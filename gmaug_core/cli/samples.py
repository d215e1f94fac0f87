"""The verb about a run's synthetic images: samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmaug_core import runs
from gmaug_core.cli.output import say
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.config import AugmentationConfig
from gmaug_core.runs import RunConfigFile
from gmaug_core.workspace import reviews, views

if TYPE_CHECKING:
    from gmaug_core.report.browsing import Filter

SHOWN = 50  # samples that people see; --json has them all


def register(verbs: Verbs) -> None:
    p = verbs.add("samples", list_samples, "the synthetic images of a run with scores and reasons")
    p.add_argument("run")
    which = p.add_mutually_exclusive_group()
    which.add_argument("--accepted", action="store_true", help="only those that the filter accepted")
    which.add_argument("--rejected", action="store_true", help="only those that it rejected")
    p.add_argument("--class", dest="class_name", default="", metavar="C", help="only those of a class")
    p.add_argument("--reason", default="", metavar="R", help="only those with this reason")
    p.add_argument("--step", type=int, metavar="N", help="only those of a select-and-retrain step")
    p.add_argument("--seed", type=int, metavar="N", help="whose verdict; by default the first judge's")
    p.add_argument("--decision", default="any", metavar="D", help="undecided, keep, reject or overruled")
    p.add_argument(
        "--order", default="drawn", help="drawn; score, low (or high) first; most (or least) typical first"
    )
    p.add_argument(
        "--near", default="any", help="nearly a training image; nearly another sample (needs a map)"
    )
    p.add_argument(
        "--map", action="store_true", help="make the map of the run's images first; takes a minute"
    )
    p.add_argument(
        "--threshold", type=float, metavar="T", help="as the run's rule would have it with this threshold"
    )
    p.add_argument("--view", metavar="V", help="the filters that somebody saved under this name")
    p.add_argument("--save-view", metavar="V", help="save these filters under a name, for the page too")


def list_samples(args: Arguments) -> object:
    from gmaug_core.data import sample_map, samples  # pandas: a third of a second
    from gmaug_core.report import browsing

    paths = runs.find(args.run)
    rule = RunConfigFile.read(paths.config).settings_as(AugmentationConfig).selection
    if args.map:
        from gmaug_core.work import mapping  # torch

        mapping.make(paths.id)
    table = samples.table(paths.samples)
    want = _filter(args, paths.id, int(table["seed"].min()) if len(table) else 0)
    if args.save_view:
        views.save(paths.id, args.save_view, want.given())
    table = browsing.judged(table, paths.samples, rule, want.threshold)
    table = sample_map.located(table, paths.samples)
    decisions = reviews.load(paths.id)
    table = browsing.chosen(table, want, decisions)
    rows = [row | {"review": decisions.get(row["sample"])} for row in table.to_dict("records")]
    for row in rows[:SHOWN]:
        say(
            f"{row['sample']:>7} {row['class']:20} logit {row['logit']:7.2f}  "
            f"p {row['probability']:.3f}  {row['reason']}"
        )
    say(f"{len(rows):,} samples" + (", of the first fold" if paths.shown != paths.folder else ""))
    return rows


def _filter(args: Arguments, run: str, first: int) -> Filter:
    """What the options ask for, or the saved view. first: the judge where none is named."""
    from gmaug_core.report.browsing import Filter

    if args.view:
        return Filter.of(views.find(run, args.view).given)
    return Filter(
        seed=first if args.seed is None else args.seed,
        verdict="accepted" if args.accepted else "rejected" if args.rejected else "all",
        name=args.class_name,
        reason=args.reason,
        step=args.step,
        decision=args.decision,
        order=args.order,
        near=args.near,
        threshold=args.threshold,
    )
