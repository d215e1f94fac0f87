"""Workers as processes: submitted, killed in every stage, stopped, resumed."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from forked import Forks
from nowhere import Nowhere

from gmaug_core import runs, worker
from gmaug_core.config import RunConfig, SimilarityConfig, VerdictConfig
from gmaug_core.config.documents import Document
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.locks import holder
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.runs import RunPaths, launch, mending
from gmaug_core.scoring.result import SimilarityResult

ROOT = Path(__file__).resolve().parent.parent
SHORT = {"width": 4, "blocks": [1], "steps": 12, "batch": 16, "checkpoint_steps": 5}


def wait(run_id: str, states: set[str], seconds: float = 120) -> str:
    paths, deadline = runs.find(run_id), time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = runs.read_status(paths).state
        if state in states:
            return state
        time.sleep(0.05)
    raise AssertionError(f"still {state} after {seconds} s:\n{runs.read_log(paths)}")


def new(config: RunConfig) -> RunPaths:
    return RunPaths(runs.root() / launch.submit(config, where=Nowhere()))


def comparable(result: Document) -> dict[str, Any]:
    return tiny.comparable(result.to_dict())


def left_alone(forks: Forks, config: RunConfig, keep: str = "") -> tuple[RunPaths, dict[str, Any]]:
    """A run that nobody disturbed, and what it found. Its units of work are gone but for `keep`, so that
    another run of the same settings takes nothing from it and trains everything itself."""
    paths = new(config)
    assert forks.work(paths) == 0, runs.read_status(paths).error
    found = runs.read_result(paths)
    assert found is not None
    for unit in paths.checkpoints.iterdir():
        if unit.is_dir():
            shutil.rmtree(unit)
        elif unit.name != keep:
            unit.unlink()
    return paths, comparable(found)


class Beside(Nowhere):
    """Forks a worker and does not wait for it: `ended` says how it ended."""

    def __init__(self, forks: Forks) -> None:
        super().__init__()
        self._forks, self._pool = forks, ThreadPoolExecutor()

    def start(self, paths: RunPaths) -> None:
        super().start(paths)
        self.ended = self._pool.submit(self._forks.work, paths)


def killed_and_resumed(forks: Forks, paths: RunPaths, stages: Sequence[str]) -> Document:
    """The result of a run whose worker is killed once in each of the stages."""
    for attempt, stage in enumerate(stages, start=1):
        assert forks.work(paths, kill_at=stage) == -signal.SIGKILL, stage
        status = runs.read_status(paths)
        assert (status.state, status.stage, status.attempt) == ("lost", stage, attempt)
        assert runs.read_result(paths) is None
    assert forks.work(paths) == 0, runs.read_status(paths).error
    assert runs.read_status(paths).state == "finished"
    found = runs.read_result(paths)
    assert found is not None
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generator", "only"),  # what the others do not share with the first
    [
        ("edm", None),
        ("stylegan2", ["generator", "sample-1"]),
        ("guided_diffusion", ["generator", "sample-1"]),
    ],
)
def test_killed_in_every_stage_and_resumed_is_the_same(bars, forks, generator, only):
    short = (
        {"controls": ["oversampling"]} if only is None else {"use": ["fill"], "max_steps": 1, "controls": []}
    )
    config = tiny.config(bars, generator, seeds=1, **short)
    undisturbed, expected = left_alone(forks, config)
    assert expected["accepted"]["total"] > 0
    stages = list(runs.read_status(undisturbed).stages)
    wanted = {"decode", "score", "generator", "baseline", "sample-1", "retrain-1", "controls", "quality"}
    assert set(only or wanted) <= set(stages)
    paths = new(config)
    assert comparable(killed_and_resumed(forks, paths, only or stages)) == expected
    if only is None:
        assert comparable(damaged_and_mended(forks, paths)) == expected


def damaged_and_mended(forks: Forks, paths: RunPaths) -> Document:
    """The result of a finished run after a byte of a network, the generator, the images drawn, the score and
    the result itself was flipped, and the run resumed."""
    (network, *_) = sorted(paths.checkpoints.glob("classifier-baseline-*.safetensors"))
    images = samples.all_images(paths.samples)
    flipped = [
        network,
        paths.checkpoints / "generator" / "model.safetensors",
        paths.checkpoints / "score.json",
        paths.samples / "step-1.npy",
        paths.result,
    ]
    for path in flipped:
        data = bytearray(path.read_bytes())
        data[-90] ^= 1
        path.write_bytes(data)
    assert set(mending.damaged(paths)) == {str(path.relative_to(paths.folder)) for path in flipped}
    beside = Beside(forks)
    launch.resume(paths.id, where=beside)
    assert beside.ended.result() == 0, runs.read_status(paths).error
    assert mending.damaged(paths) == []
    assert np.array_equal(samples.all_images(paths.samples), images)
    with pytest.raises(GMAugError, match="is finished"):
        launch.resume(paths.id, where=Nowhere())
    found = runs.read_result(paths)
    assert found is not None
    return found


@pytest.mark.slow
def test_a_similarity_run_from_submit_to_result(bars):
    run_id = launch.submit(SimilarityConfig(dataset=bars.id), token="click-1")
    assert launch.submit(SimilarityConfig(dataset=bars.id), token="click-1") == run_id
    assert wait(run_id, {"finished", "failed"}) == "finished"
    result = runs.read_result(runs.find(run_id))
    assert isinstance(result, SimilarityResult)
    assert {item.name for item in result.super_classes} == set(bars.class_names)
    with pytest.raises(GMAugError, match="is finished"):
        launch.resume(run_id)


@pytest.mark.slow
def test_stop_keeps_what_is_done_and_resume_goes_on(bars, forks):
    config = tiny.config(bars, seeds=1)
    paths = new(config.model_copy(update={"generator": config.generator.model_copy(update={"kimg": 200.0})}))
    where = Beside(forks)
    where.start(paths)
    generator_steps(paths, attempt=1)
    launch.stop(paths.id)
    where.ended.result()
    assert runs.read_status(paths).state == "cancelled"
    assert (paths.checkpoints / "generator" / "training.safetensors").exists()
    launch.resume(paths.id, where=where)
    assert generator_steps(paths, attempt=2)[0] >= generator_steps(paths, attempt=1)[-1]
    os.kill(holder(paths.lock) or 0, signal.SIGKILL)
    assert where.ended.result() == -signal.SIGKILL
    assert runs.read_status(paths).state == "lost"


def generator_steps(paths: RunPaths, attempt: int) -> list[int]:
    """The steps of the generator's training that an attempt has told of, once there is one."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        rows, _ = runs.read_metrics(paths)
        if found := [row["step"] for row in rows if (row["attempt"], row["stage"]) == (attempt, "generator")]:
            return found
        time.sleep(0.05)
    raise AssertionError(runs.read_log(paths))


