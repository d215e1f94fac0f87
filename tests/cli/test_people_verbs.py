"""What people decide, from the command line: reviews, undo and redo of groupings, the trail."""

from __future__ import annotations

import json

import pytest
import run_fixture

from gmaug_core import workspace
from gmaug_core.cli import main as cli
from gmaug_core.data import dataset, samples
from gmaug_core.report import browsing
from gmaug_core.workspace import groupings, reviews


@pytest.fixture
def paths(demo):
    return run_fixture.make_run(demo, token="verbs", per_class=10)


@pytest.fixture
def answer(capsys):
    """answer(verb, ...): the JSON document of a verb, and its exit status."""

    def ask(*words: object) -> tuple[object, int]:
        capsys.readouterr()
        status = cli.main([*(str(word) for word in words), "--json"])
        return json.loads(capsys.readouterr().out), status

    return ask


def test_samples_are_accepted_rejected_and_undone(paths, answer):
    document, status = answer("review", paths.id, "--accept", 3, 5)
    assert status == 0
    assert [(item["sample"], item["decision"]) for item in document["decisions"]] == [
        (3, "keep"),
        (5, "keep"),
    ]
    assert document["decisions"][0]["person"] == workspace.actor()
    answer("review", paths.id, "--reject", 5)
    answer("review", paths.id, "--undo", 3)
    assert reviews.load(paths.id) == {5: "reject"}
    assert answer("review", paths.id, "--list", 3)[0]["decisions"] == []
    document, _ = answer("review", paths.id, "--list")
    assert [(item["sample"], item["decision"]) for item in document["decisions"]] == [(5, "reject")]


def test_a_sample_that_is_not_there_stores_nothing(paths, answer):
    count = samples.count(paths.samples)
    document, status = answer("review", paths.id, "--accept", 0, count)
    assert status == 2
    assert f"no sample {count}" in document["error"]["what"]
    assert reviews.history(paths.id) == []


def test_samples_are_filtered_as_on_the_page(paths, answer):
    table = samples.table(paths.samples)
    everything, _ = answer("samples", paths.id)
    overruled = next(row["sample"] for row in everything if not row["accepted"])
    answer("review", paths.id, "--accept", overruled)
    for words, want in (
        (["--rejected", "--class", "4"], browsing.Filter(verdict="rejected", name="4")),
        (["--decision", "overruled"], browsing.Filter(decision="overruled")),
        (["--seed", 1, "--step", 2], browsing.Filter(seed=1, step=2)),
        (["--order", "score, low first"], browsing.Filter(order="score, low first")),
    ):
        rows, status = answer("samples", paths.id, *words)
        expected = browsing.chosen(table, want, reviews.load(paths.id))["sample"].tolist()
        assert status == 0
        assert [row["sample"] for row in rows] == expected != []
    assert answer("samples", paths.id, "--decision", "maybe")[1] == 2
    answer("samples", paths.id, "--rejected", "--class", "4", "--save-view", "bad fours")
    rows, _ = answer("samples", paths.id, "--view", "bad fours")
    assert {(row["class"], row["accepted"]) for row in rows} == {("4", False)}
    assert answer("samples", paths.id, "--view", "bad fives")[1] == 2


def test_an_edit_is_undone_and_redone_and_its_history_told(demo, answer):
    data = dataset.load(demo)
    proposal, _ = groupings.current(data, "shape")
    groupings.edit(data.id, proposal, 0, {"do": "add", "name": "new"}, person="ada")
    document, status = answer("group", data.id, "--undo", "--name", "shape")
    assert (status, document["revision"]) == (0, 2)
    assert document["super_classes"] == {k: list(v) for k, v in proposal.super_classes.items()}
    document, _ = answer("group", data.id, "--redo", "--name", "shape")
    assert "new" in document["super_classes"]
    assert answer("group", data.id, "--redo", "--name", "shape")[1] == 2
    document, _ = answer("group", data.id, "--history", "--name", "shape")
    assert [(item["person"], item["current"]) for item in document["versions"]] == [
        ("ada", False),
        ("ada", True),
    ]
    assert answer("group", data.id, "--history", "--name", "identity")[0]["versions"] == []
    assert answer("group", data.id, "--undo", "--name", "identity")[1] == 2
    assert answer("group", data.id, "--history", "--name", "nope")[1] == 2


def test_groupings_of_several_people_are_compared_and_merged(demo, answer):
    data = dataset.load(demo)
    shape, _ = groupings.current(data, "shape")
    groupings.add(data, "ann", shape)
    groupings.add(data, "ben", shape.move("9", "straight"))
    document, status = answer("group", data.id, "--compare", "ann", "ben")
    assert status == 0
    ((index,),) = [[row["adjusted_rand"]] for row in document["agreement"]]
    assert 0.3 < index < 1
    assert document["disputed"][0]["sub_class"] == "9"
    document, _ = answer("group", data.id, "--merge", "ann", "ben", "--name", "both")
    assert document["super_classes"]["9"] == ["9"]
    assert document["origin"].startswith("Merged from ann (")
    assert answer("group", data.id, "--compare", "ann")[1] == 2


def test_the_trail_is_read_by_subject(demo, answer):
    data = dataset.load(demo)
    proposal, _ = groupings.current(data, "shape")
    groupings.edit(data.id, proposal, 0, {"do": "add", "name": "new"}, person="ada")
    workspace.audit.record("run stopped", "run-1")
    rows, _ = answer("audit", data.id)
    assert [(row["action"], row["person"]) for row in rows] == [("grouping saved", "ada")]
    rows, _ = answer("audit", "--last", 1)
    assert [row["action"] for row in rows] == ["run stopped"]
