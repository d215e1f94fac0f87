"""A database that cannot be used is moved aside, the newest backup takes its place, and a person is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from gmaug_core.cli import main as cli
from gmaug_core.workspace import audit, database, reviews, safekeeping


@pytest.fixture
def edited(home, monkeypatch):
    """A workspace with one edit in a backup, and a later one that is in none."""
    reviews.save("run-a", {0: "keep"}, person="ada")
    assert len(safekeeping.backups()) == 1
    reviews.save("run-a", {1: "reject"}, person="bert")
    assert len(safekeeping.backups()) == 1, "a minute has not passed"
    return database.path()


def flip(path, at, bit=2):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)
    safekeeping._seen.clear()  # as another process finds it


def row_of(path, word):
    return path.read_bytes().index(word)


def damage(path, how):
    if how == "empty":
        path.write_bytes(b"")
    elif how == "gone":
        path.unlink()
    elif how == "no database":
        path.write_bytes(b"not a database at all" * 1000)
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "newer":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version=99")
    else:  # a person's decision, which SQLite would believe
        flip(path, row_of(path, b"keep"))
    safekeeping._seen.clear()


@pytest.mark.parametrize("how", ["empty", "gone", "no database", "truncated", "newer", "row"])
def test_the_newest_backup_takes_its_place_and_what_is_lost_is_told(edited, home, how, capsys):
    damage(edited, how)
    before = edited.read_bytes() if edited.exists() else b""
    assert reviews.load("run-a") == {0: "keep"}
    about = safekeeping.notice()
    assert "moved aside" in about.words
    if how in ("newer", "row"):
        assert [row[1:3] for row in about.lost] == [["bert", "sample reviewed"]]
        assert "sample reviewed (run-a) by bert" in about.words
    aside = home / about.aside
    assert not before or aside.read_bytes() == before, "nothing is overwritten"
    reviews.save("run-a", {1: "reject"}, person="bert")
    assert reviews.load("run-a") == {0: "keep", 1: "reject"}
    assert cli.main(["audit"]) == 0
    assert "moved aside" in capsys.readouterr().err
    assert cli.main(["database"]) == 0
    assert "moved aside" in capsys.readouterr().out
    assert cli.main(["database"]) == 0
    assert "moved aside" not in capsys.readouterr().err


@pytest.mark.slow
def test_no_flipped_byte_of_the_database_is_believed(edited):
    seal = edited.with_name("workspace.db.seal")
    good, sealed, expected = edited.read_bytes(), seal.read_bytes(), reviews.history("run-a")
    random = np.random.default_rng(0)
    used = np.flatnonzero(np.frombuffer(good, np.uint8))
    for at in random.choice(used, 30, replace=False):
        edited.write_bytes(good)
        seal.write_bytes(sealed)
        flip(edited, at, int(random.integers(8)))
        found = reviews.history("run-a")
        assert found in (expected, expected[:1]), at
        assert (found == expected) or safekeeping.notice(), at
        safekeeping.seen()
        for aside in (edited.parent / "set-aside").glob("*"):
            aside.unlink()


def test_backups_are_bounded_and_each_is_a_database(edited, monkeypatch):
    monkeypatch.setattr(safekeeping, "BACKUP_S", 0.0)
    monkeypatch.setattr(safekeeping._keep, "__defaults__", (0.0,))
    now = [1e9]
    monkeypatch.setattr("gmaug_core.workspace.safekeeping.time.time", lambda: now[0])
    for edit in range(40):
        now[0] += 7200
        audit.record("edited", str(edit))
    kept = safekeeping.backups()
    assert len(kept) <= safekeeping.NEWEST + safekeeping.DAYS
    for backup in kept:
        path = edited.parent / "backups" / backup.name
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert backup.version == database.SCHEMA_VERSION


def test_a_damaged_backup_is_passed_over(edited, monkeypatch, home):
    monkeypatch.setattr(safekeeping._keep, "__defaults__", (0.0,))
    reviews.save("run-a", {2: "keep"}, person="cleo")
    newest, older = safekeeping.backups()
    flip(home / "backups" / newest.name, row_of(home / "backups" / newest.name, b"cleo"))
    damage(edited, "empty")
    assert reviews.load("run-a") == {0: "keep"}
    assert safekeeping.notice().backup == older.name


def test_a_database_that_another_program_changed_is_taken_and_sealed_again(edited):
    with closing(sqlite3.connect(edited)) as connection, connection:
        connection.execute("UPDATE reviews SET decision='reject' WHERE sample=0")
    safekeeping._seen.clear()
    assert reviews.load("run-a") == {0: "reject", 1: "reject"}
    reviews.save("run-a", {2: "keep"})
    flip(edited, row_of(edited, b"keep"))
    reviews.load("run-a")
    assert safekeeping.notice()


def test_an_edit_that_was_not_committed_leaves_a_database_that_is_believed(edited):
    def killed_before_its_commit():
        with database.transaction() as connection:
            connection.execute("DELETE FROM reviews")
            safekeeping.seal(connection, edited)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        killed_before_its_commit()
    safekeeping._seen.clear()
    assert reviews.load("run-a") == {0: "keep", 1: "reject"}
    assert safekeeping.notice() is None
