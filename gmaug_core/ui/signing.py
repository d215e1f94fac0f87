"""Signing out; in shared mode also signing in, at the provider."""

from __future__ import annotations

import hmac
import html

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gmaug_core.errors import GMAugError
from gmaug_core.ui import gate, oidc, rules
from gmaug_core.workspace import audit, sessions, sharing

LOGIN_COOKIE = "gmaug-login"  # ties the provider's answer to the browser that asked
LOGIN_PATH = "/access/callback"
SIGN_OUT = "/access/sign-out"
FORM = (
    f'<form method="post" action="{SIGN_OUT}">'
    '<button style="font:inherit;padding:.4rem 1rem">Sign out</button></form>'
)


async def sign_in(request: Request) -> Response:
    """To the provider, and from there back to `callback`."""
    mode = sharing.load()
    if mode is None:
        return gate.page("There is no such page", '<a href="/">To the dashboard</a>', 404)
    to = request.query_params.get("to", "/")
    try:
        asked = await run_in_threadpool(oidc.ask, mode, to if to.strip("/") in rules.PAGES else "/")
    except GMAugError as error:
        return gate.page("The provider cannot be asked", html.escape(str(error)), 502)
    response = RedirectResponse(asked.url, status_code=303)
    response.set_cookie(
        LOGIN_COOKIE,
        asked.state,
        max_age=oidc.PATIENCE_S,
        path=LOGIN_PATH,
        httponly=True,
        samesite="lax",  # the way back begins at the provider
        secure=mode.encrypted,
    )
    response.headers["cache-control"] = "no-store"
    return response


async def callback(request: Request) -> Response:
    """The provider's answer: a session for whom it vouches for and somebody gave a role."""
    mode = sharing.load()
    if mode is None:
        return gate.page("There is no such page", '<a href="/">To the dashboard</a>', 404)
    state, held = request.query_params.get("state", ""), request.cookies.get(LOGIN_COOKIE, "")
    try:
        if not state or not hmac.compare_digest(state.encode(), held.encode()):
            raise oidc.refused("this answer is not for a sign-in that this browser began")
        person = await run_in_threadpool(oidc.answered, mode, state, dict(request.query_params))
        if mode.actor(person.id) is None:
            raise oidc.refused(f"nobody gave '{person.id}' a role here", who=person.id)
    except oidc.Refused as error:
        audit.record("refused: sign in", "", person=error.who or "nobody", reason=error.what)
        again = '<p><a href="/access/login">Try again</a></p>'
        return gate.page("You were not let in", html.escape(str(error)) + again, 403)
    except GMAugError as error:
        return gate.page("The provider cannot be asked", html.escape(str(error)), 502)
    response = gate.entered(request.scope, mode, person.id, how="oidc", name=person.name, to=person.to)
    response.delete_cookie(LOGIN_COOKIE, path=LOGIN_PATH)
    return response


async def sign_out(request: Request) -> Response:
    """GET asks, POST ends the session; only a page of ours can post here."""
    if request.method != "POST":
        return gate.page("Sign out of this dashboard?", f'{FORM}<p><a href="/">Back to it</a></p>', 200)
    mode = sharing.load()
    await run_in_threadpool(sessions.end, request.headers.get(gate.SESSION, ""))
    back = "Sign in again" if mode else "The terminal shows the link that opens it again."
    body = f'<a href="/access/login">{back}</a>' if mode else back
    response = gate.page("You are signed out", body, 200)
    port = (request.scope.get("server") or ("", 0))[1] or 0
    response.delete_cookie(
        gate.cookie_name(port, mode), secure=bool(mode and mode.encrypted), httponly=True, samesite="strict"
    )
    response.headers["clear-site-data"] = '"cache"'
    return response


ROUTES = [
    Route("/access/login", sign_in),
    Route(LOGIN_PATH, callback),
    Route(SIGN_OUT, sign_out, methods=["GET", "POST"]),
]
