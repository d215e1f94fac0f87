from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from gmaug_core.data.balance import check_short, short_of
from gmaug_core.errors import InputError
from gmaug_core.method import amounts
from gmaug_core.method.arms import Arm
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.ways import Way, study_trainings

ALL = {"amounts": (0.5, 0.0, 2.0, 1.0), "synthetic_weights": (1.0, 0.5), "second_stages": ("none", "block")}
DATA = SimpleNamespace(id="bars")


class Bench:
    """A lab whose judges accepted `accepted` images and whose classifiers are as right on validation as
    `right` says of their way."""

    def __init__(self, right, accepted=10**6, **settings):
        self.config = tiny.config(DATA, **settings)
        self.right, self.accepted, self.study_seeds, self.asked = right, accepted, (2, 3), []
        self.real = None

    def judge_of(self, seed):
        return seed - 2

    def pool(self, step, amount):
        n = min(int(100 * amount), self.accepted)
        return SimpleNamespace(kept=lambda _: SimpleNamespace(labels=np.zeros(n)))

    def kept(self, *_):
        raise AssertionError("nothing is trained here")

    def arms(self, stage, orders):
        self.asked += [(order.way, order.seeds) for order in orders]
        return [
            Arm(RECIPES["plain"], 1.0, order.way, 1, {2: None, 3: None}, correct(self.right(order.way)))
            for order in orders
        ]


def correct(share):
    return np.tile(np.arange(100) < 100 * share, (2, 1))


def test_the_amount_is_chosen_first_and_then_weight_and_second_stage_at_it():
    def right(way):
        if way is None:
            return 0.5
        return {0.5: 0.6, 1.0: 0.8, 2.0: 0.7}[way.amount] + 0.1 * (way.weight < 1)

    bench = Bench(right, **ALL)
    study = amounts.amount_study(bench)
    assert study.way == Way("fill", 1.0, 0.5, "none")
    tried = [way for way, _ in bench.asked]
    assert tried[:4] == [None, Way("fill", 0.5), Way("fill", 1.0), Way("fill", 2.0)]
    assert tried[4:] == [Way("fill", 1.0, 0.5), Way("fill", 1.0, 1.0, "block")]
    assert {seeds for _, seeds in bench.asked} == {(2, 3)}, "not the run's own seeds"
    assert study_trainings(bench.config) == len(tried)


def test_an_amount_that_the_accepted_images_do_not_reach_is_not_trained_again():
    bench = Bench(lambda way: 0.5, accepted=50, **ALL)
    assert amounts.distinct(bench, [Way(amount=a) for a in (0.25, 0.5, 1.0)]) == [
        Way(amount=0.25),
        Way(amount=0.5),
    ]
    nothing = Bench(lambda way: 0.5, accepted=0, **ALL)
    assert amounts.amount_study(nothing) == amounts.Study(Way("fill", 0.5))
    assert nothing.asked == []


def test_with_one_amount_nothing_is_trained_to_choose_it():
    bench = Bench(lambda way: 0.5)
    assert amounts.amount_study(bench) == amounts.Study(Way())
    assert bench.asked == []
    assert study_trainings(bench.config) == 0


@pytest.mark.parametrize(("share", "none"), [(0.49, True), (0.5, True), (0.51, False)])
def test_none_is_a_candidate_and_wins_a_draw(share, none):
    alone = Arm(RECIPES["mixup"], 1.0, None, 0, {}, correct(0.5))
    with_synthetic = Arm(RECIPES["mixup"], 1.0, Way("mix", 2.0), 1, {}, correct(share))
    found = amounts.choice(amounts.Study(Way()), alone, with_synthetic)
    assert found.none == none
    assert found.words.startswith("Use none: " if none else "Use them, 2 times what the classes are short of")
    assert f"{100 * share:.2f} % with, 50.00 % without" in found.words
    assert (found.amount, found.use) == (2.0, "mix"), "what is compared is said all the same"


@pytest.mark.parametrize(("share", "told"), [(0.52, False), (0.9, True)])
def test_a_choice_by_a_hair_is_said_to_be_one(share, told):
    """The better of two arms that change nothing is chosen in half of all runs."""
    alone = Arm(RECIPES["mixup"], 1.0, None, 0, {}, correct(0.5))
    with_synthetic = Arm(RECIPES["mixup"], 1.0, Way("mix", 2.0), 1, {}, correct(share))
    found = amounts.choice(amounts.Study(Way()), alone, with_synthetic)
    assert not found.none
    assert ("cannot tell from nothing" in found.words) is not told


def test_a_number_of_each_class_is_drawn_whatever_it_has():
    counts = np.array([7, 7])
    assert short_of(counts, None, 5).tolist() == [5, 5]
    check_short(np.repeat([0, 1], 7), None, ["a", "b"], 5)
    with pytest.raises(InputError, match="either target or added"):
        tiny.config(DATA, added=5, target=20)
    with pytest.raises(InputError, match="at least one above 0"):
        tiny.config(DATA, amounts=[0])
