"""A verb is a name, a function of its arguments and one sentence; each subject's module registers its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # argparse does not let its own type be named at run time
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

Arguments = argparse.Namespace
Verb = Callable[[Arguments], object]  # returns what --json prints; what it prints itself is for people


class Verbs:
    """The verbs of one command line."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers: Subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(self, name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        """A new verb. text: one sentence, for the list of verbs and the verb's own help."""
        made = self._parsers.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="one JSON document on stdout")
        made.set_defaults(run_verb=run)
        return made
