"""The source of each image (patient, slide, video), found in its path by an expression."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gmaug_core.data.folders import clean_name
from gmaug_core.data.store import Placed, listed
from gmaug_core.errors import InputError


def source_pattern(text: str) -> re.Pattern[str]:
    """The expression that finds an image's source in its path. Raises InputError as `expression` does."""
    return expression(text, "a regular expression whose first parentheses match the source: '(patient\\d+)'")


def expression(text: str, expected: str) -> re.Pattern[str]:
    """A person's expression, which finds something in a path. Raises InputError: no expression, or one
    without parentheses."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(f"'{text}' is no regular expression: {error}", expected=expected) from error
    if not pattern.groups:
        raise InputError(f"'{text}' has no parentheses", expected=expected)
    return pattern


def with_sources(placed: Sequence[Placed], pattern: re.Pattern[str]) -> tuple[list[Placed], list[str]]:
    """The same with the source of each image, and what a person should know of it. Raises InputError where
    no path has one."""
    found = [(match[1] or "") if (match := pattern.search(image.file)) else "" for image, _ in placed]
    named = [name for name in found if name]
    if not named:
        raise InputError(
            f"'{pattern.pattern}' matches no path, such as '{clean_name(placed[0][0].file)[-80:]}'",
            expected="an expression that finds the source in the images' paths",
            todo="try it on one of the paths, or import without --group",
        )
    sides: dict[str, set[str]] = defaultdict(set)
    for name, (_, place) in zip(found, placed, strict=True):
        if name:
            sides[name].add(place.split)
    told = []
    if len(named) < len(found):
        told.append(f"{len(found) - len(named):,} images have no source: each counts as one of its own")
    if leaking := sorted(name for name, splits in sides.items() if len(splits) > 1):
        told.append(
            f"{len(leaking):,} of {len(sides):,} sources have images in more than one split, so a model is "
            f"judged on sources it was trained on: {listed(leaking)}"
        )
    given = [(replace(image, group=name), place) for name, (image, place) in zip(found, placed, strict=True)]
    return given, told
