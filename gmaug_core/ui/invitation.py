"""Local mode: the one-time link that the terminal shows."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable

VARIABLE = "GMAUG_TOKEN"


class Door:
    """The current one-time token.

    $GMAUG_TOKEN fixes it (tests, scripts); then it can be used again and again.
    """

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.fixed = os.environ.get(VARIABLE)
        self.token = self.fixed or secrets.token_urlsafe(24)
        self.say = say

    def invitation(self, port: int) -> str:
        """What the terminal says."""
        how = "" if self.fixed else " (it works once)"
        return f"\n  GMAug is ready. Open it with this link{how}:\n\n    {self.link(port)}\n"

    def link(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/?token={self.token}"

    def use(self, token: str, port: int) -> bool:
        """Whether the token opens; a token that is not fixed is used up by it, and the next link is said."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return False
        if not self.fixed:
            self.token = secrets.token_urlsafe(24)
            self.say(f"  That link is used up. For another browser: {self.link(port)}")
        return True
