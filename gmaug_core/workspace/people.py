"""Who acts: the person at this machine's command line, or the one whose session a request belongs to."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

ROLES = ("viewer", "annotator", "editor", "admin")  # each may do what those before it may
NOBODY = "nobody"


@dataclass(frozen=True)
class Actor:
    """A person with what they are. role: on everything, None for no rights at all.

    on: a higher role on one dataset or run, by its id.
    """

    id: str
    role: str | None
    name: str = ""
    on: Mapping[str, str] = field(default_factory=dict)


def local() -> Actor:
    """The user of this machine, who may do everything: the files are theirs. "local" where the machine
    has no name for them."""
    try:
        return Actor(getpass.getuser(), "admin")
    except (OSError, KeyError, ImportError):
        return Actor("local", "admin")


_acting: ContextVar[tuple[Actor | None] | None] = ContextVar("acting", default=None)
_asked: list[Callable[[], Actor | None]] = []


@contextmanager
def acting(actor: Actor | None) -> Iterator[None]:
    """Inside, `actor` acts; None: somebody who is not known."""
    before = _acting.set((actor,))
    try:
        yield
    finally:
        _acting.reset(before)


@contextmanager
def asking(source: Callable[[], Actor | None]) -> Iterator[None]:
    """Inside, in every thread, `source` says who acts where no `acting` does: a server knows its visitors."""
    before = _asked[:]
    _asked[:] = [source]
    try:
        yield
    finally:
        _asked[:] = before


def current() -> Actor | None:
    """Who acts now; None for somebody who is not known, and may do nothing."""
    told = _acting.get()
    if told is not None:
        return told[0]
    return _asked[0]() if _asked else local()


def name() -> str:
    """The acting person's id, as the trail writes it."""
    actor = current()
    return NOBODY if actor is None else actor.id
