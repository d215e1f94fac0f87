"""Every route of the app x every role: what answers, and that no route is without a rule."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gmaug_core.ui import gate, invitation, rules
from gmaug_core.workspace import roles, sessions, sharing
from gmaug_core.workspace.people import ROLES

HOST = "gmaug.example.org"
SETTINGS = f"""
public_url = "https://{HOST}"
[oidc]
issuer = "https://id.example.org"
client_id = "gmaug"
[roles]
{"".join(f'{role} = ["{role}@example.org"]' + chr(10) for role in ROLES)}
"""
# every route of the app with the action that it asks for, written down here a second time on purpose
CLOSED = None
EXPECTED: dict[tuple[str, str], str | None] = {
    ("/images/dataset/{dataset}/{index}", "GET"): "look",
    ("/images/dataset/{dataset}/class/{number}", "GET"): "look",
    ("/images/run/{run}/strip.png", "GET"): "look",
    ("/images/run/{run}/grids/{name}", "GET"): "look",
    ("/runs/{run}/items", "GET"): "look",
    ("/runs/{run}/map", "GET"): "look",
    ("/runs/{run}/pulse", "GET"): "look",
    ("/runs/{run}/report", "GET"): "look",
    ("/runs/{run}/pack", "GET"): "export run",
    ("/fonts/{name}", "GET"): "look",
    ("/uploads/{token}", "GET"): "import dataset",
    ("/uploads/{token}", "POST"): "import dataset",
    ("/uploads/{token}", "PUT"): "import dataset",
    ("/access/login", "GET"): rules.OPEN,
    ("/access/callback", "GET"): rules.OPEN,
    ("/access/sign-out", "GET"): "look",
    ("/access/sign-out", "POST"): "look",
    ("/_stcore/health", "GET"): rules.OPEN,
    ("/_stcore/metrics", "GET"): "see server figures",
    ("/_stcore/host-config", "GET"): "look",
    ("/_stcore/stream", rules.SOCKET): "look",
    ("/_stcore/upload_file/{session_id}/{file_id}", "PUT"): "edit grouping",
    ("/_stcore/upload_file/{session_id}/{file_id}", "DELETE"): "edit grouping",
    ("/_stcore/bidi-components/{path:path}", "GET"): "look",
    ("/media/{file_id:path}", "GET"): "look",
    ("/component/{path:path}", "GET"): "look",
    **{(f"/{page}", "GET"): "look" for page in rules.PAGES},
    ("/", "GET"): "look",
    ("/static/x.js", "GET"): "look",
    # Streamlit's own sign-in, and its door for programs
    **{(path, "GET"): CLOSED for path in ("/auth/login", "/auth/logout", "/oauth2callback")},
    **{
        (f"/_stcore/agent/{name}", method): CLOSED
        for name in ("interact", "openapi.json", "mcp")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
}


@pytest.fixture(scope="module")
def app_routes(tmp_path_factory):
    """(path, method) of all that the whole app serves, Streamlit's routes included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home") / "workspace"))
        patch.delenv(invitation.VARIABLE, raising=False)
        from streamlit.web.server.starlette import starlette_app  # noqa: F401
        from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

        import app

        class Nothing:
            """A runtime that is asked for its parts while the routes are made, and never runs."""

            def __getattr__(self, name):
                return Nothing()

            def __call__(self, *args, **kwargs):
                return Nothing()

        made = [*app.ROUTES, *create_streamlit_routes(Nothing())]
    found = set()
    for route in made:
        if isinstance(route, WebSocketRoute):
            found.add((route.path, rules.SOCKET))
        elif isinstance(route, Route):
            found |= {
                (route.path, method) for method in route.methods or () if method not in ("HEAD", "OPTIONS")
            }
        else:
            assert isinstance(route, Mount), f"{route}: say here what may use it"
            assert route.path == "", "Streamlit's files and pages are under no name of their own"
    return found


def test_no_route_is_without_a_rule(app_routes):
    missing = app_routes - set(EXPECTED)
    assert not missing, f"give these a rule in ui/rules.py, and a line here: {sorted(missing)}"


def test_no_rule_is_without_a_route(app_routes):
    by_mount = {"/", "/static/x.js", *(f"/{page}" for page in rules.PAGES)}
    assert {pair for pair in EXPECTED if pair not in app_routes and pair[0] not in by_mount} == set()


