"""Errors that a person can act on: what happened, what was expected, what to do next."""

from __future__ import annotations


class GMAugError(Exception):
    """An error in three parts. Exit status 1 on the command line; shown in words by the pages.

    what: the item and the cause ("class 'rose' has 1 image"); expected: what would have been right;
    todo: the next step for the person. None of them holds an absolute path or a traceback.
    """

    exit_status = 1

    def __init__(self, what: str, *, expected: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.todo = todo

    def __str__(self) -> str:
        parts = [self.what]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.todo:
            parts.append(f"Next: {self.todo}")
        return " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts)

    def to_dict(self) -> dict[str, str]:
        """The three parts, for JSON: keys what, expected, todo."""
        return {"what": self.what, "expected": self.expected, "todo": self.todo}


class InputError(GMAugError):
    """What the person gave cannot be used: bad file, unknown name, invalid setting. Exit status 2."""

    exit_status = 2


class Damaged(GMAugError):
    """A file whose bytes are not those that were written."""


class TooNew(GMAugError):
    """A file that a newer version of this program wrote."""


class Conflict(GMAugError):
    """Somebody else changed the same thing first; nothing was overwritten."""


class Forbidden(GMAugError):
    """Whoever acts has no right to what was asked; nothing was changed."""


class Stopped(Exception):
    """should_stop() said so: the work ended early at a safe point. Not a failure."""


class Paused(Stopped):
    """The work ended early by itself to ask a person, whose answer is to resume it or not. Its text says why,
    in words for that person.
    """


class Diverged(GMAugError):
    """Training produced a value that is not finite; the last good snapshot is kept."""
