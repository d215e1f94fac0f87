"""Several trainings at once give what each gives alone; one that fails or is stopped ends them all."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from gmaug_core.config import ResNetConfig
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Job

CONFIG = ResNetConfig(width=4, stem="small", blocks=(1,), steps=12, batch=16, lr=0.05, checkpoint_steps=4)
RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (80, 10, 10, 3)).astype(np.uint8), np.arange(80) % 3


@pytest.fixture(params=[1, 3])
def threads(request) -> Iterator[int]:
    """Of torch, and so how many jobs run at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def job(seed: int, *, config: ResNetConfig = CONFIG, **given) -> Job:
    def work(report, should_stop):
        return classifiers.train(
            IMAGES, LABELS, 3, config, seed=seed, report=report, should_stop=should_stop, **given
        )

    return Job(f"seed {seed}", work)


def logits(trained) -> list[np.ndarray]:
    return [classifier.predict_logits(IMAGES) for classifier in trained]


def test_each_is_what_it_is_alone_whatever_the_others_do(threads):
    alone = logits(classifiers.train_many([job(seed)])[0] for seed in range(4))
    together = logits(classifiers.train_many([job(seed) for seed in range(4)]))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(together[0], together[1])
    assert torch.get_num_threads() == threads


def test_as_many_run_at_once_as_torch_has_threads_each_on_one(threads):
    all_here, seen = threading.Barrier(threads, timeout=20), []

    def work(_, __):
        all_here.wait()  # breaks where fewer run at once
        seen.append(torch.get_num_threads())
        return len(seen)

    assert sorted(classifiers.train_many([Job(str(n), work) for n in range(3)])) == [1, 2, 3]
    assert seen == [1, 1, 1]


def test_hooks_are_called_by_one_at_a_time(threads):
    inside, steps = [], []

    def report(_, step, total, **metrics):
        inside.append(1)
        assert len(inside) == 1
        inside.pop()
        steps.append((step, total, metrics["loss"] > 0))

    classifiers.train_many([job(seed) for seed in range(3)], report=report)
    assert steps == [(12, 12, True)] * 3


def test_stopped_they_go_on_to_what_they_would_have_been(threads, tmp_path):
    whole = logits(classifiers.train_many([job(seed) for seed in range(3)]))
    jobs = [job(seed, checkpoint=tmp_path / f"{seed}.training") for seed in range(3)]
    asked = iter(range(100))
    with pytest.raises(Stopped):
        classifiers.train_many(jobs, should_stop=lambda: next(asked) >= 7)
    assert list(tmp_path.iterdir())
    for one, other in zip(whole, logits(classifiers.train_many(jobs)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_that_diverges_names_itself_and_ends_the_others(threads, tmp_path):
    wild = CONFIG.model_copy(update={"lr": 1e18, "augment": "none"})
    endless = CONFIG.model_copy(update={"steps": 10**6})
    jobs = [job(0, config=wild), job(1, config=endless, checkpoint=tmp_path / "1.training")]
    with pytest.raises(Diverged, match=r"seed 0: .* diverged at step"):
        classifiers.train_many(jobs)


def test_an_error_is_raised_rather_than_the_stop_that_it_caused(threads):
    def fails(report, _):
        report("", 0, 1)
        raise ValueError("no images")

    with pytest.raises(ValueError, match="no images"):
        classifiers.train_many(
            [job(0, config=CONFIG.model_copy(update={"steps": 10**6})), Job("b", fails)][::-1]
        )


def test_no_jobs_give_nothing():
    assert classifiers.train_many([]) == []
