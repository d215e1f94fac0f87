"""Verbs about people's decisions: review; audit, the trail of who did what; database, its backups."""

from __future__ import annotations

from dataclasses import asdict

from gmaug_core import runs
from gmaug_core.cli.augmentation import started
from gmaug_core.cli.output import say, when
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.runs import retraining
from gmaug_core.workspace import audit, recovering, reviews, safekeeping

SHOWN = 50  # rows that people see; --json has them all


def register(verbs: Verbs) -> None:
    p = verbs.add("review", review, "decide about samples of a run: your decision wins over the filter")
    p.add_argument("run")
    what = p.add_mutually_exclusive_group(required=True)
    for name, how_many, words in (
        ("accept", "+", "keep these; numbers as 'samples' lists them"),
        ("reject", "+", "leave these out"),
        ("undo", "+", "follow the filter again"),
        ("list", "*", "what was decided, by whom and when: of all, or of these"),
    ):
        what.add_argument(f"--{name}", nargs=how_many, type=int, metavar="SAMPLE", help=words)
    p = verbs.add("retrain", retrain, "a run that re-uses a finished one, where people's decisions win")
    p.add_argument("run")
    p.add_argument("--backend", default="local", help="local")
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")
    p = verbs.add("database", backups, "backups of what people edited; put one back")
    p.add_argument("--restore", metavar="BACKUP", help="in the place of workspace.db, which is moved aside")
    p = verbs.add("audit", show_audit, "who did what in this workspace, the newest first")
    p.add_argument("subject", nargs="?", metavar="DATASET|RUN", help="only what was done to this one")
    p.add_argument("--last", type=int, default=200, metavar="N", help="rows at most (200)")


def review(args: Arguments) -> object:
    paths = runs.find(args.run)
    named: list[int] = args.accept or args.reject or args.undo or args.list or []
    if args.list is None:
        from gmaug_core.data import samples  # pandas: a third of a second

        word = "keep" if args.accept else "reject" if args.reject else None
        count = samples.count(paths.samples)
        for sample in named:
            reviews.check(sample, word, count=count)
        reviews.save(paths.id, dict.fromkeys(named, word))
    found = [item for item in reviews.newest(paths.id).values() if not named or item.sample in set(named)]
    for item in found[:SHOWN]:
        say(f"{item.sample:>7} {item.decision:7} {item.person:20} {when(item.time)}")
    say(f"{len(found):,} decided by people")
    return {"run": paths.id, "decisions": [asdict(item) for item in found]}


def retrain(args: Arguments) -> object:
    return started(retraining.with_decisions(args.run), args)


def backups(args: Arguments) -> object:
    about = recovering.restore(args.restore) if args.restore else safekeeping.notice()
    if about:
        say(about.words)
        safekeeping.seen()
    found = safekeeping.backups()
    for each in found:
        say(f"{each.name}  {when(each.time)}  {each.size / 1e6:,.1f} MB")
    say(f"{len(found)} backups; the next one is made with the next edit that is a minute after the last one.")
    return {"restored": asdict(about) if about else None, "backups": [asdict(each) for each in found]}


def show_audit(args: Arguments) -> object:
    rows = audit.trail(max(args.last, 0), subject=args.subject)
    for row in rows:
        detail = ", ".join(f"{key} {value}" for key, value in row.detail.items())
        say(f"{when(row.time)}  {row.person:15} {row.action:20} {row.subject}  {detail}")
    say(f"{len(rows):,} rows")
    return [asdict(row) for row in rows]
