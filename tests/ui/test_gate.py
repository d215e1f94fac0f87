"""The gate: nobody gets in without the link, anywhere, and the link works once."""

from __future__ import annotations

import contextlib
import stat
import time

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gmaug_core.ui import gate, invitation
from gmaug_core.workspace import people, sessions

# what Streamlit 1.67 and we serve; the gate must stand before all of it, and before what comes later
PATHS = [
    "/",
    "/super_classes",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/upload_file/a/b",
    "/_stcore/agent/openapi.json",
    "/media/0123abcd.png",
    "/component/x/index.html",
    "/static/js/index.js",
    "/images/dataset/x/0",
    "/uploads/0123",
    "/fonts/newsreader.woff2",
    "/a/route/that/does/not/exist/yet",
]
SOCKET = "ws://127.0.0.1:8501/_stcore/stream"
SOCKET_THAT_STAYS = f"{SOCKET}?stay=1"


async def inside(request):
    return PlainTextResponse("inside")


async def session(request):
    return PlainTextResponse(request.headers[gate.SESSION])


async def who(request):
    return PlainTextResponse(people.name())


async def echo_socket(socket):
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.send_text(await socket.receive_text())


async def inside_socket(socket):
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


async def by_query(socket):
    await (echo_socket if socket.query_params else inside_socket)(socket)


@pytest.fixture
def said():
    return []


@pytest.fixture
def client(home, monkeypatch, said):
    monkeypatch.delenv("GMAUG_TOKEN", raising=False)
    door = invitation.Door(said.append)
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    routes = [
        WebSocketRoute("/_stcore/stream", by_query),
        Route("/images/session", session),
        Route("/images/who", who),
        Route("/{path:path}", inside, methods=methods),
    ]
    client = TestClient(
        Starlette(routes=routes, middleware=[Middleware(gate.Gate, door=door)]),
        base_url="http://127.0.0.1:8501",
    )
    client.door = door
    return client


def log_in(client):
    answer = client.get("/", params={"token": client.door.token})
    assert answer.status_code == 200
    assert "inside" not in answer.text
    return answer


