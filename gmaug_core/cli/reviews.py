"""Verbs about people's decisions: review, and audit, the trail of who did what."""

from __future__ import annotations

from dataclasses import asdict

from gmaug_core import runs
from gmaug_core.cli.output import say, when
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.errors import InputError
from gmaug_core.workspace import audit, reviews

SHOWN = 50  # rows that people see; --json has them all


def register(verbs: Verbs) -> None:
    p = verbs.add("review", review, "decide about samples of a run: your decision wins over the filter")
    p.add_argument("run")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--accept", dest="decision", action="store_const", const="keep", help="keep them")
    what.add_argument(
        "--reject", dest="decision", action="store_const", const="reject", help="leave them out"
    )
    what.add_argument("--undo", action="store_true", help="follow the filter again")
    what.add_argument("--list", action="store_true", help="what was decided, by whom and when")
    p.add_argument("samples", nargs="*", type=int, metavar="SAMPLE", help="numbers, as 'samples' lists them")
    p = verbs.add("audit", show_audit, "who did what in this workspace, the newest first")
    p.add_argument("subject", nargs="?", metavar="DATASET|RUN", help="only what was done to this one")
    p.add_argument("--last", type=int, default=200, metavar="N", help="rows at most (200)")


def review(args: Arguments) -> object:
    paths = runs.find(args.run)
    if not args.list:
        from gmaug_core.data import samples  # pandas: a third of a second

        if not args.samples:
            raise InputError("no sample was named", expected="numbers of samples after the run")
        count = samples.count(paths.samples)
        for sample in args.samples:
            reviews.check(sample, args.decision, count=count)
        reviews.save(paths.id, dict.fromkeys(args.samples, args.decision))
    found = list(reviews.newest(paths.id).values())
    if args.samples:
        found = [item for item in found if item.sample in set(args.samples)]
    for item in found[:SHOWN]:
        say(f"{item.sample:>7} {item.decision:7} {item.person:20} {when(item.time)}")
    say(f"{len(found):,} decided by people")
    return {"run": paths.id, "decisions": [asdict(item) for item in found]}


def show_audit(args: Arguments) -> object:
    rows = audit.trail(max(args.last, 0), subject=args.subject)
    for row in rows:
        detail = ", ".join(f"{key} {value}" for key, value in row.detail.items())
        say(f"{when(row.time)}  {row.person:15} {row.action:20} {row.subject}  {detail}")
    say(f"{len(rows):,} rows")
    return [asdict(row) for row in rows]
