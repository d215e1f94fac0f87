"""Shared mode: several people, signed in by an OpenID provider, with roles. It is on when `access.toml` lies
in the data root; without it one person works here, with the link of the terminal.
"""

from __future__ import annotations

import ipaddress
import os
import stat
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gmaug_core.errors import InputError
from gmaug_core.home import home
from gmaug_core.workspace.people import ROLES, Actor

FILE = "access.toml"
SECRET_VARIABLE = "GMAUG_OIDC_SECRET"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def loopback(host: str | None) -> bool:
    """Whether an address or name means this machine alone."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _safe_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname)):
        raise ValueError("must begin with https:// (http:// is for this machine alone)")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address without a user, a query or a fragment")
    return url.rstrip("/")


class Oidc(_Settings):
    """The provider that says who somebody is."""

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: str = Field("", repr=False)
    client_secret_file: Path | None = None
    claim: str = "email"  # of the ID token: what a person is called in [roles]
    scope: str = "openid email profile"

    _issuer = field_validator("issuer")(_safe_url)

    def secret(self) -> str:
        """From the environment, the named file, or the setting. Raises InputError where there is none."""
        given = os.environ.get(SECRET_VARIABLE, "")
        if not given and self.client_secret_file:
            try:
                given = self.client_secret_file.read_text("utf-8").strip()
            except OSError as error:
                raise InputError(
                    f"'{self.client_secret_file.name}' cannot be read ({error.strerror})",
                    expected="the file with the client's secret that access.toml names",
                ) from error
        if not (given or self.client_secret):
            raise InputError(
                "access.toml names no secret of the OpenID client",
                expected=f"client_secret_file or client_secret below [oidc], or ${SECRET_VARIABLE}",
                todo="copy it from the provider's page of this client",
            )
        return given or self.client_secret


class Sharing(_Settings):
    """What access.toml says. roles: a role -> people; on: the same for one dataset or run, by its id."""

    public_url: str
    session_hours: float = Field(12.0, gt=0, le=720)
    oidc: Oidc
    roles: Mapping[str, tuple[str, ...]]
    on: Mapping[str, Mapping[str, tuple[str, ...]]] = {}

    _public_url = field_validator("public_url")(_safe_url)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if urlsplit(self.public_url).path:
            raise ValueError("public_url must have no path: the dashboard has a name of its own")
        for given in (self.roles, *self.on.values()):
            unknown = set(given) - set(ROLES)
            if unknown:
                raise ValueError(f"there is no role {sorted(unknown)[0]}: {', '.join(ROLES)} are known")
            for entry in (entry for entries in given.values() for entry in entries):
                if not entry or entry == "*" or "*" in entry.removeprefix("*@"):
                    raise ValueError(f"'{entry}' is neither a person nor *@domain")
        if not self.roles.get("admin"):
            raise ValueError("[roles] names no admin")
        return self

    @property
    def host(self) -> str:
        """The name, with a port that is not the usual one, that browsers reach the dashboard by."""
        return urlsplit(self.public_url).netloc

    @property
    def encrypted(self) -> bool:
        return self.public_url.startswith("https://")

    def actor(self, person: str, name: str = "") -> Actor | None:
        """Somebody whom the provider vouches for; None where nobody gave them a role."""
        role = _highest(self.roles, person)
        on = {resource: held for resource, given in self.on.items() if (held := _highest(given, person))}
        return Actor(person, role, name, on) if role else None


def _highest(given: Mapping[str, tuple[str, ...]], person: str) -> str | None:
    who = person.casefold()
    for role in reversed(ROLES):
        for entry in given.get(role, ()):
            pattern = entry.casefold()
            if pattern == who or (pattern.startswith("*@") and who.endswith(pattern[1:])):
                return role
    return None


def load() -> Sharing | None:
    """What access.toml says now; None without one. Raises InputError where it cannot be followed."""
    path = home() / FILE
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return _read(path, about.st_mtime_ns, about.st_mode)


@lru_cache(maxsize=2)
def _read(path: Path, _: int, mode: int) -> Sharing:
    try:
        found = Sharing.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        if isinstance(error, ValidationError):
            first = error.errors(include_input=False)[0]
            why = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        else:
            why = error.strerror or "" if isinstance(error, OSError) else str(error)
        raise InputError(
            f"{FILE} cannot be followed ({why})",
            expected="public_url, [oidc] and [roles] as docs/deploy.md shows them",
            todo="correct it; until then nobody is let in",
        ) from error
    others = stat.S_IWGRP | stat.S_IWOTH | (stat.S_IRWXG | stat.S_IRWXO if found.oidc.client_secret else 0)
    if mode & others:
        raise InputError(
            f"others on this machine may change {FILE}, or read the secret in it",
            expected="a file that you alone may read and write",
            todo=f"chmod 600 {FILE} in the data root",
        )
    return found
