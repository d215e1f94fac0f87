"""README and the command line name the same verbs."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from gmaug_core.cli.main import parser

README = (Path(__file__).resolve().parent.parent.parent / "README.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"(?:^|[\s`(])(?:python -m gmaug_core|gmaug) ([a-z]+)\b", README, re.MULTILINE))


def verbs() -> set[str]:
    (choices,) = (
        action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(choices)


def test_every_verb_is_in_the_readme():
    assert verbs() - NAMED == set()


def test_the_readme_names_no_verb_that_is_not_there():
    assert NAMED - verbs() == set()
