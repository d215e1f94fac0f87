"""Roles, in the core: every action has a rule, every writer is guarded, every role can do what it may and no
more, and what was refused is in the trail.
"""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest

import gmaug_core
from gmaug_core.config import SimilarityConfig
from gmaug_core.errors import Conflict, Forbidden, GMAugError, InputError
from gmaug_core.intake import jobs
from gmaug_core.intake.door import import_path
from gmaug_core.runs import backup, launch, packing, restoring
from gmaug_core.runs import bin as bins
from gmaug_core.workspace import (
    audit,
    groupings,
    marks,
    names,
    people,
    provenance,
    recovering,
    reviews,
    roles,
    sessions,
)
from gmaug_core.workspace.grouping import Grouping
from gmaug_core.workspace.people import ROLES, Actor

CORE = Path(gmaug_core.__file__).parent
OF_ROUTES_ALONE = {"look", "see server figures"}  # tests/ui/test_rules.py walks these
# every action, done to something that is not there: past the guard, the work refuses it or does nothing
WRITERS = {
    "review samples": [lambda: reviews.save("r", {0: "keep"})],
    "mark run": [lambda: marks.note("r", "x" * 501, []), lambda: marks.pin("r", ["r"])],
    "import dataset": [
        lambda: import_path(Path("no-such-folder")),
        lambda: jobs.start(Path("no-such-folder"), token="x"),
    ],
    "rename dataset": [lambda: names.rename("nothing", "new")],
    "delete dataset": [lambda: bins.delete_dataset("nothing")],
    "edit grouping": [
        lambda: groupings.save("nothing", Grouping("g", {"a": ["b"]}), revision=7),
        lambda: groupings.undo("nothing", "g", revision=7),
        lambda: groupings.redo("nothing", "g", revision=7),
        lambda: provenance.note("nothing", "g", "Begun"),
        lambda: provenance.take_step("nothing", "g", "none", revision=7),
    ],
    "delete grouping": [lambda: groupings.delete("nothing", "g", revision=1)],
    "restore grouping": [lambda: groupings.restore("nothing", "g")],
    "submit run": [lambda: launch.submit(SimilarityConfig(dataset="nothing"))],
    "stop run": [lambda: launch.stop("nothing")],
    "resume run": [lambda: launch.resume("nothing")],
    "delete run": [lambda: bins.delete_run("nothing")],
    "restore from bin": [lambda: bins.restore("nothing")],
    "export run": [
        lambda: packing.pack("nothing", Path("no.txt")),
        lambda: packing.pack_into("nothing", io.BytesIO()),
    ],
    "import run": [lambda: packing.unpack(Path("no-such.tar"))],
    "import from the server's disk": [lambda: jobs.allowed_path("/no/such/folder")],
    "empty bin": [lambda: bins.empty([])],
    "end sessions": [sessions.end_all],
    "back up workspace": [lambda: backup.write(Path("no.tar/no.txt"))],
    "restore database": [lambda: recovering.restore("no-such.db")],
    "dismiss notice": [recovering.seen, lambda: jobs.dismiss("no token")],
    "restore workspace": [lambda: restoring.restore(Path("no-such.tar"))],
}
EVERYBODYS_OWN = {  # what writes a row of the trail and needs no right
    ("workspace/sessions.py", "begin"),  # the gate has asked already, whoever it lets in
    ("workspace/sessions.py", "end"),  # to sign out oneself
    ("workspace/roles.py", "require"),
    ("workspace/roles.py", "attempt"),
    ("workspace/roles.py", "guarded"),
    ("cli/datasets.py", "import_dataset"),  # the door has asked
    ("intake/jobs.py", "work"),  # a child's: `start` has asked
    ("ui/signing.py", "callback"),  # somebody who was not let in
}


def test_every_action_is_in_the_table_of_writers():
    assert set(WRITERS) | OF_ROUTES_ALONE == set(roles.ACTIONS)
    assert set(roles.ACTIONS.values()) <= set(ROLES)


