"""Who is signed in, on the server's side: `sessions/<key>.json`, one file a browser.

The browser holds a random cookie; the key is its hash, so the files let nobody in. A session ends when its
file goes: by signing out, by its time, or by whoever runs the dashboard.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from typing import Literal

from gmaug_core.config.documents import Document
from gmaug_core.errors import GMAugError
from gmaug_core.home import room
from gmaug_core.workspace import audit, roles

ROOM = "sessions"
How = Literal["link", "oidc"]
KEY = re.compile(r"[0-9a-f]{32}")
COOKIE = re.compile(r"[0-9A-Za-z_-]{43}")


class Session(Document):
    """One browser that was let in."""

    TITLE = "session"
    FILE = "<key>.json"
    SCHEMA = 1

    key: str
    """The first 32 hex digits of the cookie's SHA-256."""
    person: str
    """Who it is: the user of this machine for the terminal's link, else what the provider calls them."""
    name: str = ""
    """Their name as the provider writes it."""
    how: How
    """What let them in."""
    port: int
    """The dashboard's port; another one on the same machine does not take this session."""
    begun: float
    """When, in seconds since 1970."""
    ends: float
    """When it is over at the latest, in seconds since 1970."""


def begin(person: str, *, name: str = "", how: How, port: int, hours: float) -> str:
    """Begin a session; returns the cookie, which is stored nowhere."""
    cookie = secrets.token_urlsafe(32)
    now = time.time()
    session = Session.new(
        key=key_of(cookie), person=person, name=name, how=how, port=port, begun=now, ends=now + hours * 3600
    )
    session.write(room(ROOM) / f"{session.key}.json")
    audit.record("signed in", session.key[:8], person=person, how=how)
    return cookie


def key_of(cookie: str) -> str:
    """Under which name the session of a cookie is kept."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]


def find(key: str) -> Session | None:
    """A session that has not ended, by its key."""
    if not KEY.fullmatch(key):
        return None
    try:
        session = Session.read(room(ROOM) / f"{key}.json")
    except (FileNotFoundError, GMAugError):  # gone, or damaged: nobody is let in by it
        return None
    return session if session.ends > time.time() else None


def of_cookie(cookie: str, *, port: int) -> Session | None:
    """The session of a browser's cookie; None where there is none, or it is another port's."""
    session = find(key_of(cookie)) if COOKIE.fullmatch(cookie) else None
    return session if session and session.port == port else None


def end(key: str) -> None:
    """End a session for good: its cookie opens nothing any more, and its open pages are cut off."""
    path = room(ROOM) / f"{key}.json"
    if KEY.fullmatch(key) and path.exists():
        path.unlink(missing_ok=True)
        audit.record("signed out", key[:8])


def listed() -> list[Session]:
    """Those that have not ended, the newest first. What is over is swept away."""
    found = []
    for path in room(ROOM).glob("*.json"):
        try:
            session = Session.read(path)
        except (FileNotFoundError, GMAugError):
            continue
        if session.ends > time.time():
            found.append(session)
        else:
            path.unlink(missing_ok=True)
    return sorted(found, key=lambda session: session.begun, reverse=True)


@roles.guarded("end sessions")
def end_all() -> int:
    """End every session. Returns how many there were."""
    found = listed()
    for session in found:
        end(session.key)
    return len(found)
