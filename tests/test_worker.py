"""Workers as processes: submitted, killed in every stage, stopped, resumed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.config import SimilarityConfig
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.locks import holder
from gmaug_core.runs import RunPaths, launch
from gmaug_core.scoring.result import SimilarityResult

ROOT = Path(__file__).resolve().parent.parent
# A worker that kills itself, as hard as the system can, at the second report of one stage.
KILLED_AT = """
import os, signal, sys
from gmaug_core import runs, worker
stage, seen = sys.argv.pop(), 0
original = runs.RunWriter.progress
def progress(self, name, step, total, **metrics):
    global seen
    original(self, name, step, total, **metrics)
    seen += name == stage
    if seen == 2 or (seen and stage in ('decode', 'score', 'quality')):
        os.kill(os.getpid(), signal.SIGKILL)
runs.RunWriter.progress = progress
sys.exit(worker.main())
"""


def work(paths: RunPaths, *extra: str) -> subprocess.CompletedProcess:
    command = (
        ["-c", KILLED_AT, str(paths.folder), *extra]
        if extra
        else ["-m", "gmaug_core.worker", str(paths.folder)]
    )
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


def wait(run_id: str, states: set[str], seconds: float = 120) -> str:
    paths, deadline = runs.find(run_id), time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = runs.read_status(paths).state
        if state in states:
            return state
        time.sleep(0.05)
    raise AssertionError(f"still {state} after {seconds} s:\n{runs.read_log(paths)}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generator", "only"),  # what the others do not share with the first
    [
        ("edm", None),
        ("stylegan2", {"generator", "sample-1"}),
        ("guided_diffusion", {"generator", "sample-1"}),
    ],
)
def test_killed_in_every_stage_and_resumed_is_the_same(home, tmp_path, generator, only):
    data = tiny.make_dataset(tmp_path / "bars")
    config = tiny.config(data, generator, seeds=1)
    undisturbed = RunPaths(runs.root() / launch.submit(config, where=Nowhere()))
    assert work(undisturbed).returncode == 0, runs.read_status(undisturbed).error
    expected = runs.read_result(undisturbed)
    stages = list(runs.read_status(undisturbed).stages)
    assert {
        "decode",
        "score",
        "generator",
        "baseline",
        "sample-1",
        "retrain-1",
        "controls",
        "quality",
    } <= set(stages)

    disturbed = RunPaths(runs.root() / launch.submit(config, where=Nowhere()))
    for attempt, stage in enumerate([stage for stage in stages if only is None or stage in only], start=1):
        assert work(disturbed, stage).returncode == -signal.SIGKILL, stage
        status = runs.read_status(disturbed)
        assert (status.state, status.stage, status.attempt) == ("lost", stage, attempt)
        assert runs.read_result(disturbed) is None
    assert work(disturbed).returncode == 0
    assert runs.read_status(disturbed).state == "finished"
    found = runs.read_result(disturbed)
    assert found is not None
    assert expected is not None
    assert tiny.comparable(found.to_dict()) == tiny.comparable(expected.to_dict())


def test_a_similarity_run_from_submit_to_result(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "bars")
    run_id = launch.submit(SimilarityConfig(dataset=data.id), token="click-1")
    assert launch.submit(SimilarityConfig(dataset=data.id), token="click-1") == run_id
    assert wait(run_id, {"finished", "failed"}) == "finished"
    result = runs.read_result(runs.find(run_id))
    assert isinstance(result, SimilarityResult)
    assert {item.name for item in result.super_classes} == set(data.class_names)
    with pytest.raises(GMAugError, match="is finished"):
        launch.resume(run_id)


def test_stop_keeps_what_is_done_and_resume_goes_on(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "bars")
    config = tiny.config(data, seeds=1)
    config = config.model_copy(update={"generator": config.generator.model_copy(update={"kimg": 200.0})})
    run_id = launch.submit(config)
    paths = runs.find(run_id)
    while runs.read_status(paths).stage != "generator":
        time.sleep(0.05)
    time.sleep(0.5)
    begun = time.monotonic()
    launch.stop(run_id)
    assert wait(run_id, {"cancelled"}) == "cancelled"
    assert time.monotonic() - begun < 15
    assert (paths.checkpoints / "generator" / "training.safetensors").exists()
    launch.resume(run_id)
    assert wait(run_id, {"running"}) == "running"
    os.kill(holder(paths.lock) or 0, signal.SIGKILL)
    assert wait(run_id, {"lost"}) == "lost"


def test_a_broken_run_fails_in_words(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "bars")
    shutil.rmtree(data.folder / "originals")
    run_id = launch.submit(tiny.config(data))
    assert wait(run_id, {"failed", "finished"}) == "failed"
    error = runs.read_status(runs.find(run_id)).error
    assert error is not None
    assert "Traceback" not in error.what
    assert str(home) not in str(error)


def test_nothing_is_started_for_what_is_not_there(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "bars")
    for config in (SimilarityConfig(dataset="nope"), SimilarityConfig(dataset=data.id, grouping="nope")):
        with pytest.raises(InputError, match="no"):
            launch.submit(config)
    assert runs.list_runs() == []


def test_a_worker_refuses_folders_of_another_workspace(home, tmp_path):
    runs.root()
    assert work(RunPaths(tmp_path / "elsewhere")).returncode == 2
