"""Verbs about what is no longer wanted: delete, bin, restore; and rename."""

from __future__ import annotations

from gmaug_core.cli.access import restored
from gmaug_core.cli.output import say
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.home import room
from gmaug_core.runs import bin as bins
from gmaug_core.runs import folder
from gmaug_core.runs.bin import DAYS, Binned
from gmaug_core.workspace import groupings, names

MB = 10**6


def register(verbs: Verbs) -> None:
    p = verbs.add(
        "delete", delete, f"move a dataset with its runs, a run or a grouping to the bin, for {DAYS} days"
    )
    p.add_argument("subject", metavar="DATASET|RUN")
    p.add_argument("--grouping", metavar="G", help="this grouping of the dataset alone")
    p = verbs.add("restore", restore, "put back what was deleted, or a whole workspace from its backup")
    p.add_argument("subject", metavar="DATASET|RUN|ENTRY|FILE.tar")
    p.add_argument("--grouping", metavar="G", help="a deleted grouping of the dataset")
    p = verbs.add("bin", contents, f"what was deleted; what is older than {DAYS} days leaves for good")
    p.add_argument("--empty", action="store_true", help="delete all that is in it for good")
    p = verbs.add("rename", rename, "give a dataset another name; its id stays")
    p.add_argument("dataset")
    p.add_argument("name")


def delete(args: Arguments) -> object:
    if args.grouping is not None:
        data = dataset.load(args.subject)
        _, revision = groupings.current(data, args.grouping)
        groupings.delete(data.id, args.grouping, revision=revision)
        say(f"Deleted grouping '{args.grouping}' of {data.id}; 'restore' with --grouping brings it back.")
        return {"dataset": data.id, "grouping": args.grouping}
    entry = deleted(args.subject)
    say(
        f"Moved {entry.subject}{_with_runs(entry)} to the bin ({entry.size / MB:,.0f} MB). It comes back "
        f"with: python -m gmaug_core restore {entry.subject}"
    )
    return entry.to_dict()


def deleted(subject: str) -> Binned:
    """Move a dataset or a run to the bin. Raises InputError for what is neither."""
    if (room("datasets") / subject).is_dir():
        return bins.delete_dataset(subject)
    if (folder.root() / subject).is_dir():
        return bins.delete_run(subject)
    raise InputError(
        f"there is no dataset and no run '{subject}'",
        expected="the id of one",
        todo="list them with: python -m gmaug_core datasets, or runs",
    )


def restore(args: Arguments) -> object:
    if args.subject.endswith(".tar"):  # no dataset, run or entry has a dot in its name
        return restored(args.subject)
    if args.grouping is not None:
        data = dataset.load(args.subject)
        groupings.restore(data.id, args.grouping)
        say(f"Grouping '{args.grouping}' of {data.id} is back.")
        return {"dataset": data.id, "grouping": args.grouping}
    entry = bins.restore(args.subject)
    say(f"{entry.subject}{_with_runs(entry)} is back.")
    return entry.to_dict()


def contents(args: Arguments) -> object:
    freed = bins.empty(bins.listed() if args.empty else bins.expired())
    if freed:
        say(f"{freed / MB:,.0f} MB are free again.")
    found = bins.listed()
    for entry in found:
        say(
            f"{entry.subject:45} {entry.size / MB:>9,.0f} MB  {entry.days_left:3.0f} days left"
            f"{_with_runs(entry)}"
        )
    if not found:
        say("The bin is empty.")
    return [entry.to_dict() for entry in found]


def rename(args: Arguments) -> object:
    summary = names.rename(args.dataset, args.name)
    say(f"{summary.id} is called '{summary.name}' now.")
    return {"dataset": summary.id, "name": summary.name}


def _with_runs(entry: Binned) -> str:
    return f" and {len(entry.runs)} run{'s' * (len(entry.runs) != 1)} on it" if entry.runs else ""