def test_the_rules_are_as_written_down(app_routes):
    for (path, method), action in EXPECTED.items():
        asked = (
            path.replace("{path:path}", "a/b")
            .replace("{file_id:path}", "0.png")
            .replace("{", "")
            .replace("}", "")
        )
        assert rules.action(asked, method) == action, (path, method)
        assert action in (None, rules.OPEN) or action in roles.ACTIONS


@pytest.mark.parametrize(
    "path", ["/a/new/route", "/uploads", "/images", "/runs/x", "/datasets/x/y", "//evil", "/.."]
)
@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", rules.SOCKET]
)
def test_what_has_no_rule_is_nobodys(path, method):
    assert rules.action(path, method) is None


async def inside(request):
    return PlainTextResponse("inside")


async def inside_socket(socket):
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


@pytest.fixture
def shared(home):
    """A client in shared mode; `as_role` signs it in."""
    home.mkdir()
    (home / sharing.FILE).write_text(SETTINGS)
    (home / sharing.FILE).chmod(0o600)
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    routes = [WebSocketRoute("/{path:path}", inside_socket), Route("/{path:path}", inside, methods=methods)]
    app = Starlette(routes=routes, middleware=[Middleware(gate.Gate, door=invitation.Door(print))])
    return TestClient(app, base_url=f"https://{HOST}")


def as_role(client, role: str | None) -> None:
    client.cookies.clear()
    if role is not None:
        cookie = sessions.begin(f"{role}@example.org", how="oidc", port=443, hours=1)
        client.cookies.set("__Host-gmaug-443", cookie)


def answered(client, path: str, method: str) -> bool:
    """Whether a request got through to what is inside."""
    if method == rules.SOCKET:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        try:
            with client.websocket_connect(f"wss://{HOST}{path}", headers={"cookie": cookies}) as socket:
                return socket.receive_text() == "inside"
        except WebSocketDisconnect:
            return False
    return client.request(method, path).text == "inside"


@pytest.mark.parametrize("role", [None, "nobody", *ROLES])
def test_every_route_for_every_role(shared, role):
    as_role(shared, role)
    rank = ROLES.index(role) if role in ROLES else -1
    for (path, method), action in EXPECTED.items():
        if action == rules.OPEN:
            right = True
        elif action is CLOSED:
            right = False
        else:
            right = rank >= ROLES.index(roles.ACTIONS[action])
        asked = (
            path.replace("{path:path}", "a")
            .replace("{file_id:path}", "0.png")
            .replace("{", "")
            .replace("}", "")
        )
        assert answered(shared, asked, method) is right, (role, path, method)


def test_a_link_of_the_terminal_opens_nothing_in_shared_mode(shared, home):
    door = invitation.Door(print)
    shared.app.user_middleware[0].kwargs["door"].token = door.token
    assert shared.get("/", params={"token": door.token}).status_code == 401
    cookie = sessions.begin("admin@example.org", how="link", port=443, hours=1)
    shared.cookies.set("__Host-gmaug-443", cookie)
    assert shared.get("/").status_code == 401


def test_a_role_that_was_taken_away_ends_the_visit(shared, home):
    as_role(shared, "editor")
    assert shared.get("/datasets").text == "inside"
    (home / sharing.FILE).write_text(SETTINGS.replace("editor@", "other@"))
    assert shared.get("/datasets").status_code == 401


def test_settings_that_cannot_be_followed_let_nobody_in(shared, home):
    as_role(shared, "admin")
    (home / sharing.FILE).write_text("[roles")
    answer = shared.get("/datasets")
    assert answer.status_code == 503
    assert "cannot be followed" in answer.text


def test_shared_mode_answers_to_its_own_name_alone(shared):
    as_role(shared, "admin")
    for host in ("127.0.0.1:443", "localhost", "evil.example", f"{HOST}.evil.example"):
        assert shared.get("/", headers={"host": host}).status_code == 421
    assert shared.get("/_stcore/health", headers={"host": "127.0.0.1:8501"}).text == "inside"
    for origin, status in ((f"https://{HOST}", 200), (f"http://{HOST}", 403), ("null", 403)):
        assert shared.put("/uploads/0", headers={"origin": origin}).status_code == status


def test_over_tls_the_answers_say_so(shared):
    answer = shared.get("/")
    assert "max-age" in answer.headers["strict-transport-security"]
    assert f"wss://{HOST}" in answer.headers["content-security-policy"]
    assert "127.0.0.1" not in answer.headers["content-security-policy"]
