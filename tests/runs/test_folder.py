from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from nowhere import Nowhere, facts, new_run

from gmaug_core import locks, runs
from gmaug_core.children import START_GRACE_S
from gmaug_core.cli import main as cli
from gmaug_core.config import SimilarityConfig
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import atomic_write, read_json, sweep_temporary, write_json
from gmaug_core.locks import locked
from gmaug_core.runs import RunWriter, launch, mending
from gmaug_core.runs.backends import LOCAL

DOCUMENT = facts(SimilarityConfig(dataset="d"))


def test_create_is_idempotent_by_token(home):
    first, created = runs.create("similarity", DOCUMENT, token="token-1")
    again, created_again = runs.create("similarity", DOCUMENT, token="token-1")
    assert (created, created_again, first) == (True, False, again)
    assert runs.read_status(first).state == "queued"
    assert [paths.id for paths in runs.list_runs()] == ["similarity-token-1"]
    with pytest.raises(InputError):
        runs.create("similarity", DOCUMENT, token="../x")


def test_unknown_runs_are_named(home):
    for name in ("nope", "../../etc", ""):
        with pytest.raises(InputError, match="there is no run"):
            runs.find(name)


def test_a_life_with_stages(home):
    paths = new_run()
    with locked(paths.lock) as mine:
        assert mine
        writer = RunWriter(paths)
        writer.progress("one", 0, 10, loss=1.0)
        writer.progress("one", 10, 10, loss=0.5)
        writer.progress("two", 1, 4)
        writer.end("finished")
    status = runs.read_status(paths)
    assert status.state == "finished"
    assert list(status.stages) == ["one", "two"]
    assert status.attempt == 1
    rows, offset = runs.read_metrics(paths)
    assert [row["loss"] for row in rows] == [1.0, 0.5]
    assert runs.read_metrics(paths, offset) == ([], offset)


def test_an_active_run_that_nobody_holds_is_lost(home):
    paths = new_run()
    status = read_json(paths.status)
    write_json(paths.status, status | {"state": "running"})
    assert runs.read_status(paths).state == "lost"
    write_json(paths.status, status | {"progress_at": time.time() - 2 * START_GRACE_S})
    assert runs.read_status(paths).state == "lost"


