"""One damaged file is shown as damaged; everything else of the workspace stands, on every verb that lists."""

from __future__ import annotations

import json

import pytest

from gmaug_core import runs
from gmaug_core.cli.main import main
from gmaug_core.data import dataset
from gmaug_core.data.manifest import MANIFEST, SUMMARY
from gmaug_core.runs import RunWriter

TRUNCATED = [b"", b"{", b"[]", b"null", b'{"schema": "x"}', b"\xff\xfe", b"7"]


@pytest.mark.parametrize("damage", TRUNCATED)
@pytest.mark.parametrize("name", ["config", "status", "result", "metrics"])
def test_a_damaged_file_of_a_run_leaves_every_list_standing(finished_run, capsys, name, damage):
    path = getattr(finished_run, name)
    path.write_bytes(damage + b"\n")
    shown = {}
    for verb in ("runs", "datasets", "audit"):
        assert main([verb, "--json"]) == 0, capsys.readouterr().err
        shown[verb] = json.loads(capsys.readouterr().out)
    lost = name in ("config", "result")  # the only run that could join: refused in words
    assert main(["fit", "--with-runs", "--json"]) == (2 if lost else 0)
    capsys.readouterr()
    rows = {row["run"]: row["state"] for row in shown["runs"]}
    assert rows[finished_run.id] == ("damaged" if name == "config" else "finished")
    assert len(shown["datasets"]) == len(dataset.list_datasets())


def test_a_damaged_status_is_found_again(finished_run):
    finished_run.status.write_text("{")
    status = runs.read_status(finished_run)
    assert status.state == "finished"
    assert "damaged" in status.reason
    finished_run.result.unlink()
    assert runs.read_status(finished_run).state == "lost"
    attempt = RunWriter(finished_run).status.attempt
    assert attempt > max((row["attempt"] for row in runs.read_metrics(finished_run)[0]), default=0)
    assert runs.read_status(finished_run).attempt == attempt


@pytest.mark.parametrize("damage", TRUNCATED)
def test_a_damaged_summary_is_made_again_and_a_damaged_dataset_is_named(demo, capsys, damage):
    folder = dataset.load(demo).folder
    before = (folder / SUMMARY).read_bytes()
    (folder / SUMMARY).write_bytes(damage)
    assert [item.id for item in dataset.list_datasets()] == [demo]
    assert (folder / SUMMARY).read_bytes() == before
    (folder / SUMMARY).write_bytes(damage)
    (folder / MANIFEST).write_bytes(damage)
    assert main(["datasets", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["id"], row["state"]) == (demo, "damaged")
    assert [name for name, _ in dataset.damaged()] == [demo]
