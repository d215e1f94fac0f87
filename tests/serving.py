"""A dashboard of its own for a test: started by a command, on a free port, with a workspace of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

TOKEN = "a-token-for-tests"
START_S = 180  # on a machine that is busy with other tests
STOP_S = 10


@dataclass(frozen=True)
class AppServer:
    url: str
    home: Path
    log: Path

    @property
    def door(self) -> str:
        """The link that logs a browser in."""
        return f"{self.url}/?token={TOKEN}"


@contextmanager
def serving(command: Sequence[str], port_option: str, *, cwd: Path, folder: Path) -> Iterator[AppServer]:
    """Start `command` with a free port after `port_option`, wait for its answer, end it with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = AppServer(f"http://127.0.0.1:{port}", folder / "workspace", folder / "server.log")
    environment = os.environ | {
        "GMAUG_HOME": str(server.home),
        "GMAUG_TOKEN": TOKEN,
        "GMAUG_IMPORT_ROOTS": str(folder),
    }
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, port_option, str(port)],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_S
        while not answers(server.url):
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail(f"the app did not start:\n{server.log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
            return True
    except OSError:
        return False
