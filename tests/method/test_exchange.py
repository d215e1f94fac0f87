"""Equivalence: known exchange rates are found again, and what is no number is not told as one."""

from __future__ import annotations

import numpy as np
import pytest
from exchange_world import TAIL, half, harmful, nothing, simulated

from gmaug_core.errors import InputError
from gmaug_core.method import statistics
from gmaug_core.method.equivalence import exchange, resamples
from gmaug_core.method.equivalence.result import Answer, ExchangeRow

DOSES = {("closed", "added"): (0.5, 1.0, 2.0, 4.0)}


def measured(worth, **options) -> exchange.Equated:
    world = {"bases": (500, 1000), "images": 1_000, "seeds": 3, "kinds": DOSES} | options
    cells, right, labels = simulated(worth, **world)
    return exchange.measure(cells, right, labels, TAIL, count=200, measures=("accuracy",))


def place(found: Answer) -> float:
    """Answers in their order."""
    if found.images is None:
        return -np.inf if found.kind == "less" else np.inf
    return found.images


def inside(row: ExchangeRow, truth: float) -> bool:
    return place(row.low) <= truth <= place(row.high)


def test_a_known_rate_is_in_most_intervals_and_nothing_else_is():
    rows = [row for seed in (0, 1) for row in measured(half, seed=seed).exchange]
    assert sum(inside(row, 0.5 * row.synthetic) for row in rows) >= 0.85 * len(rows)
    last = [row for row in rows if row.synthetic == 4 * row.base]
    assert not any(inside(row, -1) or inside(row, 8 * row.base) for row in last)
    assert all(place(row.low) <= place(row.real) <= place(row.high) for row in rows)


def test_what_does_harm_is_worth_less_than_nothing():
    rows = [row for row in measured(harmful).exchange if row.synthetic == 4 * row.base]
    assert {row.high.kind for row in rows} == {"less"}
    assert all(row.real.images is None and row.gain < 0 for row in rows)
    assert all(row.low.kind == "more" for row in measured(harmful).reverse if row.real >= row.base)


def test_noise_is_worth_nothing():
    rows = measured(nothing, kinds={("noise", "added"): (1.0, 4.0)}, generators=1).exchange
    assert all(inside(row, 0) for row in rows)
    assert all(place(row.high) < 0.8 * row.synthetic for row in rows if row.synthetic == 4 * row.base)


def test_real_ones_in_disguise_are_worth_one_each():
    def one(base: int, synthetic: float) -> float:
        return synthetic

    rows = measured(one, kinds={("disguised", "added"): (0.5, 1.0, 2.0)}, generators=1, seeds=4).exchange
    assert all(inside(row, row.synthetic) for row in rows)
    middle = np.median([row.real.images / row.synthetic for row in rows if row.measured and row.real.images])
    assert middle == pytest.approx(1.0, abs=0.35)


def test_more_than_may_be_continued_to_is_not_a_number():
    def twenty(base: int, synthetic: float) -> float:
        return 20 * synthetic

    found = measured(twenty)
    assert {row.real.kind for row in found.exchange if row.synthetic >= 2 * row.base} == {"more"}
    needed = [row for row in found.reverse if row.real == row.base]
    assert all(place(row.synthetic) < 0.5 * row.base for row in needed)


def test_substitution_is_read_from_the_smaller_base():
    found = measured(half, kinds={("closed", "substituted"): (0.5,)}, images=4_000)
    assert all(inside(row, 0.5 * row.synthetic) for row in found.exchange)
    assert all(row.gain < 0 < place(row.real) for row in found.exchange)
    assert found.reverse == []


@pytest.mark.parametrize("generators", [1, 5])
def test_a_difference_errs_as_much_as_the_statistics_say(generators):
    """Against method.statistics, which was measured to cover: seeds, generators and images of one
    comparison. On the average of a few experiments: each estimate rests on few seeds."""
    ratios = []
    for seed in range(6):
        cells, right, labels = simulated(
            half,
            bases=(1000,),
            images=600,
            generators=generators,
            kinds={("closed", "added"): (1.0,)},
            seed=seed,
        )
        bases = resamples.bases(cells)
        means = resamples.means(bases, right, labels, np.full(len(labels), 1 / len(labels)))
        base, closed = bases[0].real, bases[0].others[0]
        noise = means.noise(2_000, seed=0)
        alone = means.of(base).start + base.added.index(0)
        apart = noise[:, means.of(closed)][:, 0] - noise[:, alone]
        c = right[base.rows[base.added.index(0), 0]]
        told = statistics.difference(100.0 * right[closed.rows[0]], 100.0 * c)
        ratios.append(2 * 1.96 * means.wider(base, closed) * apart.std() / (told.high - told.low))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.2)


def test_the_same_cells_give_the_same_answers():
    cells, right, labels = simulated(
        half, bases=(500,), images=300, seeds=2, kinds={("closed", "added"): (1.0,)}
    )
    one, two = (exchange.measure(cells, right, labels, TAIL, count=50) for _ in range(2))
    assert one == two
    assert {row.measure for row in one.exchange} == set(exchange.MEASURES)


def test_an_amount_without_all_of_its_trainings_is_left_out():
    cells, right, labels = simulated(half, bases=(500,), images=300, seeds=2, kinds=DOSES)
    fewer = [cell for cell in cells if not (cell.source == "closed" and cell.added == 500 and cell.seed == 1)]
    found = exchange.measure(fewer, right, labels, TAIL, count=50, measures=("accuracy",))
    assert 500 not in {row.synthetic for row in found.exchange if row.measured}
    with pytest.raises(InputError, match="too few trainings with real images"):
        exchange.measure([cell for cell in cells if cell.source != "real"], right, labels, TAIL)
