"""The verb app: a port that is taken is said in words, a request to end is no failure."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from serving import serving

ROOT = Path(__file__).resolve().parent.parent.parent
APP = [sys.executable, "-m", "gmaug_core", "app", "--no-open", "--json"]


@pytest.mark.slow
def test_a_port_that_is_taken_is_an_error_in_three_parts(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*APP, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert port in error["expected"]
    assert "--port" in error["todo"]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_sigterm_ends_the_server_and_is_no_failure(tmp_path):
    with serving(APP, "--port", cwd=ROOT, folder=tmp_path) as server:
        assert server.door  # it answered
    said = server.log.read_text().splitlines()
    assert json.loads(said[-1]) == {"port": int(server.url.rsplit(":", 1)[1]), "home": str(server.home)}
    with socket.socket() as probe:  # nobody listens there any more
        assert probe.connect_ex(("127.0.0.1", json.loads(said[-1])["port"])) != 0
