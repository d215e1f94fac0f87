"""The gate: ASGI middleware before every route. Nobody gets in without a session, which begins with the
one-time link of the terminal, or in shared mode with the provider's word.

A login inside the pages would guard their output alone; media, metrics and uploads would stay open to anyone
who reaches the port. So: deny by default, websocket included, and a rule for every route. A request must
name the dashboard as its host, whatever name led to this port, and what is more than reading must come from
the dashboard's own pages.
"""

from __future__ import annotations

import html
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gmaug_core.errors import GMAugError
from gmaug_core.ui import headers, rules
from gmaug_core.ui.invitation import Door
from gmaug_core.workspace import people, roles, sessions, sharing
from gmaug_core.workspace.people import Actor
from gmaug_core.workspace.sessions import Session
from gmaug_core.workspace.sharing import Sharing

SESSION = "x-gmaug-session"  # the gate's word to what is inside; one that a browser sends is taken off
LOCAL_HOURS = 30 * 24.0
SOCKET_CLOSED = 4401
# a page, not a redirect: that loses a SameSite=Strict cookie when the link is clicked on another site
ENTER = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={to}">'
    "<title>GMAug</title>"
)


class Gate:
    """Wraps the whole app; see the module's docstring."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            mode, broken = sharing.load(), None
        except GMAugError as error:
            mode, broken = None, error
        session = None if broken else session_of(scope, mode)
        if broken:
            refused: Response | None = page("Nobody is let in", html.escape(str(broken)), 503)
        else:
            refused = self.refusal(scope, mode, session)
        if scope["type"] == "websocket":
            if refused or session is None:
                await receive()
                await send({"type": "websocket.close", "code": SOCKET_CLOSED})
            else:
                await self._listen(_told(scope, session), receive, send, session.key)
            return

        ours = headers.of_mode(mode)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": headers.with_ours(list(message.get("headers", ())), ours)}
            await send(message)

        if refused:
            await refused(scope, receive, send_guarded)
            return
        with people.acting(actor_of(session, mode)):
            await self.app(_told(scope, session), receive, send_guarded)

    async def _listen(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        """A websocket, until its session ends: then what is inside hears that it is closed, and it is."""
        ended = False

        async def heard() -> Message:
            nonlocal ended
            message = await receive()
            if message["type"] == "websocket.receive" and sessions.find(key) is None:
                ended = True
                await send({"type": "websocket.close", "code": SOCKET_CLOSED})
                return {"type": "websocket.disconnect", "code": SOCKET_CLOSED}
            return message

        async def unless_ended(message: Message) -> None:
            if not ended:
                await send(message)

        await self.app(scope, heard, unless_ended)

    def refusal(self, scope: Scope, mode: Sharing | None, session: Session | None) -> Response | None:
        """What to answer instead of the app, or None to let the request through."""
        method = scope.get("method", rules.SOCKET)
        asked = rules.action(scope["path"], method)
        if not host_is_ours(scope, mode, open_route=asked == rules.OPEN):
            return page(
                "This is not the address of this dashboard",
                "Open it with the link that its terminal shows, or with the address that you were given.",
                421,
            )
        if method not in rules.READS and not same_origin(scope, mode):
            return page(
                "This request came from another site", "It was refused, and nothing was changed.", 403
            )
        if asked == rules.OPEN:
            return None
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if mode is None and scope["path"] == "/" and method == "GET" and token:
            if self.door.use(token, _port(scope)):
                return entered(scope, None, people.local().id, how="link")
            if session:
                return HTMLResponse(ENTER.format(to="/"))
        actor = actor_of(session, mode)
        if actor is None:
            return _not_in(scope["path"], mode)
        if asked is None:
            return page("There is no such page", '<a href="/">To the dashboard</a>', 404)
        if not roles.allowed(actor, asked):
            return page(
                "You have no right to this",
                f"To {asked} you need the role {roles.ACTIONS[asked]}; you have {actor.role}.",
                403,
            )
        return None


def _not_in(path: str, mode: Sharing | None) -> Response:
    if mode is not None:
        to = quote(path if path.strip("/") in rules.PAGES else "/", safe="")
        body = f'<a href="/access/login?to={to}">Sign in</a>'
        return page("This dashboard is private", body, 401)
    return page(
        "This dashboard is private",
        "Open it with the link that its terminal shows; it ends in <code>?token=…</code> and works once. "
        "If it was used already, the terminal shows the next one.",
        401,
    )


def entered(
    scope: Scope, mode: Sharing | None, person: str, *, how: str, name: str = "", to: str = "/"
) -> Response:
    """Begin a session: a page with its cookie that leads to `to`."""
    hours = mode.session_hours if mode else LOCAL_HOURS
    way: sessions.How = "oidc" if how == "oidc" else "link"
    cookie = sessions.begin(person, name=name, how=way, port=_port(scope), hours=hours)
    response = HTMLResponse(ENTER.format(to=html.escape(to)))
    response.set_cookie(
        cookie_name(_port(scope), mode),
        cookie,
        max_age=int(hours * 3600),
        httponly=True,
        samesite="strict",
        secure=bool(mode and mode.encrypted),
    )
    response.headers["cache-control"] = "no-store"
    return response


def session_of(scope: Scope, mode: Sharing | None) -> Session | None:
    """The session that the request's cookie belongs to, of the mode that the dashboard is in."""
    try:
        cookies: SimpleCookie = SimpleCookie(HTTPConnection(scope).headers.get("cookie", ""))
    except CookieError:
        return None
    held = cookies.get(cookie_name(_port(scope), mode))
    session = sessions.of_cookie(held.value, port=_port(scope)) if held else None
    return session if session and session.how == ("oidc" if mode else "link") else None


