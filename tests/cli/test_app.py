"""The verb app: a port that is taken is said in words. Its whole life is in tests/test_wheel.py."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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
