"""The gate: nobody gets in without the link, anywhere, and the link works once."""

from __future__ import annotations

import stat

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gmaug_core.ui import gate

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


async def inside(request):
    return PlainTextResponse("inside")


async def inside_socket(socket):
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


@pytest.fixture
def said():
    return []


@pytest.fixture
def client(home, monkeypatch, said):
    monkeypatch.delenv("GMAUG_TOKEN", raising=False)
    door = gate.Door(said.append)
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    routes = [
        WebSocketRoute("/_stcore/stream", inside_socket),
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
        Starlette(routes=[Route("/", inside)], middleware=[Middleware(gate.Gate, door=gate.Door(print))])
    )
    restarted.base_url = client.base_url
    restarted.cookies = client.cookies
    assert restarted.get("/").text == "inside"
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o600


def test_other_sites_can_neither_write_nor_listen(client):
    log_in(client)
    evil = {"origin": "http://evil.example"}
    assert client.put("/uploads/1", headers=evil).status_code == 403
    assert client.put("/uploads/1", headers={"origin": "http://127.0.0.1:8501"}).text == "inside"
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(SOCKET, headers=evil | cookie_of(client)) as socket,
    ):
        socket.receive_text()


def test_every_answer_carries_the_policy(client):
    log_in(client)
    policy = client.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy
    assert "'sha256-" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_the_app_wears_the_gate_outermost(home, monkeypatch):
    monkeypatch.setenv("GMAUG_TOKEN", "t")
    import app

    assert app.app._user_middleware[0].cls is gate.Gate
