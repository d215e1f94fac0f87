"""The job interface of a Ray cluster over HTTP, as far as runs need it: submit, look, stop. Ray itself is not
needed on the machine that asks (Ray docs, "Ray Jobs REST API"; "Token authentication").

Whoever reaches that interface can run anything on the cluster. So an address must be of a private network or
of this machine, a token is needed here, and a cluster that answers without one is not used.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import re
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gmaug_core.errors import GMAugError, InputError

ADDRESS = re.compile(r"(?:http://)?(?P<host>[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?/?")
PORT = 8265  # of Ray's dashboard, which has the job interface
# for one answer: a page waits for a look; a submission waits for the head to be ready, which takes a while
SECONDS = {"GET": 5.0, "POST": 60.0}
NOT_YET, BEGIN_S = "No available agent", 60.0  # what a head says in its first seconds
TOKEN = "RAY_AUTH_TOKEN"
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
OVER = ("SUCCEEDED", "FAILED", "STOPPED")  # of a job's states; the others are PENDING and RUNNING
HOW = (
    "start the cluster with RAY_AUTH_MODE=token, and set the same RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH) "
    "here; docs/cluster.md"
)


class Unreachable(GMAugError):
    """The cluster gave no answer: nothing is known of what it does."""


def token() -> str:
    """The token of the clusters, from where Ray itself takes it. Raises InputError where there is none."""
    if given := os.environ.get(TOKEN, "").strip():
        return given
    path = Path(os.environ.get(TOKEN_PATH) or Path.home() / ".ray" / "auth_token")
    try:
        found = path.read_text(encoding="utf-8").strip()
    except OSError:
        found = ""
    if not found:
        raise InputError("there is no token for the Ray cluster", expected=f"{TOKEN}", todo=HOW)
    return found


@dataclass(frozen=True)
class RayJobs:
    """The jobs of the cluster at `address`: http://HOST:PORT, as its dashboard says it."""

    address: str

    @cached_property
    def place(self) -> tuple[str, int]:
        """Where to connect to, as a number and a port. Raises InputError for an address that is none, is not
        known, or is not private."""
        found = ADDRESS.fullmatch(self.address.strip())
        if not found or int(found["port"] or PORT) > 65535:
            raise InputError(
                f"'{self.address}' is no address of a Ray cluster", expected=f"http://HOST:{PORT}"
            )
        host, port = found["host"].strip("[]"), int(found["port"] or PORT)
        try:
            numbers = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError as error:
            raise InputError(f"the Ray cluster's host '{host}' is not known", todo="check it") from error
        for number in numbers:
            if not _private(str(number)):
                raise InputError(
                    f"the Ray cluster's address '{host}' is public: whoever reaches it could run programs",
                    expected="an address of a private network, or of this machine",
                    todo="use a private network, a VPN or an SSH tunnel",
                )
        return str(numbers[0]), port  # the number that was looked at: a name may mean another one later

    def submit(
        self, submission: str, entrypoint: str, env: dict[str, str], *, cpus: float, gpus: int
    ) -> None:
        """Start a job. entrypoint: for a shell; env: more for its environment; cpus, gpus: what its node must
        have free. A cluster that has just been started is waited for. Raises GMAugError."""
        body = {
            "submission_id": submission,
            "entrypoint": entrypoint,
            "entrypoint_num_cpus": cpus,
            "entrypoint_num_gpus": gpus,
            "runtime_env": {"env_vars": env},
        }
        deadline = time.monotonic() + BEGIN_S
        while True:
            try:
                self._ask("POST", "/api/jobs/", body)
                return
            except GMAugError as error:
                if NOT_YET not in error.what or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def state(self, submission: str) -> str | None:
        """PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED; None where the cluster knows no such job."""
        found = self._ask("GET", f"/api/jobs/{submission}", missing=True)
        return None if found is None else str(found["status"])

    def stop(self, submission: str) -> None:
        """TERM now, KILL of what is left three seconds later."""
        self._ask("POST", f"/api/jobs/{submission}/stop", missing=True)

    def log(self, submission: str) -> str:
        """What the job wrote."""
        found = self._ask("GET", f"/api/jobs/{submission}/logs", missing=True)
        return str((found or {}).get("logs") or "")

    def gpus(self) -> int:
        """GPUs of the whole cluster, whoever has them now."""
        found = self._ask("GET", "/api/cluster_status") or {}
        status = (found.get("data") or {}).get("clusterStatus") or {}
        usage = (status.get("loadMetricsReport") or {}).get("usage") or {}
        return int((usage.get("GPU") or (0, 0))[1])

    def check_closed(self) -> None:
        """Raises InputError where the cluster answers whoever asks, or does not take the token."""
        status, _ = self._request("GET", "/api/jobs/", None, {})
        if status not in (401, 403):
            raise InputError(
                "the Ray cluster asks for no token: whoever reaches it can run programs there",
                expected="a cluster with token authentication",
                todo=HOW,
            )
        self._ask("GET", "/api/jobs/")

    def _ask(self, method: str, path: str, body: object = None, *, missing: bool = False) -> Any:
        """The decoded answer; None for 404 where that may be missing."""
        status, text = self._request(method, path, body, {"Authorization": f"Bearer {token()}"})
        if status in (401, 403):
            raise InputError("the Ray cluster does not take this token", expected="the cluster's", todo=HOW)
        if status == 404 and missing:
            return None
        if status != 200:
            said = text.strip().splitlines()[-1:] or [""]
            raise GMAugError(
                f"the Ray cluster refused ({status}): {said[0][:300]}", todo="read the cluster's own logs"
            )
        try:
            return json.loads(text)
        except ValueError as error:
            raise GMAugError(
                f"'{self.address}' does not answer as a Ray cluster does", todo="check the address"
            ) from error

    def _request(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[int, str]:
        """Neither redirects nor proxies are followed: the token goes to this address alone."""
        host, port = self.place
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS[method])
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"the Ray cluster at '{self.address}' does not answer ({type(error).__name__})",
                expected="a running cluster",
                todo="start it (ray start --head), or check the address",
            ) from error
        finally:
            connection.close()


def _private(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    return address.is_loopback or (address.is_private and not address.is_unspecified)
