"""What a verdict says of a measured exchange."""

from __future__ import annotations

import pytest
from exchange_world import equivalence

from gmaug_core.config import augmentation_config
from gmaug_core.method.verdict import worth
from gmaug_core.method.verdict.ceiling import Amount
from gmaug_core.method.verdict.curve import Projected
from gmaug_core.method.verdict.figures import Figure, Headroom
from gmaug_core.scoring.realised import Realised

RUN = Amount("run", "the run's 2,000 images", "everything", 3.0, 2000)


def line(growth: float) -> Projected:
    """A learning curve of 10 points a doubling."""
    gain = 10 * (growth - 1)
    return Projected(Figure(value=gain, low=gain - 1, high=gain + 1), None, gain + 1)


def told(exchanges, dataset="invented", generator="edm", real=1000, run=RUN):
    wanted = augmentation_config(
        "x", image_size=28, colour="grey", preset="quick", overrides={"generator": {"name": generator}}
    )
    return worth.told(exchanges, dataset, wanted, "accuracy", real, run, line)


def test_an_exchange_of_this_dataset_predicts_the_run():
    found = told([equivalence()])
    row = next(
        row
        for row in equivalence().exchange
        if (row.base, row.synthetic, row.measure, row.way) == (1000, 2000, "accuracy", "added")
    )
    assert (found.base, found.synthetic, found.real) == (1000, 2000, row.real.images)
    assert found.gain.value == pytest.approx(10 * row.real.images / 1000)
    assert found.gain.low < found.gain.value < found.gain.high
    assert (found.same_dataset, found.warnings, found.refused) == (True, (), None)


def test_another_dataset_and_another_generator_are_warned_of():
    ours, other = (
        equivalence(),
        equivalence().model_copy(update={"dataset": "other", "run": "equivalence-other"}),
    )
    assert told([other, ours]).run == ours.run
    found = told([other], generator="stylegan2")
    assert not found.same_dataset
    assert len(found.warnings) == 2
    assert found.gain is not None


@pytest.mark.parametrize(
    ("augment", "said"), [("none", "trained without augmentation, the run's"), (None, "that it does not say")]
)
def test_classifiers_of_another_augmentation_say_nothing_of_the_runs_gain(augment, said):
    found = told([equivalence().model_copy(update={"augment": augment})])
    assert said in found.refused
    assert found.gain is None
    assert found.real is not None


def test_where_nothing_was_measured_nothing_is_said():
    assert told([]) is None
    assert told([equivalence()], run=Amount("run", "no image", "everything", 1.0, 0)) is None
    assert (
        "not what was measured"
        in told([equivalence()], run=Amount("run", "", "everything", 101.0, 100_000)).refused
    )


ROOM = Headroom(
    projection="run", over="plain", gain=Figure(value=10.0, low=8.0, high=12.0), percent=12.0, at_most=12.0
)
RECORD = Realised(share=0.1, low=0.0, high=0.2, share_se=0.05, scatter=1.0, n=16)


def about(preset: str, side: int):
    return augmentation_config(
        "x", image_size=side, colour="rgb", preset=preset, overrides={"generator": {"resolution": side}}
    )


def test_a_run_like_those_of_the_record_may_expect_what_they_gave():
    found = worth.expected(about("quick", 32), ROOM, None, RECORD)
    assert found.source == "record"
    assert found.gain.value == pytest.approx(1.0)
    assert found.gain.low < -1 < 3 < found.gain.high < 4
    assert found.by == RECORD.words


@pytest.mark.parametrize(
    ("config", "room", "record"),
    [
        (about("standard", 32), ROOM, RECORD),
        (about("quick", 64), ROOM, RECORD),
        (about("quick", 16), ROOM, None),
        (about("quick", 16), ROOM.model_copy(update={"gain": None}), RECORD),
    ],
)
def test_of_a_run_unlike_those_of_the_record_nothing_is_expected(config, room, record):
    assert worth.expected(config, room, None, record) is None


def test_what_was_measured_on_the_dataset_itself_comes_first():
    of_this = told([equivalence()])
    found = worth.expected(about("standard", 64), ROOM, of_this, RECORD)
    assert (found.source, found.gain) == ("equivalence", of_this.gain)
    of_another = told([equivalence().model_copy(update={"dataset": "other"})])
    assert worth.expected(about("quick", 16), ROOM, of_another, RECORD).source == "record"
