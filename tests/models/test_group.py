"""Several processes train one generator: the same losses as one, together to a stop, gone with the first."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config import EDMConfig, GuidedDiffusionConfig
from gmaug_core.errors import InputError, Stopped
from gmaug_core.models import generators
from gmaug_core.models.generators.group import Group
from gmaug_core.models.generators.training import Loop

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (48, 8, 8)).astype(np.uint8), np.arange(48) % 3
TINY = {"resolution": 8, "batch": 8, "channels": 8, "channel_mult": (1, 1), "sampling_steps": 2}
CONFIGS = {  # everything that a step draws
    "edm": EDMConfig(kimg=0.096, snapshot_kimg=0.048, cbdm_tau=0.1, augment=0.3, mirror=True, **TINY),
    "guided_diffusion": GuidedDiffusionConfig(kimg=0.096, snapshot_kimg=0.048, **TINY),
}


class Halves(Group):
    """Both halves of every batch, one after the other, in place of two processes."""

    def __init__(self, rank: int) -> None:
        self.rank, self.size = rank, 2


@pytest.fixture
def steps(monkeypatch):
    """The figures of every step of the first process."""
    seen, step = [], Loop._step

    def told(self):
        values = step(self)
        seen.append([float(values[name]) for name in sorted(values)])
        return values

    monkeypatch.setattr(Loop, "_step", told)
    return seen


def train(config, folder, **given):
    return generators.create(config).train(IMAGES, LABELS, ["a", "b", "c"], folder, device="cpu", **given)


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one_and_stop_together(steps, tmp_path):
    config = CONFIGS["edm"]
    one = train(config, tmp_path / "one")
    alone, steps[:] = np.array(steps), []
    asked = iter(range(100))
    with pytest.raises(
        Stopped
    ):  # and gone on with by one alone, from the checkpoint that the first one wrote
        train(config, tmp_path / "two", processes=2, should_stop=lambda: next(asked) >= 6)
    assert len(steps) == 6
    two = train(config, tmp_path / "two")
    np.testing.assert_allclose(np.array(steps), alone, rtol=2e-5)
    assert len(alone) == 12
    assert [row["kimg"] for row in two["quality"]] == [row["kimg"] for row in one["quality"]]
    assert not list((tmp_path / "two").glob(".ranks-*"))


@pytest.mark.parametrize("name", CONFIGS)
def test_each_half_has_its_own_rows_and_their_mean_is_the_whole(name, steps, tmp_path):
    for rank, group in enumerate((Group(), Halves(0), Halves(1))):
        generator = generators.create(CONFIGS[name])
        generator.group = group
        place, until = tmp_path / str(rank), 1 / 12
        generator.train(IMAGES, LABELS, ["a", "b", "c"], place, device="cpu", until=until)
    whole, first, second = np.array(steps)  # one step each
    assert not np.allclose(first, second)
    np.testing.assert_allclose((first + second) / 2, whole, rtol=2e-5)
    assert not (tmp_path / "2" / "training.safetensors").exists()  # the first one writes


def test_more_processes_than_gpus_are_refused(tmp_path, monkeypatch):
    from gmaug_core.models.generators import ranks

    generator = generators.create(CONFIGS["edm"])
    generator.device = type("Device", (), {"type": "cuda"})()
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with (
        pytest.raises(InputError, match="2 processes cannot have a GPU each"),
        ranks.together(generator, IMAGES, LABELS, ["a"], tmp_path, processes=2, seed=0, until=1.0),
    ):
        pass
