"""Signing in at an OpenID provider: a small one on loopback, our own gate and routes, and what a provider, a
browser or a thief may get wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gmaug_core.ui import gate, invitation, oidc, signing
from gmaug_core.workspace import audit, people, sessions, sharing

CLIENT, SECRET = "gmaug client", "s3cr:t%"
PUBLIC = "http://127.0.0.1:8501"


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An OpenID provider for one person. claims: of the ID token; described: what it says of itself."""

    def __init__(self) -> None:
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                where = urlsplit(self.path)
                if where.path == "/.well-known/openid-configuration":
                    self.answer(provider.description())
                elif where.path == "/authorize":
                    self.send_response(303)
                    self.send_header("location", provider.authorize(dict(parse_qs(where.query))))
                    self.end_headers()

            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                answer = provider.token({key: value[0] for key, value in form.items()}, self.headers)
                self.answer(answer or {"error": "invalid_grant"}, 200 if answer else 400)

            def answer(self, document, status=200):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.claims: dict[str, object] = {
            "email": "ada@example.org",
            "email_verified": True,
            "name": "Ada L.",
        }
        self.described: dict[str, object] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def description(self) -> dict[str, object]:
        names = {
            name: f"{self.issuer}/{name.split('_')[0]}"
            for name in ("authorization_endpoint", "token_endpoint")
        }
        names["authorization_endpoint"] = f"{self.issuer}/authorize"
        return {"issuer": self.issuer, **names, **self.described}

    def authorize(self, query: dict[str, list[str]]) -> str:
        """The person agrees."""
        asked = {key: value[0] for key, value in query.items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], headers) -> dict[str, object] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(b"gmaug%20client:s3cr%3At%25").decode()
        right = headers.get("authorization") == f"Basic {pair}" or (
            form.get("client_id") == CLIENT and form.get("client_secret") == SECRET
        )
        if not asked or not right or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        if unpadded(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]:
            return None
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": time.time() + 60,
            "nonce": asked["nonce"],
            "sub": "7",
        }
        body = json.dumps(claims | self.claims).encode()
        return {
            "id_token": f"{unpadded(b'{}')}.{unpadded(body)}.x",
            "access_token": "x",
            "token_type": "Bearer",
        }


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


async def who(request):
    actor = people.current()
    return PlainTextResponse(f"{actor.id} {actor.role} {actor.name}")


@pytest.fixture
def client(home, provider):
    home.mkdir()
    file = home / sharing.FILE
    file.touch(mode=0o600)
    file.write_text(
        f"public_url = '{PUBLIC}'\n[oidc]\nissuer = '{provider.issuer}'\nclient_id = '{CLIENT}'\n"
        f"client_secret = '{SECRET}'\n[roles]\nadmin = ['boss@example.org']\neditor = ['ada@example.org']\n"
    )
    oidc._described.clear()
    oidc._waiting.clear()
    routes = [*signing.ROUTES, Route("/", who), Route("/gains", who)]
    app = Starlette(routes=routes, middleware=[Middleware(gate.Gate, door=invitation.Door(print))])
    return TestClient(app, base_url=PUBLIC, follow_redirects=False)


def agreed(client, provider, to: str = "/gains") -> str:
    """Where the provider sends the browser back to."""
    answer = client.get("/access/login", params={"to": to})
    assert answer.status_code == 303, answer.text
    return provider.authorize(dict(parse_qs(urlsplit(answer.headers["location"]).query)))


def test_who_signs_in_has_a_session_and_the_role_of_the_settings(client, provider):
    assert client.get("/gains").status_code == 401
    answer = client.get(agreed(client, provider))
    assert answer.status_code == 200
    assert "url=/gains" in answer.text
    assert client.get("/gains").text == "ada@example.org editor Ada L."
    (session,) = sessions.listed()
    assert (session.person, session.how) == ("ada@example.org", "oidc")
    assert [row.action for row in audit.trail()] == ["signed in"]
    assert client.post("/access/sign-out", headers={"origin": PUBLIC}).status_code == 200
    assert client.get("/gains").status_code == 401
    assert sessions.listed() == []


def test_another_site_cannot_sign_somebody_out(client, provider):
    client.get(agreed(client, provider))
    assert client.post("/access/sign-out", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get("/access/sign-out").status_code == 200  # asks, and does nothing
    assert client.get("/gains").status_code == 200


def test_a_provider_may_want_the_secret_in_the_form(client, provider):
    provider.described = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert client.get(agreed(client, provider)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "eve@evil.org"}, "nobody gave &#x27;eve@evil.org&#x27; a role"),
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": "true"}, "has not verified"),
        ({"email": None}, "does not say your email"),
        ({"iss": "https://id.example.org"}, "(its issuer)"),
        ({"aud": "another client"}, "(its audience)"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "(its audience)"),
        ({"exp": 1}, "(its time)"),
        ({"nonce": "another"}, "(its nonce)"),
        ({"exp": "soon"}, "no ID token that can be read"),
    ],
)
def test_who_is_not_let_in_hears_why_and_is_in_the_trail(client, provider, claims, words):
    provider.claims |= claims
    answer = client.get(agreed(client, provider))
    assert answer.status_code == 403
    assert words in answer.text
    assert sessions.listed() == []
    assert client.get("/gains").status_code == 401
    assert audit.trail(1)[0].action == "refused: sign in"


def test_an_answer_counts_once_in_the_browser_that_asked(client, provider):
    back = agreed(client, provider)
    thief = TestClient(client.app, base_url=PUBLIC)
    assert thief.get(back).status_code == 403, "another browser"
    assert client.get(back).status_code == 200
    client.cookies.clear()
    assert client.get(back).status_code == 403, "again"
    forged = back.replace("state=", "state=x")
    assert client.get(forged).status_code == 403


def test_no_code_and_a_code_of_nobody_are_refused(client, provider):
    back = agreed(client, provider)
    assert client.get(back.replace("code=code-0", "error=access_denied")).status_code == 403
    back = agreed(client, provider)
    assert "does not take the code" in client.get(back.replace("code-1", "code-9")).text


def test_it_leads_to_a_page_of_ours_alone(client, provider):
    for to in (
        "https://evil.example/",
        "//evil.example",
        "/access/login",
        "javascript:alert(1)",
        '/"><script>',
    ):
        assert 'content="0;url=/"' in client.get(agreed(client, provider, to)).text


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://id.example.org/token"},
        {"token_endpoint": None},
    ],
)
def test_a_provider_that_cannot_be_trusted_is_not_asked(client, provider, described):
    provider.described = described
    answer = client.get("/access/login")
    assert answer.status_code == 502
    assert SECRET not in answer.text


def test_a_provider_that_is_away_is_said(client, provider):
    provider.issuer = "http://127.0.0.1:9"
    (sharing.home() / sharing.FILE).write_text(
        (sharing.home() / sharing.FILE).read_text().replace(f":{provider.server.server_port}", ":9")
    )
    answer = client.get("/access/login")
    assert answer.status_code == 502
    assert "no answer" in answer.text


def test_many_who_never_come_back_fill_no_memory(client, monkeypatch):
    monkeypatch.setattr(oidc, "MOST_WAITING", 5)
    for _ in range(9):
        client.get("/access/login")
    assert len(oidc._waiting) == 5


def test_local_mode_has_no_sign_in(client, home):
    (home / sharing.FILE).unlink()
    assert client.get("/access/login").status_code == 404
    assert client.get("/access/callback", params={"state": "x"}).status_code == 404
