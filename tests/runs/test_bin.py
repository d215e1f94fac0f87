"""What is deleted comes back as it was."""

from __future__ import annotations

import json
import threading
import time

import pytest
import run_fixture

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.data import dataset
from gmaug_core.errors import Conflict, InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.home import home as data_root
from gmaug_core.locks import locked
from gmaug_core.runs import bin as bins
from gmaug_core.workspace import audit, groupings, people
from gmaug_core.workspace.grouping import Grouping


def contents() -> dict[str, bytes]:
    """Every file of the datasets and runs."""
    places = [data_root() / "datasets", data_root() / "runs"]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if path.name not in (".lock", "run.lock")}


@pytest.fixture
def two_runs(bars):
    """A dataset with a grouping and two scores."""
    groupings.add(bars, "mine", Grouping("mine", {"all": list(bars.class_names)}))
    for value in (0.2, 0.3):
        run_fixture.make_score(bars.id, "identity", value)
    return bars


def test_a_dataset_goes_with_its_runs_and_comes_back_as_it_was(two_runs):
    before = contents()
    entry = bins.delete_dataset(two_runs.id, person="anna")
    assert not dataset.list_datasets()
    assert not runs.list_runs()
    assert len(entry.runs) == 2
    assert entry.size >= sum(map(len, before.values()))
    assert [each.id for each in bins.listed()] == [entry.id]
    bins.restore(two_runs.id)
    assert contents() == before
    assert groupings.load(two_runs.id, "mine")
    assert not bins.listed()
    assert [(row.action, row.person) for row in audit.trail()][:2] == [
        ("dataset restored", people.name()),
        ("dataset deleted", "anna"),
    ]


def test_a_run_that_is_at_work_is_not_deleted_nor_its_dataset(two_runs):
    paths = runs.list_runs()[0]
    with locked(paths.lock):
        for delete, name in ((bins.delete_run, paths.id), (bins.delete_dataset, two_runs.id)):
            with pytest.raises(InputError, match="is waiting or at work"):
                delete(name)
    assert not bins.listed()
    assert len(runs.list_runs()) == 2


def test_a_run_is_not_restored_without_its_dataset(two_runs):
    run = runs.list_runs()[0].id
    bins.delete_run(run)
    bins.delete_dataset(two_runs.id)
    with pytest.raises(InputError, match=f"the dataset of run '{run}' is not here"):
        bins.restore(run)
    bins.restore(two_runs.id)
    bins.restore(run)
    assert len(runs.list_runs()) == 2


def test_a_deletion_that_was_killed_on_the_way_is_undone(two_runs):
    before = contents()
    entry = bins.delete_dataset(two_runs.id)
    kept = entry.folder / entry.places[0]
    kept.rename(data_root() / entry.places[0])  # as if the last rename had not happened
    bins.restore(entry.id)
    assert contents() == before


def test_two_who_restore_at_once_restore_once(two_runs):
    before, entry = contents(), bins.delete_dataset(two_runs.id)
    said: list[object] = []

    def restored() -> None:
        try:
            said.append(bins.restore(entry.id).id)
        except InputError as error:
            said.append(error)

    with locked(data_root() / "bin" / ".lock"):
        both = [threading.Thread(target=restored) for _ in range(2)]
        for one in both:
            one.start()
        time.sleep(0.2)  # both have come as far as they can
    for one in both:
        one.join()
    assert [each for each in said if each == entry.id] == [entry.id]
    assert sum(isinstance(each, InputError) for each in said) == 1
    assert contents() == before


def test_what_is_older_than_its_time_leaves_for_good(two_runs):
    entry = bins.delete_dataset(two_runs.id)
    assert not bins.expired(entry.deleted + 29 * 86_400)
    assert bins.expired(entry.deleted + 31 * 86_400) == [entry]
    assert bins.empty(bins.expired(entry.deleted + 31 * 86_400)) == entry.size
    assert not entry.folder.exists()
    with pytest.raises(InputError, match="nothing called"):
        bins.restore(two_runs.id)


def test_a_damaged_run_can_be_deleted(two_runs):
    paths = runs.list_runs()[0]
    paths.config.write_text("{")
    bins.delete_run(paths.id)
    assert not runs.damaged()
    bins.restore(paths.id)
    assert runs.damaged()[0][0].id == paths.id


def test_the_verbs(two_runs, capsys):
    def say(*arguments: str):
        capsys.readouterr()
        status = cli.main([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    assert say("rename", two_runs.id, "  My   bars ")[1]["name"] == "My bars"
    assert dataset.load(two_runs.id).name == dataset.load(two_runs.id).manifest.name == "My bars"
    assert say("rename", two_runs.id, " ")[0] == 2
    assert say("delete", two_runs.id)[1]["kind"] == "dataset"
    assert say("delete", "..")[0] == say("delete", "nothing")[0] == 2
    assert [entry["subject"] for entry in say("bin")[1]] == [two_runs.id]
    assert say("restore", two_runs.id)[0] == 0
    assert say("delete", two_runs.id, "--grouping", "identity")[0] == 2  # it was never stored
    assert say("delete", two_runs.id, "--grouping", "mine")[0] == 0
    assert "mine" not in groupings.names(two_runs)
    assert say("restore", two_runs.id, "--grouping", "mine")[0] == 0
    assert "mine" in groupings.names(two_runs)
    say("delete", two_runs.id)
    assert say("bin", "--empty")[1] == []


def test_a_grouping_that_is_made_again_is_not_mistaken_for_the_deleted_one(two_runs):
    seen, revision = groupings.current(two_runs, "mine")
    groupings.delete(two_runs.id, "mine", revision=revision)
    assert groupings.deleted(two_runs.id) == ["mine"]
    with pytest.raises(Conflict):  # of somebody who still sees it
        groupings.save(two_runs.id, seen, revision=revision)
    groupings.add(two_runs, "mine", Grouping("mine", {name: [name] for name in two_runs.class_names}))
    with pytest.raises(Conflict):
        groupings.save(two_runs.id, seen, revision=revision)
    assert not groupings.deleted(two_runs.id)


def test_an_entry_that_cannot_be_read_hides_no_other(two_runs):
    first, second = (bins.delete_run(paths.id) for paths in runs.list_runs())
    write_json(first.folder / bins.FILE, read_json(first.folder / bins.FILE) | {"schema": 99})
    assert [each.id for each in bins.listed()] == [second.id]
