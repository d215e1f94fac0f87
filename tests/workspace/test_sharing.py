"""access.toml: who has which role, and what of it cannot be followed."""

from __future__ import annotations

import pytest

from gmaug_core.errors import InputError
from gmaug_core.workspace import roles, sharing

WHOLE = """
public_url = "https://gmaug.example.org"
[oidc]
issuer = "https://id.example.org/realms/lab/"
client_id = "gmaug"
client_secret = "a secret"
[roles]
admin = ["Ada@example.org"]
annotator = ["ben@example.org", "*@lab.example.org"]
viewer = ["*@example.org"]
[on.flowers-1]
editor = ["ben@example.org"]
"""


def write(home, text: str, mode: int = 0o600) -> None:
    home.mkdir(exist_ok=True)
    (home / sharing.FILE).write_text(text)
    (home / sharing.FILE).chmod(mode)


def test_without_the_file_one_person_works_here(home):
    assert sharing.load() is None


def test_who_has_which_role(home):
    write(home, WHOLE)
    found = sharing.load()
    assert found.oidc.issuer == "https://id.example.org/realms/lab"
    assert found.host == "gmaug.example.org"
    given = {
        "ada@EXAMPLE.org": "admin",
        "ben@example.org": "annotator",
        "cleo@lab.example.org": "annotator",
        "dan@example.org": "viewer",
        "eve@evil.org": None,
        "eve@sub.example.org": None,
        "eve@evil.org@example.org.evil": None,
        "": None,
        "*@example.org": "viewer",  # only its own provider can call somebody so
    }
    for person, role in given.items():
        actor = found.actor(person)
        assert (actor.role if actor else None) == role, person


def test_a_role_on_one_resource_holds_there_alone(home):
    write(home, WHOLE)
    ben = sharing.load().actor("ben@example.org")
    assert roles.allowed(ben, "edit grouping", "flowers-1")
    assert not roles.allowed(ben, "edit grouping", "flowers-2")
    assert not roles.allowed(ben, "edit grouping")
    assert roles.allowed(ben, "review samples", "any-run")


def test_a_change_counts_at_once(home):
    write(home, WHOLE)
    assert sharing.load().actor("dan@example.org").role == "viewer"
    write(home, WHOLE.replace('viewer = ["*@example.org"]', ""))
    assert sharing.load().actor("dan@example.org") is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("https://gmaug", "http://gmaug", "https://"),
        ("https://id.", "http://id.", "https://"),
        ("gmaug.example.org", "gmaug.example.org/path", "no path"),
        ("admin =", "boss =", "no role boss"),
        ('admin = ["Ada@example.org"]', "", "names no admin"),
        ('"*@example.org"', '"*"', "neither a person nor"),
        ('"*@example.org"', '"a*@example.org"', "neither a person nor"),
        ('client_id = "gmaug"', "", "client_id"),
        ("[roles]", "colour = 1\n[roles]", "colour"),
        ("[roles]", "[roles", "access.toml cannot be followed"),
    ],
)
def test_what_cannot_be_followed_is_said(home, old, new, words):
    write(home, WHOLE.replace(old, new))
    with pytest.raises(InputError, match=r"access\.toml cannot be followed") as refused:
        sharing.load()
    assert words in str(refused.value)
    assert "a secret" not in str(refused.value)


def test_a_secret_that_others_can_read_is_refused(home):
    write(home, WHOLE, mode=0o644)
    with pytest.raises(InputError, match="others on this machine"):
        sharing.load()
    write(home, WHOLE.replace('client_secret = "a secret"', ""), mode=0o644)
    assert sharing.load() is not None
    write(home, WHOLE, mode=0o620)
    with pytest.raises(InputError, match="others on this machine"):
        sharing.load()


def test_the_secret_comes_from_a_file_or_the_environment(home, monkeypatch):
    bare = WHOLE.replace('client_secret = "a secret"', "")
    write(home, bare)
    with pytest.raises(InputError, match="no secret"):
        sharing.load().oidc.secret()
    (home / "kept").write_text("from the file\n")
    write(home, bare.replace("[roles]", f"client_secret_file = '{home / 'kept'}'\n[roles]"))
    assert sharing.load().oidc.secret() == "from the file"
    monkeypatch.setenv(sharing.SECRET_VARIABLE, "from the environment")
    assert sharing.load().oidc.secret() == "from the environment"
