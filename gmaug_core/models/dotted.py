"""What a record names: "package.module:Class" to the class."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def imported(implementation: str) -> Any:
    """The class of a record's `implementation`, imported now: torch loads where a network is wanted, not
    before.
    """
    module, name = implementation.split(":")
    return getattr(import_module(module), name)
