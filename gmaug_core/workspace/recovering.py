"""The database of what people edit put back by a person: guarded, and left in the trail."""

from __future__ import annotations

from gmaug_core.workspace import audit, database, roles, safekeeping


@roles.guarded("restore database")
def restore(name: str) -> safekeeping.Restored:
    """Put a backup in the place of the database, which is moved aside. Raises Forbidden, and InputError for
    an unknown backup."""
    about = database.restore(name)
    audit.record("database restored", name, set_aside=about.aside)
    return about


@roles.guarded("dismiss notice")
def seen() -> None:
    """A person has read what was restored by itself: nobody else is told again."""
    safekeeping.seen()
