"""Where a run is to be worked at: the arguments that every verb which starts one has."""

from __future__ import annotations

import argparse

from gmaug_core.cli.verbs import Arguments
from gmaug_core.runs.backends import Backend, backend


def add_to(parser: argparse.ArgumentParser) -> None:
    """--backend and --address."""
    parser.add_argument("--backend", metavar="B", help="local (default), or ray: a cluster")
    parser.add_argument(
        "--address", metavar="URL", help="of the Ray cluster, http://HOST:8265; default: $GMAUG_RAY_ADDRESS"
    )


def asked(args: Arguments) -> Backend:
    """The place that the arguments name, by default this machine. Raises InputError for one that is none."""
    return backend(args.backend or "local", args.address)


def moved_to(args: Arguments) -> Backend | None:
    """The place that the arguments name, None where they name none: the run stays where it was."""
    return backend(args.backend or "local", args.address) if args.backend or args.address else None