@pytest.mark.parametrize("role", [None, "nobody", *ROLES])
def test_every_writer_for_every_role(home, monkeypatch, role):
    monkeypatch.setattr(jobs.children, "start", lambda *args, **kwargs: None)
    actor = None if role is None else Actor(f"{role}@example.org", role)
    rank = ROLES.index(role) if role in ROLES else -1
    for action, writers in WRITERS.items():
        for write in writers:
            with people.acting(actor):
                if rank >= ROLES.index(roles.ACTIONS[action]):
                    try:
                        write()
                    except Forbidden:
                        pytest.fail(f"a {role} was kept from this: {action}")
                    except GMAugError:
                        continue  # the work's own refusal
                else:
                    with pytest.raises(Forbidden, match="may not"):
                        write()
                    (row,) = audit.trail(1)
                    assert row.action == f"refused: {action}"
                    assert row.person == (actor.id if actor else people.NOBODY)


def test_an_action_without_a_rule_is_nobodys(home):
    assert not roles.allowed(Actor("ada", "admin"), "paint the house")
    with pytest.raises(Forbidden):
        roles.require("paint the house")


def test_a_right_on_one_resource_is_none_on_another(home):
    with people.acting(Actor("ben", "viewer", on={"mine": "editor"})):
        with pytest.raises(InputError):
            groupings.restore("mine", "g")
        with pytest.raises(Forbidden):
            groupings.restore("yours", "g")


def test_what_the_work_itself_refuses_is_in_the_trail(home):
    groupings.save("d", Grouping("g", {"a": ["b"]}), revision=0)
    with pytest.raises(Conflict):
        groupings.save("d", Grouping("g", {"c": ["b"]}), revision=0)
    refused, saved = audit.trail()
    assert (refused.action, refused.subject, saved.action) == (
        "refused: edit grouping",
        "d",
        "grouping saved",
    )
    assert "somebody else" in refused.detail["reason"]


def test_the_trail_names_who_acts(home):
    with people.acting(Actor("ben@example.org", "annotator")):
        reviews.save("r", {1: "keep"})
    assert reviews.newest("r")[1].person == "ben@example.org"
    assert audit.trail(1)[0].person == "ben@example.org"


def guards(function: ast.FunctionDef) -> bool:
    found = [*function.decorator_list, *ast.walk(function)]
    names = {ast.unparse(node.func) for node in found if isinstance(node, ast.Call)}
    return bool(names & {"roles.guarded", "roles.attempt", "roles.require"})


def unguarded(path: Path) -> set[str]:
    """Public functions that leave a row in the trail without having asked for a right."""
    text = path.read_text(encoding="utf-8")
    if "audit.record(" not in text and "audit.add(" not in text:
        return set()
    tree = ast.parse(text)
    functions = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    def writes(name: str, seen: frozenset[str] = frozenset()) -> bool:
        function = functions[name]
        if guards(function) or name in seen:
            return False
        called = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
        if called & {"audit.record", "audit.add"}:
            return True
        return any(writes(other, seen | {name}) for other in called & set(functions))

    return {name for name in functions if not name.startswith("_") and writes(name)}


def test_nobody_writes_without_a_guard():
    found = {
        (path.relative_to(CORE).as_posix(), name) for path in CORE.rglob("*.py") for name in unguarded(path)
    }
    assert found - EVERYBODYS_OWN == set(), "put @roles.guarded(ACTION) before these"
    assert EVERYBODYS_OWN - found <= {("workspace/roles.py", "guarded"), ("workspace/roles.py", "attempt")}


def test_a_writer_without_a_guard_would_be_noticed(tmp_path):
    path = tmp_path / "rows.py"
    path.write_text(
        "def save(): _row()\ndef _row(): audit.record('x', 'y')\n@roles.guarded('a')\ndef b(): _row()"
    )
    assert unguarded(path) == {"save"}
