"""The command line: python -m gmaug_core VERB. The app can do nothing that this cannot.

With --json exactly one JSON document goes to stdout; progress and messages go to stderr.
Exit status: 0 done, 1 failed, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence

from gmaug_core import __version__, disk
from gmaug_core.cli import (
    access,
    app,
    augmentation,
    bin,
    datasets,
    equivalence,
    groupings,
    reviews,
    runs,
    samples,
    similarity,
    verdict,
)
from gmaug_core.cli.output import one_document
from gmaug_core.cli.verbs import Verbs
from gmaug_core.errors import GMAugError
from gmaug_core.workspace import safekeeping

SUBJECTS = (
    app,
    datasets,
    groupings,
    similarity,
    verdict,
    equivalence,
    augmentation,
    samples,
    reviews,
    runs,
    bin,
    access,
)


def parser() -> argparse.ArgumentParser:
    """Every subject's verbs. Building it is quick: a verb imports what is heavy when it is run."""
    top = argparse.ArgumentParser(
        prog="python -m gmaug_core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=__version__)
    verbs = Verbs(top)
    for subject in SUBJECTS:
        subject.register(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    args = parser().parse_args(arguments)
    try:
        if args.json:
            one_document(lambda: args.run_verb(args))
        else:
            args.run_verb(args)
        if about := safekeeping.notice():
            print(f"{about.words} 'gmaug database' says it once more.", file=sys.stderr)
    except GMAugError as error:
        return _refused(error, args.json)
    except OSError as error:
        problem = disk.explained(error)
        if problem is None:
            raise
        return _refused(problem, args.json)
    return 0


def _refused(error: GMAugError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
    print(f"error: {error}", file=sys.stderr)
    return error.exit_status


def entry() -> int:
    """The exit status of the command that was typed."""
    for stream in (sys.stdout, sys.stderr):  # a console that knows ASCII alone sees escapes, no traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return main()
    except BrokenPipeError:  # the reader of a pipe went away, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
