"""Verbs for whoever looks after a workspace: backup, sessions. `restore` is with the verbs of the bin."""

from __future__ import annotations

from pathlib import Path

from gmaug_core.cli.output import Bar, say, when
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.workspace import sessions

MB = 10**6


def register(verbs: Verbs) -> None:
    p = verbs.add("backup", backup, "the whole workspace as one file, also while runs are at work")
    p.add_argument("file", metavar="FILE.tar")
    p = verbs.add("sessions", signed_in, "which browsers are signed in")
    p.add_argument("--end-all", action="store_true", help="sign all of them out")


def backup(args: Arguments) -> object:
    from gmaug_core.runs import backup as backups

    with Bar() as bar:
        made = backups.write(Path(args.file), report=bar)
    say(f"{len(made.files):,} files ({made.size / MB:,.0f} MB), each with its hash: {Path(args.file).name}")
    say("It comes back, into an empty GMAUG_HOME, with: python -m gmaug_core restore FILE.tar")
    return {"file": str(args.file), "files": len(made.files), "bytes": made.size}


def restored(file: str) -> object:
    """What `restore FILE.tar` does."""
    from gmaug_core.runs import restoring

    with Bar() as bar:
        made = restoring.restore(Path(file), report=bar)
    say(f"{len(made.files):,} files are back, as they were on {when(made.made)}; every hash is right.")
    return {"file": file, "files": len(made.files), "bytes": made.size, "made": made.made}


def signed_in(args: Arguments) -> object:
    if args.end_all:
        ended = sessions.end_all()
        say(f"{ended} signed out.")
        return {"ended": ended}
    found = sessions.listed()
    for session in found:
        say(f"{session.person:30} by {session.how:4} since {when(session.begun)}, until {when(session.ends)}")
    if not found:
        say("Nobody is signed in.")
    keys = ("person", "name", "how", "port", "begun", "ends")
    return [{key: getattr(session, key) for key in keys} for session in found]
