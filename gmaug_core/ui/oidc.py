"""Signing in at an OpenID provider: the authorization code flow with PKCE, on the standard library alone.

The ID token comes from the provider itself over TLS (or from this machine), which is why its signature is not
looked at: OpenID Connect Core 1.0, section 3.1.3.7, point 6. Its issuer, audience, time and nonce are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gmaug_core.errors import Forbidden, GMAugError
from gmaug_core.workspace.sharing import Oidc, Sharing, loopback

PATIENCE_S = 600  # for a person at the provider
TIMEOUT_S = 10.0
LARGEST = 1 << 20  # bytes of an answer
FRESH_S = 3600.0  # how long the provider's own description is believed
SKEW_S = 60.0
MOST_WAITING = 1000


class Refused(Forbidden):
    """Somebody was not let in. who: the person, where the provider said it."""

    who = ""


def refused(what: str, *, who: str = "") -> Refused:
    """The error; the next step is the same for all."""
    error = Refused(what, todo="sign in again, or ask whoever runs this dashboard")
    error.who = who
    return error


@dataclass(frozen=True)
class Asked:
    """A sign-in that has begun. url: where the browser goes; state: what comes back with it."""

    url: str
    state: str


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for, and the page that they wanted."""

    id: str
    name: str
    to: str


@dataclass(frozen=True)
class _Waiting:
    nonce: str
    verifier: str
    to: str
    until: float


_waiting: dict[str, _Waiting] = {}
_described: dict[str, tuple[float, dict[str, Any]]] = {}
_turn = threading.Lock()


def ask(mode: Sharing, to: str) -> Asked:
    """Begin a sign-in. Raises GMAugError where the provider cannot be reached."""
    provider = _describe(mode.oidc.issuer)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    now = time.time()
    with _turn:
        for old in [key for key, each in _waiting.items() if each.until < now]:
            del _waiting[old]
        while len(_waiting) >= MOST_WAITING:  # the oldest go: nobody can fill the memory
            del _waiting[next(iter(_waiting))]
        _waiting[state] = _Waiting(nonce, verifier, to, now + PATIENCE_S)
    query = {
        "response_type": "code",
        "client_id": mode.oidc.client_id,
        "redirect_uri": _back(mode),
        "scope": mode.oidc.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": _unpadded(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    where = provider["authorization_endpoint"]
    return Asked(f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(query)}", state)


def answered(mode: Sharing, state: str, given: Mapping[str, str]) -> Person:
    """Whom the provider's answer to `state` vouches for; it counts once.

    Raises Refused for an answer that does not hold, GMAugError where the provider cannot be reached.
    """
    with _turn:
        waiting = _waiting.pop(state, None)
    if waiting is None or waiting.until < time.time():
        raise refused("this sign-in was answered already, or took too long")
    if "error" in given or not given.get("code"):
        raise refused(f"the provider did not let you in ({given.get('error', 'no code')[:100]})")
    claims = _claims(mode, given["code"], waiting)
    name = claims.get("name")
    return Person(_person(mode.oidc, claims), name[:200] if isinstance(name, str) else "", waiting.to)


def _claims(mode: Sharing, code: str, waiting: _Waiting) -> dict[str, Any]:
    """The ID token that the code is worth, checked."""
    provider = _describe(mode.oidc.issuer)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _back(mode),
        "code_verifier": waiting.verifier,
    }
    headers = {}
    secret, client = mode.oidc.secret(), mode.oidc.client_id
    ways = provider.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client, "client_secret": secret}
    answer = _fetch(provider["token_endpoint"], headers, urlencode(form).encode())
    try:
        part = str(answer["id_token"]).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        holds = {
            "issuer": claims["iss"] == provider["issuer"],
            "audience": client in audience and (len(audience) == 1 or claims["azp"] == client),
            "time": float(claims["exp"]) > time.time() - SKEW_S,
            "nonce": secrets.compare_digest(str(claims["nonce"]), waiting.nonce),
        }
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise refused("the provider's answer holds no ID token that can be read") from error
    wrong = [what for what, right in holds.items() if not right]
    if wrong:
        raise refused(f"the provider's ID token is not for this sign-in (its {wrong[0]})")
    return dict(claims)


def _person(oidc: Oidc, claims: Mapping[str, Any]) -> str:
    found = claims.get(oidc.claim)
    if not isinstance(found, str) or not 0 < len(found.strip()) <= 200:
        raise refused(f"the provider does not say your {oidc.claim}")
    if oidc.claim == "email" and claims.get("email_verified") is not True:
        raise refused("the provider has not verified your email address", who=found.strip())
    return found.strip()


def _describe(issuer: str) -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0), kept for an hour."""
    with _turn:
        at, found = _described.get(issuer, (0.0, {}))
    if found and time.monotonic() - at < FRESH_S:
        return found
    found = _fetch(f"{issuer}/.well-known/openid-configuration", {})
    if str(found.get("issuer", "")).rstrip("/") != issuer:
        raise GMAugError(
            "the provider says that it is another issuer",
            expected="the issuer that access.toml names",
            todo="copy it from the provider's description",
        )
    for name in ("authorization_endpoint", "token_endpoint"):
        _require_safe(str(found.get(name, "")))
    with _turn:
        _described[issuer] = (time.monotonic(), found)
    return found


def _require_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname)):
        raise GMAugError(
            "the provider names an address without https", expected="https:// addresses in its description"
        )


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a code or a secret goes to the address that was checked, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Straight)


def _fetch(url: str, headers: Mapping[str, str], body: bytes | None = None) -> dict[str, Any]:
    """The JSON object at an address of the provider. Raises GMAugError; Refused where no code holds."""
    _require_safe(url)
    request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            found = json.loads(answer.read(LARGEST))
    except urllib.error.HTTPError as error:
        error.close()
        if body is not None and error.code in (400, 401):
            raise refused("the provider does not take the code of this sign-in") from error
        raise GMAugError(
            f"the provider answered with status {error.code}", todo="try again; else look at [oidc] issuer"
        ) from error
    except (OSError, ValueError) as error:
        raise GMAugError(
            "the provider gives no answer that can be read", todo="try again; else look at [oidc] issuer"
        ) from error
    if not isinstance(found, dict):
        raise GMAugError("the provider gives no answer that can be read", expected="a JSON object")
    return found


def _back(mode: Sharing) -> str:
    return f"{mode.public_url}/access/callback"


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
