"""Who may do what: one rule an action, one function that answers, one guard around everything that writes.

The model is actor, action, resource. Deny by default: an action without a rule is nobody's. What was refused
leaves a row in the trail, as what was done does.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from gmaug_core.errors import Forbidden, GMAugError
from gmaug_core.workspace import audit, people
from gmaug_core.workspace.people import ROLES, Actor

ACTIONS: dict[str, str] = {  # what is done -> the least role that may
    "look": "viewer",
    "review samples": "annotator",
    "mark run": "annotator",
    "import dataset": "editor",
    "rename dataset": "editor",
    "delete dataset": "editor",  # into the bin, for 30 days
    "edit grouping": "editor",
    "delete grouping": "editor",
    "restore grouping": "editor",
    "submit run": "editor",
    "stop run": "editor",
    "resume run": "editor",
    "delete run": "editor",
    "restore from bin": "editor",
    "export run": "viewer",
    "import run": "editor",
    "import from the server's disk": "admin",
    "empty bin": "admin",
    "end sessions": "admin",
    "see server figures": "admin",
    "back up workspace": "admin",
    "restore workspace": "admin",
    "restore database": "admin",
    "dismiss notice": "editor",
}

P = ParamSpec("P")
R = TypeVar("R")


def allowed(actor: Actor | None, action: str, resource: str = "") -> bool:
    """Whether the actor may do the action to the resource (the id of a dataset or run; "": none)."""
    least = ACTIONS.get(action)
    if actor is None or least is None:
        return False
    held = [role for role in (actor.role, actor.on.get(resource)) if role in ROLES]
    return any(ROLES.index(role) >= ROLES.index(least) for role in held)


def require(action: str, resource: str = "") -> None:
    """Raises Forbidden, and leaves a row in the trail, unless whoever acts may do it."""
    actor = people.current()
    if allowed(actor, action, resource):
        return
    audit.record(f"refused: {action}", resource, reason="no right to")
    about = f" '{resource}'" if resource else ""
    who = f"'{actor.id}' ({actor.role or 'no role'})" if actor else "somebody who is not signed in"
    raise Forbidden(
        f"{who} may not {action}{about}",
        expected=f"the role {ACTIONS[action]} or a higher one" if action in ACTIONS else "",
        todo="ask whoever runs this dashboard for the role" if actor else "sign in, then do it again",
    )


@contextmanager
def attempt(action: str, resource: str = "") -> Iterator[None]:
    """Around something that writes: refused unless whoever acts may do it; a refusal by the work itself
    leaves a row in the trail too."""
    require(action, resource)
    try:
        yield
    except GMAugError as error:
        with contextlib.suppress(GMAugError, OSError):  # the refusal itself is what people must hear of
            audit.record(f"refused: {action}", resource, reason=error.what)
        raise


def guarded(action: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function that writes, inside `attempt(action, its first argument)`: the id of what it changes, or
    the path of what it takes in, of which a given `name` or the last part is told."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            first = args[0] if args else ""
            resource = first if isinstance(first, str) else str(kwargs.get("name") or Path(str(first)).name)
            with attempt(action, resource):
                return function(*args, **kwargs)

        inside.action = action  # type: ignore[attr-defined]  # what the test of all writers looks for
        return inside

    return wrap