def cookie_of(client) -> dict[str, str]:
    return {"cookie": f"gmaug-8501={client.cookies['gmaug-8501']}"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_every_route_is_closed_without_the_cookie(client, path, method):
    answer = client.request(method, path)
    assert answer.status_code == 401
    assert "inside" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


def test_the_websocket_is_closed_without_the_cookie(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET) as socket:
        socket.receive_text()


def test_only_the_health_check_is_open(client):
    assert client.get("/_stcore/health").text == "inside"
    assert client.get("/_stcore/health", headers={"host": "evil.example"}).status_code == 421
    assert client.post("/_stcore/health").status_code == 401


def test_the_link_opens_once_and_the_next_one_is_said(client, said):
    token = client.door.token
    answer = log_in(client)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert cookie.startswith("gmaug-8501=")
    assert token not in cookie
    assert client.get("/super_classes").text == "inside"
    with client.websocket_connect(SOCKET, headers=cookie_of(client)) as socket:
        assert socket.receive_text() == "inside"
    client.cookies.clear()
    assert client.get("/", params={"token": token}).status_code == 401
    assert client.door.token in said[0]
    assert client.door.token != token
    assert client.get("/", params={"token": client.door.token}).status_code == 200


def test_a_used_link_is_no_dead_end_for_the_browser_that_used_it(client):
    token = client.door.token
    log_in(client)
    answer = client.get("/", params={"token": token})
    assert answer.status_code == 200
    assert "refresh" in answer.text


def test_a_fixed_token_can_be_used_again(client, monkeypatch):
    monkeypatch.setenv("GMAUG_TOKEN", "fixed")
    client.door.__init__(lambda line: None)
    for _ in range(2):
        client.cookies.clear()
        log_in(client)


@pytest.mark.parametrize("value", ["", "x", "é", "0" * 64])
def test_forged_cookies_and_tokens_are_refused(client, value):
    assert client.get("/", params={"token": value}).status_code == 401
    assert client.get("/", headers={b"cookie": f"gmaug-8501={value}".encode()}).status_code == 401


def test_a_cookie_of_another_port_does_not_open_this_one(client):
    log_in(client)
    value = client.cookies["gmaug-8501"]
    other = TestClient(client.app, base_url="http://127.0.0.1:9000", cookies={"gmaug-9000": value})
    assert other.get("/").status_code == 401


def test_the_cookie_outlives_a_restart(client, home):
    log_in(client)
    restarted = TestClient(
        Starlette(
            routes=[Route("/", inside)], middleware=[Middleware(gate.Gate, door=invitation.Door(print))]
        )
    )
    restarted.base_url = client.base_url
    restarted.cookies = client.cookies
    assert restarted.get("/").text == "inside"
    (kept,) = (home / "sessions").glob("*.json")
    assert client.cookies["gmaug-8501"] not in kept.read_text()
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_other_sites_can_neither_write_nor_listen(client):
    log_in(client)
    evil = {"origin": "http://evil.example"}
    assert client.put("/uploads/1", headers=evil).status_code == 403
    assert client.put("/uploads/1", headers={"origin": "http://127.0.0.1:8501"}).text == "inside"
    for site in ("cross-site", "same-site"):  # a browser says it even where it leaves the origin out
        assert client.put("/uploads/1", headers={"sec-fetch-site": site}).status_code == 403
    assert client.put("/uploads/1", headers={"origin": "null"}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(SOCKET, headers=evil | cookie_of(client)) as socket,
    ):
        socket.receive_text()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example", "[", ""])
def test_a_name_of_another_site_that_leads_here_is_refused(client, host):
    """DNS rebinding: the browser takes it for the other site's, and reads without an origin."""
    log_in(client)
    for path in ("/", "/_stcore/host-config", "/media/0123abcd.png", "/images/dataset/x/0"):
        assert client.get(path, headers=cookie_of(client) | {"host": host}).status_code == 421
    assert client.get("/", params={"token": client.door.token}, headers={"host": host}).status_code == 421
    headers = cookie_of(client) | {"host": host}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers=headers) as socket:
        socket.receive_text()


@pytest.mark.parametrize("host", ["localhost:9999", "127.0.0.1:7", "[::1]:8501"])
def test_any_port_of_this_machine_may_lead_here(client, host):
    """An SSH tunnel has another port at its other end."""
    log_in(client)
    assert client.get("/", headers=cookie_of(client) | {"host": host}).text == "inside"


def test_who_signs_out_is_out_on_the_servers_side(client):
    log_in(client)
    held = cookie_of(client)
    with client.websocket_connect(SOCKET_THAT_STAYS, headers=held) as socket:
        socket.send_text("a")
        assert socket.receive_text() == "a"
        sessions.end(sessions.key_of(client.cookies["gmaug-8501"]))
        socket.send_text("b")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    assert client.get("/", headers=held).status_code == 401


def test_a_session_is_over_when_its_time_is(client, monkeypatch):
    log_in(client)
    monkeypatch.setattr(sessions.time, "time", lambda now=time.time: now() + gate.LOCAL_HOURS * 3600)
    assert client.get("/").status_code == 401
    assert sessions.listed() == []


def test_what_is_inside_hears_of_the_session_from_the_gate_alone(client):
    log_in(client)
    told = client.get("/images/session", headers={gate.SESSION: "0" * 32}).text
    assert told == sessions.key_of(client.cookies["gmaug-8501"])
    assert client.get("/images/who").text == people.local().id


def test_every_answer_carries_the_policy(client):
    log_in(client)
    policy = client.get("/").headers["content-security-policy"]
    for answer in (client.get("/"), client.get("/none"), client.get("/_stcore/health"), log_in(client)):
        assert answer.headers["content-security-policy"] == policy
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert "'sha256-" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_the_app_wears_the_gate_outermost(home, monkeypatch):
    monkeypatch.setenv("GMAUG_TOKEN", "sixteen-letters-")
    import app

    assert app.app._user_middleware[0].cls is gate.Gate
