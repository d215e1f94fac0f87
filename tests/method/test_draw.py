from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tiny

from gmaug_core.data import samples
from gmaug_core.data.balance import budget_of
from gmaug_core.errors import Stopped
from gmaug_core.hooks import never, no_report
from gmaug_core.method.draw import FIRST_LOOK, WORTH, Tally, draw
from gmaug_core.method.gates import COPY, REPEAT, TOLD_APART
from gmaug_core.method.lab import Lab
from gmaug_core.models.selection import recount

WANTED = np.array([0, 1000, 40])


def rounds(rates, judges=1, wanted=WANTED, seed=0):
    """Draw with these acceptance rates, a class each, until nothing is asked for: the tally, and each
    round's draws."""
    rng, asked = np.random.default_rng(seed), []
    tally = Tally.empty(wanted, budget_of(wanted, 5.0), judges)
    while (ask := tally.next_round()).any():
        labels = np.repeat(np.arange(len(wanted)), ask)
        tally.add(labels, rng.random((judges, len(labels))) < np.asarray(rates)[..., labels])
        asked.append(ask)
    return tally, asked


def test_a_class_that_is_accepted_is_filled_and_one_short_of_nothing_is_never_drawn():
    tally, _ = rounds([1.0, 0.6, 0.5])
    assert (tally.accepted[0] >= WANTED).all()
    assert tally.drawn[0] == 0
    assert (tally.drawn <= tally.budget).all()


def test_a_class_without_hope_ends_at_the_first_look():
    tally, asked = rounds([1.0, 0.0, 0.9])
    assert tally.drawn[1] == FIRST_LOOK
    assert tally.hopeless()[0].tolist() == [False, True, False]
    assert len(asked) > 1, "the others go on"
    assert tally.accepted[0, 2] >= WANTED[2]


def test_the_budget_is_spent_where_it_is_worth_it():
    """At a tenth half of what is wanted is reached: worth it. Rounds at most double."""
    tally, asked = rounds([1.0, 0.1, 0.1])
    assert tally.drawn[1] == tally.budget[1] == 5000
    drawn = np.cumsum([ask[1] for ask in asked])
    assert (drawn[1:] <= 2 * drawn[:-1]).all()


@pytest.mark.parametrize("wanted", [20, 200, 2000])
def test_a_class_that_would_be_worth_it_is_seldom_given_up(wanted):
    """Twice the rate at which the budget brings WORTH of what is wanted: given up in one of 20
    cases, although it is looked at after every round."""
    rate = 2 * WORTH / 5
    tallies = [rounds([rate], wanted=np.array([wanted]), seed=seed)[0] for seed in range(200)]
    ended = [(tally.accepted[0] < wanted) & (tally.drawn < tally.budget) for tally in tallies]
    assert np.mean(ended) < 0.05


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.8])
def test_the_forecast_after_the_first_look_holds_what_is_accepted_in_the_end(rate):
    rng, wanted = np.random.default_rng(3), np.full(4000, 400)
    tally = Tally.empty(wanted, budget_of(wanted, 5.0), 1)
    tally.drawn = np.full(4000, FIRST_LOOK)
    tally.accepted = rng.binomial(FIRST_LOOK, rate, (1, 4000))
    low, middle, high = tally.forecast()
    ended = np.minimum(tally.accepted[0] + rng.binomial(tally.left, rate), wanted)
    assert 0.93 < np.mean((np.floor(low) <= ended) & (ended <= np.ceil(high))) <= 1
    assert (low <= middle).all()
    assert (high <= wanted).all()
    assert abs(np.mean(middle - ended)) < 0.05 * wanted[0]


def test_what_was_drawn_to_its_end_is_no_forecast():
    tally = Tally(np.array([10, 10]), np.array([50, 50]), np.array([50, 50]), np.array([[3, 10]]))
    assert tally.forecast().tolist() == [[3, 10]] * 3


def test_a_judge_that_accepts_nothing_does_not_keep_the_others_from_theirs():
    tally, _ = rounds(np.array([[1, 0.0, 0.0], [1, 0.3, 0.8]]), judges=2)
    assert (tally.accepted[1] >= WANTED).all()
    assert tally.hopeless()[0].tolist() == [False, True, True]