@pytest.mark.slow
def test_a_broken_run_fails_in_words(home, bars, forks):
    shutil.rmtree(bars.folder / "originals")
    paths = new(tiny.config(bars))
    forks.work(paths)
    status = runs.read_status(paths)
    assert status.state == "failed"
    assert status.error is not None
    assert "Traceback" not in status.error.what
    assert str(home) not in str(status.error)


def test_nothing_is_started_for_what_is_not_there(bars):
    for config in (SimilarityConfig(dataset="nope"), SimilarityConfig(dataset=bars.id, grouping="nope")):
        with pytest.raises(InputError, match="no"):
            launch.submit(config)
    assert runs.list_runs() == []


def test_a_worker_refuses_folders_of_another_workspace(home, tmp_path, monkeypatch):
    runs.root()
    monkeypatch.setattr(sys, "argv", ["worker", str(tmp_path / "elsewhere")])
    assert worker.main() == 2


@pytest.mark.slow
def test_a_verdict_killed_while_it_trains_and_resumed_is_the_same(bars, forks):
    config = VerdictConfig.about(tiny.config(bars, classifier=SHORT), minutes=20)
    undisturbed, expected = left_alone(forks, config, keep="plan.json")
    disturbed = new(config)
    # a plan follows the machine's pace, so the other one's is taken
    shutil.copytree(undisturbed.checkpoints, disturbed.checkpoints, dirs_exist_ok=True)
    found = killed_and_resumed(forks, disturbed, ("first", "score", "trainings", "trainings"))
    assert isinstance(found, Verdict)
    assert comparable(found) == expected


@pytest.mark.slow
def test_an_equivalence_killed_and_resumed_is_the_same(bars, forks):
    config = tiny.equivalence(bars)
    _, expected = left_alone(forks, config)
    found = killed_and_resumed(forks, new(config), ("judges", "draw", "trainings", "trainings"))
    assert isinstance(found, EquivalenceResult)
    assert comparable(found) == expected
