"""When the losses of a training say that it diverged, and when they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny

from gmaug_core.config import EDMConfig, ResNetConfig
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.models import generators
from gmaug_core.models.classifiers import train
from gmaug_core.models.losses import BACK, EXPLODED, LOST, Losses

pytestmark = pytest.mark.usefixtures("one_thread")


def told(values, least=0.0):
    """What is said of losses: at once, or at the end."""
    losses = Losses(least)
    for value in values:
        if why := losses.add(value):
            return why
    return losses.ended()


def test_losses_that_fall_wobble_or_come_back_are_none_of_a_diverged_training():
    assert not told([])
    assert not told([2.3 * 0.99**k for k in range(200)])
    assert not told([1.0, 0.9 * EXPLODED] + [0.1] * 200)
    assert not told([1.0, 1.1 * EXPLODED] + [BACK / 2] * 300), "it came back"
    assert not told([0.0, 0.001, 5.0] + [1.0] * 300, least=1.1), "a first loss of nothing is no scale"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, math.nan], "not a finite number"),
        ([1.0, math.inf], "not a finite number"),
        ([1.0, 1.1 * LOST], "rose to"),
        ([1.0, 1.1 * EXPLODED] + [1.0] * 400, "is at 1"),
    ],
)
def test_losses_of_a_diverged_training_are_told(values, words):
    assert words in told(values)


def test_a_resumed_training_is_judged_alike():
    whole, first, second = Losses(), Losses(), Losses()
    values = np.random.default_rng(0).uniform(0, 300, 40).tolist()
    for loss in values:
        whole.add(loss)
    for loss in values[:17]:
        first.add(loss)
    second.load(first.state())
    for loss in values[17:]:
        second.add(loss)
    assert second.state() == whole.state()
    fresh = Losses()
    fresh.load(Losses().state())
    fresh.load(None)
    assert not fresh.add(1.0)


def bars():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], [40, 20, 20])
    return np.stack([tiny.draw(("across", "down", "slant")[k], rng) for k in labels]), labels


@pytest.mark.parametrize(("lr", "diverges"), [(0.5, False), (10.0, True), (100.0, True)])
def test_a_classifier_whose_learning_rate_only_diverges_says_so(lr, diverges):
    """At 10 it ended at chance, with finite losses, and its run was called finished."""
    config = ResNetConfig(width=4, blocks=(1,), steps=60, batch=16, augment="none")
    config = config.model_copy(update={"lr": lr})  # as it stands in a run of before it was refused
    if not diverges:
        train(*bars(), 3, config, seed=0)
        return
    with pytest.raises(Diverged, match="training diverged at step") as found:
        train(*bars(), 3, config, seed=0)
    assert f"lower classifier.lr (now {lr:g})" in found.value.todo


@pytest.mark.slow
def test_a_generator_whose_learning_rate_only_diverges_says_so(tmp_path):
    images, labels = bars()
    config = EDMConfig.model_validate(
        {**tiny.GENERATORS["edm"], "resolution": 16, "colour": "grey", "kimg": 0.4, "batch": 8}
    ).model_copy(update={"lr": 1.0})
    with pytest.raises(Diverged, match="edm training diverged after"):
        generators.create(config).train(images, labels, ("a", "b", "c"), tmp_path, device="cpu")


def test_what_the_losses_were_is_in_the_checkpoint(tmp_path):
    """Stopped after it exploded, the resumed training still knows."""
    config = ResNetConfig(width=4, blocks=(1,), steps=60, batch=16, lr=3.0, augment="none")
    path, calls = tmp_path / "one.training", []

    def stop() -> bool:
        calls.append(1)
        return len(calls) == 30

    with pytest.raises(Stopped):
        train(*bars(), 3, config, seed=0, checkpoint=path, should_stop=stop)
    from gmaug_core.models.checkpoint import load_state

    assert load_state(path)["losses"]["first"] == pytest.approx(math.log(3), abs=0.5)