class Painter:
    """A generator without a network: image k depends on its seed alone."""

    stock = ()

    def sample(self, labels, seeds, batch_size, *, judge=None):
        for first in range(0, len(labels), batch_size):
            chunk = seeds[first : first + batch_size]
            yield np.stack([tiny.draw("down", np.random.default_rng(int(seed) % 2**32)) for seed in chunk])


class Eye:
    """A judge without a network: class 1 by the brightness of an image."""

    def __init__(self, sharpness):
        self.sharpness = sharpness

    def features(self, images):
        return images[:].reshape(len(images), -1)[:, ::7].astype(np.float32)

    def predict_logits(self, images):
        bright = images[:].reshape(len(images), -1).mean(axis=1) / 60 - 1
        return np.stack([0 * bright, self.sharpness * (bright + 0.1), -9 + 0 * bright], axis=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        yield tiny.make_dataset(tmp_path_factory.mktemp("bars"))


def lab_in(folder, data, **settings):
    config = tiny.config(data, **{"sampling_batch": 5, "draw_budget": 6.0} | settings)
    return Lab.prepare(config, data, folder, no_report, never)


JUDGES = {0: Eye(4.0), 1: Eye(8.0)}


@pytest.mark.slow
def test_a_draw_that_is_stopped_at_every_batch_ends_as_an_undisturbed_one(data, tmp_path):
    rule = {"mode": "probability", "threshold": 0.5, "gates": ("copy", "outlier", "repeat")}
    whole, told = lab_in(tmp_path / "whole", data, selection=rule, draw_budget=3.0), list[dict]()
    whole.report = lambda *_, **more: told.extend(more.get("forecast", []))
    draw(whole, 1, Repeater(), JUDGES)
    last = told[-1]
    assert last["low"] <= last["expected"] <= last["high"] <= last["wanted"]
    assert last["accepted"] <= last["drawn"]
    assert (samples.table(whole.samples)["reason"] == REPEAT).any()
    lab, stops, sizes = lab_in(tmp_path / "stopped", data, selection=rule, draw_budget=3.0), 0, []
    lab.should_stop = lambda: True
    while not lab.drawn(1):
        try:
            draw(lab, 1, Repeater(), JUDGES)
        except Stopped:
            stops += 1
            sizes.append(len(list((lab.samples / "step-1").glob("*.parquet"))))
    assert stops > 3
    assert sizes == list(range(1, stops + 1)), "no batch is drawn twice"
    pd.testing.assert_frame_equal(samples.table(whole.samples), samples.table(lab.samples))
    np.testing.assert_array_equal(samples.all_images(whole.samples), samples.all_images(lab.samples))


@pytest.mark.parametrize(
    "rule", [("logit", 0.2), ("probability", 0.5), ("calibrated", 0.34), ("real_share", 0.8)]
)
def test_judges_are_shown_real_images_and_stored_verdicts_can_be_counted_again(data, tmp_path, rule):
    mode, threshold = rule
    lab = lab_in(tmp_path, data, selection={"mode": mode, "threshold": threshold})
    draw(lab, 1, Painter(), JUDGES)
    table, real = samples.table(lab.samples), samples.real_table(lab.samples)
    assert real.groupby("seed").size().tolist() == [len(lab.split["val"])] * 2
    np.testing.assert_array_equal(real["label"], np.tile(lab.data.labels[lab.split["val"]], 2))
    for rows in (table, real):
        found = recount(rows, mode, threshold, real=real)
        np.testing.assert_array_equal(found, rows["accepted"].astype(bool))
        assert 0 < found.sum() < len(found)
    right = real[real["predicted"] == real["label"]]
    if mode == "real_share":
        assert right["accepted"].mean() >= threshold


class Repeater(Painter):
    """A generator that knows six images."""

    def sample(self, labels, seeds, batch_size, *, judge=None):
        yield from super().sample(labels, np.asarray(seeds) % 6, batch_size)


def test_of_near_duplicates_each_judge_keeps_the_first_alone(data, tmp_path):
    rule = {"mode": "probability", "threshold": 0.5, "gates": ("repeat",)}
    lab = lab_in(tmp_path / "gated", data, selection=rule)
    plain = lab_in(tmp_path / "plain", data, selection=rule | {"gates": ()})
    for each in (lab, plain):
        draw(each, 1, Repeater(), JUDGES)
    table, without = samples.table(lab.samples), samples.table(plain.samples)
    assert "twin" not in without
    assert table.loc[table["twin"] == table["sample"], "sample"].nunique() <= 2 * 6, "six of either class"
    for seed in JUDGES:
        rows = table[table["seed"] == seed]
        kept = rows[rows["accepted"].astype(bool)]
        assert 1 <= len(kept) <= 6
        assert not kept.duplicated(["label", "twin"]).any()
        again = rows[rows["reason"] == REPEAT]
        assert len(again) > len(kept)
        assert set(again["twin"]) <= set(kept["twin"])
        assert (again["sample"] > again["twin"]).all()
    np.testing.assert_array_equal(
        recount(table, "probability", 0.5, once=True), table["accepted"].astype(bool)
    )
    open_to = recount(table, "probability", 0.5)
    np.testing.assert_array_equal(open_to, table["accepted"].astype(bool) | (table["reason"] == REPEAT))


class Chequered(Painter):
    """A generator that leaves a checkerboard of a few grey levels on every other image."""

    def sample(self, labels, seeds, batch_size, *, judge=None):
        board = 8 * (np.indices((16, 16)).sum(axis=0) % 2).astype(np.uint8)
        start = 0
        for images in super().sample(labels, seeds, batch_size):
            marked = np.asarray(seeds[start : start + len(images)]) % 2 == 0
            start += len(images)
            yield np.where(marked[:, None, None], np.minimum(images, 247) + board, images)


def test_what_pixels_tell_from_real_images_is_turned_away(data, tmp_path):
    rule = {"mode": "probability", "threshold": 0.5, "gates": ("told_apart",), "gate_share": 0.9}
    lab = lab_in(tmp_path, data, selection=rule)
    draw(lab, 1, Chequered(), JUDGES)
    table = samples.table(lab.samples)
    away = table["told_apart"] > 0
    assert set(table.loc[away, "reason"]) >= {TOLD_APART}
    assert not table.loc[away, "accepted"].any()
    found = recount(table, "probability", 0.5, told_apart=True)
    np.testing.assert_array_equal(found, table["accepted"].astype(bool))
    assert recount(table, "probability", 0.5).sum() > found.sum()


class Copyist(Painter):
    """A generator that gives the same training images again and again."""

    def __init__(self, images):
        self.images = images

    def sample(self, labels, seeds, batch_size, *, judge=None):
        for first in range(0, len(labels), batch_size):
            yield self.images[np.arange(first, min(first + batch_size, len(labels))) % len(self.images)]


def test_gates_turn_copies_away_and_their_distances_are_counted_again(data, tmp_path):
    rule = {"mode": "probability", "threshold": 0.5, "gates": ("copy",), "gate_share": 0.9}
    lab = lab_in(tmp_path / "gated", data, selection=rule)
    plain = lab_in(tmp_path / "plain", data, selection=rule | {"gates": ()})
    for each in (lab, plain):
        draw(each, 1, Copyist(lab.real.images[np.arange(5)]), JUDGES)
    table, without = samples.table(lab.samples), samples.table(plain.samples)
    assert without["accepted"].any()
    assert "real_distance" not in without
    assert not table["accepted"].any()
    mine = table["reason"] == COPY
    assert mine.any()
    assert set(table.loc[~mine, "reason"]) <= set(without["reason"]) - {"accepted"}
    np.testing.assert_array_equal(recount(table, "probability", 0.5), mine)
    assert not recount(table, "probability", 0.5, nearest=0.0).any()  # equal images are copies at any bound
    real = samples.real_table(lab.samples)
    passed = recount(real, "probability", 0.5, nearest=nearest_allowed(real))
    np.testing.assert_array_equal(passed, real["accepted"].astype(bool))


def nearest_allowed(real):
    """The bound that let nine tenths of the real images pass."""
    return np.quantile(real.loc[real["seed"] == 0, "real_distance"], 0.1)
