"""What befalls a run from outside: a clock that is set back, a kill by the system, too little memory."""

from __future__ import annotations

import errno
import time

import pytest
from nowhere import facts

from gmaug_core import disk, locks, runs, seals, worker
from gmaug_core.cli import main as cli
from gmaug_core.config import SimilarityConfig
from gmaug_core.data import dataset
from gmaug_core.data.manifest import MANIFEST
from gmaug_core.errors import Diverged, GMAugError, InputError
from gmaug_core.method.cautions import guessing
from gmaug_core.runs import RunWriter, launch, memory
from gmaug_core.ui import launching

DOCUMENT = facts(SimilarityConfig(dataset="d"))


@pytest.fixture
def paths(home):
    return runs.create("similarity", DOCUMENT, token="run-1")[0]


def test_a_clock_that_is_set_back_stops_neither_metrics_nor_eta(paths, monkeypatch):
    writer, clock, passed = RunWriter(paths), [1e9], [50.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    for step in range(6):
        writer.progress("similarity", step, 10, pairs_per_s=1.0)
        clock[0] += 1 if step != 2 else -3600
        passed[0] += 1
    assert [row["step"] for row in runs.read_metrics(paths)[0]] == [0, 1, 2, 3, 4, 5]
    assert writer.status.eta_s == pytest.approx(5.0)
    writer.end("finished")
    assert writer.status.stages["similarity"] == pytest.approx(6.0)


@pytest.mark.parametrize(("limit", "blamed"), [(0.001, True), (1e6, False), (None, False)])
def test_a_killed_run_says_what_it_held_and_whether_that_was_too_much(paths, monkeypatch, limit, blamed):
    writer = RunWriter(paths)
    writer.progress("similarity", 1, 10)
    monkeypatch.setattr(memory, "limit_gb", lambda: limit)
    status = runs.read_status(paths)
    assert status.state == "lost"
    assert f"{status.memory_gb:.2f} GB" in status.reason
    assert ("want of memory" in status.reason) == blamed
    with locks.locked(paths.lock):
        assert runs.read_status(paths).reason == ""


def test_too_little_memory_is_named_with_its_peak_and_a_batch_that_would_fit(finished_run):
    for error in (MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")):
        for stage, setting in (
            ("generator", "generator.batch="),
            ("sample-1", "sampling_batch=125"),
            ("baseline", "classifier.batch="),
        ):
            found = worker._explain(error, finished_run, stage)
            assert "at its peak it held" in found.what
            assert setting in found.todo
            assert "GB" in found.expected


def test_a_dataset_that_is_gone_at_launch_is_refused_at_the_door(demo, capsys):
    folder = dataset.load(demo).folder
    (folder / MANIFEST).rename(folder / "elsewhere.json")
    assert cli.main(["similarity", demo]) == 2
    assert "is gone" in capsys.readouterr().err
    assert runs.list_runs() == []
    (folder / "summary.json").rename(folder / "gone.json")
    with pytest.raises(InputError, match="no dataset"):
        dataset.load(demo)


class Again(Exception):
    """The page is drawn again."""


def again() -> None:
    raise Again


def test_a_second_click_is_the_same_run_and_a_later_one_another(demo, monkeypatch):
    state: dict[str, object] = {}
    made, passed, started = dataset.load(demo), [0.0], []
    monkeypatch.setattr(launching.st, "session_state", state)
    monkeypatch.setattr(launching.st, "rerun", again)
    monkeypatch.setattr(launching.time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(launch.LOCAL, "start", started.append)
    config = SimilarityConfig(dataset=demo, grouping="identity")

    def click(config: SimilarityConfig) -> None:
        with pytest.raises(Again):
            launching.start(config, made)

    for gap in (0.0, 0.08, 0.4, 2.0):
        passed[0] += gap
        click(config)
    assert len(started) == 1
    click(config.model_copy(update={"seed": 1}))
    assert len(started) == 2
    passed[0] += launching.SAME_S + 1
    click(config)
    assert len(started) == 3


@pytest.mark.parametrize(("low", "told"), [(0.08, True), (0.15, False)])
def test_a_classifier_that_guesses_is_told(finished_result, low, told):
    known = finished_result.baseline
    guess = known.balanced_accuracy.model_copy(update={"mean": 0.1, "ci_low": low, "ci_high": 0.2})
    said = guessing(known.model_copy(update={"balanced_accuracy": guess}), classes=10)
    assert ("no better than guessing" in said) == told


def test_a_failure_has_a_name_of_its_own(finished_run):
    for error, cause in (
        (Diverged("its loss rose"), "diverged"),
        (MemoryError(), "out of memory"),
        (OSError(errno.ENOSPC, "full"), "disk full"),
        (InputError("the dataset is gone"), "input"),
        (seals.broken("x"), "damaged"),
        (ValueError("who knows"), ""),
    ):
        assert worker._cause(error) == cause
        writer = RunWriter(finished_run)
        writer.end("failed", worker._explain(error, finished_run, "generator"), cause=cause)
        status = runs.read_status(finished_run)
        assert (status.state, status.cause) == ("failed", cause)
        assert cause in status.word or status.word == "failed"
    with pytest.raises(GMAugError) as full:
        disk.reserve(finished_run.folder / "much", 1 << 60)
    assert worker._cause(full.value) == "disk full"
    assert RunWriter(finished_run).status.cause == ""


def test_a_hang_is_named_and_its_log_says_where(paths, monkeypatch, capfd):
    writer = RunWriter(paths)
    writer.progress("similarity", 1, 10)
    with locks.locked(paths.lock):
        assert (runs.read_status(paths).word, runs.read_status(paths).hang) == ("running", "")
        writer.status = writer.status.but(progress_at=time.time() - 10 * runs.STALLED_S)
        writer._write()
        status = runs.read_status(paths)
        assert (status.state, status.word) == ("running", "hung")
        assert "Nothing has moved for 10 minutes in stage 'similarity'" in status.hang
    monkeypatch.setattr(worker, "STALLED_S", 0.05)
    with worker._stack_of_a_hang():
        time.sleep(0.3)
    assert "test_a_hang_is_named_and_its_log_says_where" in capfd.readouterr().err
