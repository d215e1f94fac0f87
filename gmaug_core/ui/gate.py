"""The gate: ASGI middleware before every route. Nobody gets in without the one-time link that the terminal
shows.

A login inside the pages would guard their output alone; media, metrics and uploads would stay open to anyone
who reaches the port. So: deny by default, websocket included. The link is exchanged for an HttpOnly cookie
and is used up; the next one is said in the terminal. The cookie outlives a restart of the server: its secret
lies in the workspace, mode 0600.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import os
import re
import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import streamlit
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gmaug_core.home import home

OPEN_ROUTES = ("/_stcore/health",)  # says "ok" and nothing else: what a start script polls
COOKIE_SECONDS = 30 * 24 * 3600


def _inline_scripts() -> str:
    """CSP hashes of the inline scripts in Streamlit's own start page, whatever its version."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes()
    found = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in found
    )


# Streamlit needs inline styles, and compiles component code from blobs and chart expressions at run time.
POLICY = (
    f"default-src 'self'; script-src 'self' 'unsafe-eval' blob: {_inline_scripts()}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# a page, not a redirect: that loses a SameSite=Strict cookie when the link is clicked on another site
ENTER = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>GMAug</title>'
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Door:
    """The current one-time token.

    $GMAUG_TOKEN fixes it (tests, scripts); then it can be used again and again.
    """

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.fixed = os.environ.get("GMAUG_TOKEN")
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


def secret() -> bytes:
    """The workspace's own secret, made at first use."""
    path = home() / "secret"
    if not path.exists():
        mine = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(mine, path)  # whole or not at all, and the first one wins
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_bytes()


def sign(text: str) -> str:
    """HMAC-SHA256 of the text under the workspace's secret, 64 hex digits."""
    return hmac.new(secret(), text.encode(), hashlib.sha256).hexdigest()


class Gate:
    """Wraps the whole app; see the module's docstring."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        port = (scope.get("server") or ("", 0))[1] or 0
        if scope["type"] == "websocket":
            if not (same_origin(scope) and admitted(scope, port)):
                await receive()
                await send({"type": "websocket.close", "code": 4401})
                return
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        response = self.refusal(scope, port)
        await (response or self.app)(scope, receive, send_guarded)

    def refusal(self, scope: Scope, port: int) -> Response | None:
        """What to answer instead of the app, or None to let the request through."""
        if scope["path"] in OPEN_ROUTES and scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] not in ("GET", "HEAD") and not same_origin(scope):
            return _page(
                "This request came from another site", "It was refused, and nothing was changed.", 403
            )
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and scope["method"] == "GET" and token:
            if self.door.use(token, port):
                response = HTMLResponse(ENTER)
                response.set_cookie(
                    _cookie_name(port),
                    _cookie(port),
                    max_age=COOKIE_SECONDS,
                    httponly=True,
                    samesite="strict",
                )
                response.headers["cache-control"] = "no-store"
                return response
            if admitted(scope, port):
                return HTMLResponse(ENTER)
        if admitted(scope, port):
            return None
        return _page(
            "This dashboard is private",
            "Open it with the link that its terminal shows; it ends in <code>?token=…</code> and works once. "
            "If it was used already, the terminal shows the next one.",
            401,
        )


def admitted(scope: Scope, port: int) -> bool:
    """Whether the request carries our cookie for this port."""
    try:
        cookies: SimpleCookie = SimpleCookie(HTTPConnection(scope).headers.get("cookie", ""))
    except CookieError:
        return False
    held = cookies.get(_cookie_name(port))
    return held is not None and hmac.compare_digest(held.value.encode(), _cookie(port).encode())


def same_origin(scope: Scope) -> bool:
    """Whether the request names no origin, or its own."""
    headers = HTTPConnection(scope).headers
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _cookie_name(port: int) -> str:
    return (
        f"gmaug-{port}"  # cookies ignore the port: two dashboards on one machine must not log each other out
    )


def _cookie(port: int) -> str:
    return sign(f"cookie {port}")


def _page(title: str, body: str, status: int) -> HTMLResponse:
    style = "font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:16vh auto;padding:0 1.5rem"
    head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>GMAug</title>'
    text = f'<!doctype html>{head}<body style="{style}"><h1 style="font-weight:500">'
    return HTMLResponse(
        f"{text}{html.escape(title)}</h1><p>{body}</p>",
        status_code=status,
        headers={"cache-control": "no-store"},
    )
