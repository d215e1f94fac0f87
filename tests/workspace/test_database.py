"""The database file: numbered migrations, tested from a file that an older version wrote; damage is said
in words.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gmaug_core import workspace
from gmaug_core.errors import GMAugError
from gmaug_core.workspace import audit, database, groupings, reviews

OLD = (
    Path(__file__).parent / "old" / "workspace-1.db"
)  # written by the code of version 1, never touched since
DATASET, GROUPING = "plants-0001", "by habitat"


@pytest.fixture
def old(home) -> Path:
    """A workspace of version 1."""
    shutil.copy(OLD, database.path())
    return database.path()


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA user_version").fetchone()[0]
    finally:
        connection.close()


def test_what_people_did_survives_the_migration(old):
    assert version(old) == 1
    groups, revision = groupings.load(DATASET, GROUPING)
    assert version(old) == database.SCHEMA_VERSION
    assert revision == 4
    assert dict(groups.super_classes) == {"forêt": ("oak",), "water": ("reed", "beech")}
    assert groupings.stored(DATASET) == ["all", GROUPING]
    assert reviews.load("run-a") == {1: "keep", 2: "keep"}
    assert reviews.load("run-b") == {0: "reject"}
    assert {item.person for item in reviews.history("run-a")} == {"local"}
    trail = audit.trail()
    assert len(trail) == 12
    assert {entry.person for entry in trail} == {"local"}
    assert trail[0].detail == {"dataset": DATASET}


def test_undo_reaches_back_over_the_migration(old):
    revision = groupings.redo(DATASET, GROUPING, revision=4)
    assert "empty" in groupings.load(DATASET, GROUPING)[0].super_classes
    for _ in range(3):
        revision = groupings.undo(DATASET, GROUPING, revision=revision)
    assert dict(groupings.load(DATASET, GROUPING)[0].super_classes) == {
        "wood": ("oak", "beech"),
        "water": ("reed",),
    }
    reviews.save("run-a", {1: "reject"}, person="ada")
    assert reviews.load("run-a") == {1: "reject", 2: "keep"}
    assert [item.person for item in reviews.history("run-a") if item.sample == 1] == ["local", "ada"]


def test_an_old_and_a_new_file_have_the_same_tables(old, tmp_path, monkeypatch):
    def tables() -> list[str]:
        with database.transaction() as connection:
            rows = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
            columns = [
                (name, [row[1:] for row in connection.execute(f"PRAGMA table_info({name})")])
                for kind, name in rows
                if kind == "table"
            ]
        return [*rows, *columns]

    migrated = tables()
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "new"))
    assert tables() == migrated


@pytest.mark.parametrize("fatal", database.MIGRATIONS[1])
def test_a_statement_that_fails_leaves_the_old_version_whole(old, monkeypatch, fatal):
    broken = tuple("SELECT no_such_function()" if line == fatal else line for line in database.MIGRATIONS[1])
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (database.MIGRATIONS[0], broken))
        with pytest.raises(GMAugError, match="cannot be used"):
            reviews.load("run-a")
    assert version(old) == 1
    assert reviews.load("run-a") == {1: "keep", 2: "keep"}  # and it migrates when it can


class _Dying(sqlite3.Connection):
    """Ends its process, as a power cut would, when the migration has half its tables."""

    def execute(self, sql, *rest):
        if sql.startswith("DROP TABLE"):
            os._exit(9)
        return super().execute(sql, *rest)


def _die(home: str) -> None:
    os.environ["GMAUG_HOME"] = home
    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **more: connect(*given, factory=_Dying, **more)
    reviews.load("run-a")


@pytest.mark.slow
def test_a_process_that_dies_in_the_middle_leaves_the_old_version_whole(old):
    dies = f"import test_database; test_database._die({str(old.parent)!r})"
    here = Path(__file__).parent
    child = subprocess.run(
        [sys.executable, "-c", dies],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (here, here.parent, here.parent.parent)))},
        timeout=60,
        check=False,
    )
    assert child.returncode == 9
    assert version(old) == 1
    assert reviews.load("run-b") == {0: "reject"}
    assert version(old) == database.SCHEMA_VERSION


def test_every_version_has_a_step(home):
    workspace.audit.record("x", "y")
    assert version(database.path()) == database.SCHEMA_VERSION == len(database.MIGRATIONS)


def test_a_damaged_database_is_named_and_left_alone(home):
    database.path()  # the folder is made
    database.path().write_bytes(b"not a database at all" * 100)
    with pytest.raises(GMAugError, match="cannot be used"):
        groupings.load("d", "g")
    assert database.path().read_bytes().startswith(b"not a database")


def test_a_newer_database_without_a_backup_is_refused(home):
    audit.record("x", "y")
    for path in (home / "backups").iterdir():
        path.unlink()
    connection = sqlite3.connect(database.path())
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(GMAugError, match="newer version"):
        audit.record("x", "y")