def actor_of(session: Session | None, mode: Sharing | None) -> Actor | None:
    """Who a session lets act, with the role that they have now."""
    if session is None:
        return None
    return mode.actor(session.person, session.name) if mode else Actor(session.person, "admin", session.name)


def host_is_ours(scope: Scope, mode: Sharing | None, *, open_route: bool = False) -> bool:
    """Whether the request names this dashboard as its host: a name that another site made to lead here
    (DNS rebinding) does not. An open route may be asked on this machine in shared mode too."""
    given = HTTPConnection(scope).headers.getlist("host")
    if len(given) != 1:
        return False
    if mode is not None and given[0].lower() == mode.host.lower():
        return True
    try:
        name = urlsplit(f"//{given[0]}").hostname
    except ValueError:
        return False
    return (mode is None or open_route) and sharing.loopback(name)


def same_origin(scope: Scope, mode: Sharing | None) -> bool:
    """Whether the request names no origin, or the dashboard's own; what the browser says of the site that it
    comes from must agree."""
    given = HTTPConnection(scope).headers
    if given.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = given.get("origin")
    if origin is None:
        return True
    return origin == mode.public_url if mode else urlsplit(origin).netloc == given.get("host")


def cookie_name(port: int, mode: Sharing | None) -> str:
    """Cookies ignore the port: two dashboards on one machine must not log each other out. Over TLS no other
    name of the same domain can set it."""
    return f"__Host-gmaug-{port}" if mode and mode.encrypted else f"gmaug-{port}"


def page(title: str, body: str, status: int) -> HTMLResponse:
    """A page of the gate's own. body is our own HTML; escape foreign text in it."""
    style = "font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:16vh auto;padding:0 1.5rem"
    head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>GMAug</title>'
    text = f'<!doctype html>{head}<body style="{style}"><h1 style="font-weight:500">'
    return HTMLResponse(
        f"{text}{html.escape(title)}</h1><p>{body}</p>",
        status_code=status,
        headers={"cache-control": "no-store"},
    )


def _port(scope: Scope) -> int:
    return (scope.get("server") or ("", 0))[1] or 0


def _told(scope: Scope, session: Session | None) -> MutableMapping[str, Any]:
    """The request with the gate's word about whose it is."""
    name = SESSION.encode()
    kept = [pair for pair in scope["headers"] if pair[0].lower() != name]
    return {**scope, "headers": [*kept, (name, session.key.encode())] if session else kept}
