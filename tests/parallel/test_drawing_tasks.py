"""Drawing on a cluster: the same batches in the same order, a stop between them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gmaug_core import parallel
from gmaug_core.errors import Stopped
from gmaug_core.hooks import never
from gmaug_core.method import draw
from gmaug_core.parallel.threads import Threads

LABELS, SEEDS = np.arange(23) % 3, np.arange(23) * 7


class Wide(Threads):
    """As a cluster of three places."""

    width = 3

    def __init__(self) -> None:
        self.rounds: list[int] = []

    def each(self, do, shared, items, **given):
        self.rounds.append(len(items))
        return super().each(do, shared, items, **given)


class Generator:
    """Image k is its seed and its label."""

    stock = ()

    def sample(self, labels, seeds, size, *, judge=None):
        for at in range(0, len(labels), size):
            part = slice(at, at + size)
            yield (seeds[part] + labels[part]).astype(np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)


@pytest.fixture
def wide():
    made = Wide()
    parallel.use(made)
    yield made
    parallel.use(None)


def drawn(should_stop=never, **given):
    lab = SimpleNamespace(
        config=SimpleNamespace(sampling_batch=4),
        device=SimpleNamespace(type="cpu"),
        should_stop=should_stop,
    )
    return list(draw._batches(lab, Generator(), LABELS, SEEDS, given.get("steering")))


def test_batches_are_the_same_and_in_order(wide):
    parallel.use(Threads())
    here = drawn()
    parallel.use(wide)
    there = drawn()
    assert wide.rounds == [3, 3]
    assert [len(each) for each in there] == [len(each) for each in here] == [4, 4, 4, 4, 4, 3]
    np.testing.assert_array_equal(np.concatenate(there), np.concatenate(here))


def test_a_judge_that_steers_stays_here(wide):
    assert len(drawn(steering=lambda images: images)) == 6
    assert wide.rounds == []


def test_a_stop_ends_it(wide):
    with pytest.raises(Stopped):
        drawn(should_stop=lambda: True)
