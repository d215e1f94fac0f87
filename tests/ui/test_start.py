"""A start that would let in somebody who does not belong is refused, in one sentence, before it listens."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit import config

from gmaug_core.errors import InputError
from gmaug_core.home import home as data_root
from gmaug_core.ui import secret, start
from gmaug_core.workspace import audit, database, sharing

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = """
public_url = "https://gmaug.example.org"
[oidc]
issuer = "https://id.example.org"
client_id = "gmaug"
client_secret = "x"
[roles]
admin = ["ada@example.org"]
"""


@pytest.fixture
def shared(home) -> sharing.Sharing:
    data_root()
    (home / sharing.FILE).write_text(SHARED)
    (home / sharing.FILE).chmod(0o600)
    return sharing.load()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", None, "192.168.1.7", "machine.example.org"])
def test_other_addresses_than_this_machine_need_shared_mode(home, shared, address):
    with pytest.raises(InputError, match="let in whoever has its link"):
        start.check(address, None, None)
    start.check(address, None, shared)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_nothing(home, address):
    start.check(address, None, None)


def test_a_fixed_token_is_long_and_of_local_mode_alone(home, shared):
    start.check("127.0.0.1", "sixteen-letters-", None)
    with pytest.raises(InputError, match="short enough to be guessed"):
        start.check("127.0.0.1", "short", None)
    with pytest.raises(InputError, match="in shared mode people sign in"):
        start.check("127.0.0.1", "sixteen-letters-", shared)


def test_shared_mode_needs_the_clients_secret(home, shared):
    bare = shared.model_copy(update={"oidc": shared.oidc.model_copy(update={"client_secret": ""})})
    with pytest.raises(InputError, match="no secret"):
        start.check("127.0.0.1", None, bare)


@pytest.mark.parametrize("name", start.NEEDED)
def test_settings_that_open_a_way_past_the_gate_are_refused(home, monkeypatch, name):
    value = start.NEEDED[name]
    given = "/x" if value == "" else not value
    real = config.get_option
    monkeypatch.setattr(config, "get_option", lambda asked: given if asked == name else real(asked))
    with pytest.raises(InputError, match=name):
        start.check("127.0.0.1", None, None)


def test_a_data_root_that_others_may_write_is_refused(home):
    data_root()
    (home / "thing").touch()
    home.chmod(0o777)
    with pytest.raises(InputError, match="others on this machine may write"):
        start.check("127.0.0.1", None, None)


def test_the_server_ends_with_one_line(tmp_path):
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.address", "0.0.0.0"]
    environment = os.environ | {"GMAUG_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: the dashboard would listen on 0.0.0.0")
    assert "docs/deploy.md" in line


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_data_root_that_was_there_is_closed_to_others(home):
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    audit.record("run stopped", "r")
    database.path().chmod(0o644)
    audit.record("run stopped", "r")
    assert (mode(home), mode(database.path())) == (0o700, 0o600)


def test_a_folder_that_is_no_data_root_keeps_its_rights(home):
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    (home / "thesis.tex").touch()
    assert data_root() == home
    assert mode(home) == 0o755


@pytest.mark.parametrize("damage", ["emptied", "short", "open"])
def test_a_secret_that_cannot_be_trusted_is_made_anew(home, damage):
    data_root()
    first = secret.secret()
    assert (len(first), secret.secret(), mode(home / "secret")) == (32, first, 0o600)
    if damage == "open":
        (home / "secret").chmod(0o640)
    else:
        (home / "secret").write_bytes(b"" if damage == "emptied" else first[:31])
    found = secret.secret()
    assert len(found) == 32
    assert found != first
    assert secret.secret() == found
    assert mode(home / "secret") == 0o600
    assert {path.name for path in home.iterdir()} == {"secret"}