def test_alive_means_that_another_process_holds_the_lock(home):
    paths = new_run()
    code = (
        "import sys, time; from pathlib import Path; from gmaug_core.locks import locked\n"
        "with locked(Path(sys.argv[1])) as mine:\n    print(mine, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(paths.lock)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline().strip() == "True"
    assert LOCAL.alive(paths)
    assert locks.holder(paths.lock) == holder.pid
    with locked(paths.lock) as mine:
        assert not mine
    holder.send_signal(signal.SIGKILL)
    time.sleep(0.2)  # deliberately unreaped: a pid check would still say alive
    assert not LOCAL.alive(paths)
    holder.communicate()


def test_a_stale_writer_cannot_write(home):
    paths = new_run()
    old, new = RunWriter(paths), RunWriter(paths)
    with pytest.raises(GMAugError, match="taken this run over"):
        old.progress("one", 1, 2)
    new.progress("one", 1, 2)
    assert runs.read_metrics(paths)[0] == []


def test_a_snapshots_quality_is_never_thinned_out(home):
    paths = new_run()
    writer = RunWriter(paths)
    for step in range(4):
        writer.progress("generator", step, 10, loss=1.0)
        writer.progress("generator", step, 10, loss=1.0, quality={"kid": step})
    rows = runs.read_metrics(paths)[0]
    assert [row["quality"]["kid"] for row in rows if "quality" in row] == [0, 1, 2, 3]
    assert len(rows) == 5


def test_a_torn_metrics_line_is_skipped_and_costs_no_other(home):
    paths = new_run()
    RunWriter(paths).progress("one", 1, 2, loss=1.0)
    with paths.metrics.open("ab") as file:
        file.write(b'{"loss": 2.')
    assert len(runs.read_metrics(paths)[0]) == 1
    assert runs.damaged_metrics(paths) == 0, "a kill is no damage"
    RunWriter(paths).progress("one", 2, 2, loss=3.0)
    assert [row["loss"] for row in runs.read_metrics(paths)[0]] == [1.0, 3.0]
    assert runs.damaged_metrics(paths) == 0


def test_the_newest_row_is_read_from_the_end_alone(home, monkeypatch):
    paths = new_run()
    assert runs.newest_metrics(paths) == {}
    for step in range(1, 40):
        RunWriter(paths).progress("one", step, 40, loss=float(step))
    monkeypatch.setattr("gmaug_core.runs.folder.TAIL_BYTES", 400)
    assert runs.newest_metrics(paths) == runs.read_metrics(paths)[0][-1]
    with paths.metrics.open("ab") as file:
        file.write(b'{"loss": 2.')  # still being written
    assert runs.newest_metrics(paths)["loss"] == 39.0
    RunWriter(paths).progress("one", 40, 40, note="x" * 900)
    assert runs.newest_metrics(paths) == {}, "its beginning is out of sight"


def test_every_flipped_bit_of_the_metrics_costs_its_row_and_is_noticed(home):
    paths = new_run()
    writer = RunWriter(paths)
    for step in (1, 2, 3):
        writer.progress("one", step, 3, loss=float(step), quality={"kid": np.float32("nan")})
    whole, rows = paths.metrics.read_bytes(), runs.read_metrics(paths)[0]
    assert [(row["loss"], row["quality"]) for row in rows] == [(k, {"kid": None}) for k in (1.0, 2.0, 3.0)]
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        paths.metrics.write_bytes(data)
        found = runs.read_metrics(paths)[0]
        assert all(row in rows for row in found)
        assert len(found) < 3, at
        assert runs.damaged_metrics(paths) > 0, at
    assert mending.damaged(paths) == ["metrics.jsonl"]
    mending.put_aside(paths)
    assert mending.damaged(paths) == []
    assert runs.read_metrics(paths)[0] == found
    assert (paths.folder / "metrics.jsonl.damaged").read_bytes() == data


def test_metrics_from_before_their_checksums_are_read(home):
    paths = new_run()
    paths.metrics.write_text('{"loss": 1.0}\n{"loss": 2.0}\n')
    assert [row["loss"] for row in runs.read_metrics(paths)[0]] == [1.0, 2.0]
    assert runs.damaged_metrics(paths) == 0


KILLED = """
import os, sys
from pathlib import Path
from gmaug_core.files import write_json
path = Path(sys.argv[1])
n = 0
while True:
    n += 1
    write_json(path, {"n": n, "filler": "x" * 200_000})
    if n == 1: print("ready", flush=True)
"""


@pytest.mark.slow
def test_a_kill_never_leaves_half_a_file(tmp_path):
    """Atomic writes survive SIGKILL at random moments; the naive way of writing must fail the same
    harness.
    """
    naive = KILLED.replace("write_json(path, ", "__import__('json').dump(").replace(
        "200_000})", "200_000}, path.open('w'))"
    )

    def corrupted(code: str, times: int) -> int:
        bad = 0
        for attempt in range(times):
            path = tmp_path / f"{attempt}.json"
            process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
            assert process.stdout
            assert process.stdout.readline()
            time.sleep(0.01 + 0.003 * attempt)
            process.kill()
            process.communicate()
            try:
                json.loads(path.read_text())
            except json.JSONDecodeError:
                bad += 1
        return bad

    assert corrupted(KILLED, 12) == 0
    assert corrupted(naive, 12) > 0
    sweep_temporary(tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        atomic_write(path, fail)
    assert path.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_run_whose_config_cannot_be_read_is_named_and_takes_no_list_down(home, capsys):
    good = new_run("similarity")
    broken, newer = new_run("similarity", "broken"), new_run("augmentation", "newer")
    broken.config.write_text(broken.config.read_text()[:-30])
    write_json(newer.config, read_json(newer.config) | {"schema": 99})
    assert [paths.id for paths in runs.list_runs()] == [good.id]
    assert [paths.id for paths, _ in runs.damaged()] == [newer.id, broken.id]
    (paths, error), *others = runs.damaged("similarity")
    assert (paths.id, others) == (broken.id, [])
    assert "no JSON" in error.what
    assert cli.main(["runs", "--json"]) == 0
    rows = {row["run"]: row for row in json.loads(capsys.readouterr().out)}
    assert {run: row["state"] for run, row in rows.items()} == {
        good.id: "queued",
        broken.id: "damaged",
        newer.id: "damaged",
    }
    assert "newer version" in rows[newer.id]["error"]


def test_what_is_wrong_with_the_disk_is_not_called_a_damaged_run(home, monkeypatch):
    new_run("similarity")

    def refused(*_):
        raise PermissionError("not yours")

    monkeypatch.setattr(runs.RunConfigFile, "read", refused)
    with pytest.raises(PermissionError):
        runs.list_runs()
    with pytest.raises(PermissionError):
        runs.damaged()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("classifier.batch", 10**8),
        ("generator.sigma_min", 1e5),
        ("use", []),
        ("amounts", [99.0]),
        ("device", "banana"),
        ("seeds", 10**6),
    ],
)
def test_a_run_of_before_a_bound_is_what_it_was_and_only_a_new_one_is_refused(finished_run, place, value):
    document = read_json(finished_run.config)
    *parents, leaf = place.split(".")
    part = document["settings"]
    for parent in parents:
        part = part[parent]
    part[leaf] = value
    write_json(finished_run.config, document)
    stored = runs.RunConfigFile.read(finished_run.config)
    assert stored.to_dict()["settings"] == document["settings"]
    assert [paths.id for paths in runs.list_runs()] == [finished_run.id]
    with pytest.raises(InputError, match=leaf if "sigma" not in leaf else "generator"):
        launch.again(finished_run.id, where=Nowhere())


@pytest.mark.parametrize("change", [{"seeds": "many"}, {"speed": 9}, {"generator": 7}, {"amounts": ["x"]}])
def test_a_config_of_wrong_types_or_keys_is_still_damaged(finished_run, change):
    document = read_json(finished_run.config)
    write_json(finished_run.config, document | {"settings": document["settings"] | change})
    with pytest.raises(GMAugError, match="is damaged"):
        runs.RunConfigFile.read(finished_run.config)


def test_a_config_is_read_once_and_again_when_it_is_another_file(home, monkeypatch):
    paths, read = new_run("similarity"), []
    original = runs.RunConfigFile.read
    monkeypatch.setattr(runs.RunConfigFile, "read", lambda path: read.append(path) or original(path))
    assert [runs.list_runs()[0].id for _ in range(3)] == [paths.id] * 3
    assert runs.config_of(paths).run == paths.id
    assert read == [paths.config]
    paths.config.write_text("{")
    assert runs.list_runs() == []
    with pytest.raises(GMAugError, match="no JSON"):
        runs.config_of(paths)
    assert len(read) == 2
