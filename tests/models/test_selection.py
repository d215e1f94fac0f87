from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmaug_core.data.samples import KEPT, TEST_IMAGE, TURNED_AWAY
from gmaug_core.models.selection import (
    ACCEPTED,
    LEAST_REAL,
    LOW_SCORE,
    WRONG_CLASS,
    fitted_temperature,
    probabilities,
    real_limits,
    recount,
    select,
)

LOGITS = np.array([[5.0, 1, 0], [1, 5, 0], [2, 1, 0], [0, 0, 9]])


def test_the_rule_of_the_paper():
    chosen = select(LOGITS, np.array([0, 0, 0, 2]), threshold=3)
    assert chosen.accepted.tolist() == [True, False, False, True]
    assert chosen.reason.tolist() == [ACCEPTED, WRONG_CLASS, LOW_SCORE, ACCEPTED]
    assert chosen.score.tolist() == [5, 1, 2, 9]
    assert chosen.predicted.tolist() == [0, 1, 0, 2]


def test_threshold_is_strict():
    assert not select(LOGITS, np.array([0, 1, 0, 2]), threshold=5).accepted[:3].any()


def test_probability_mode_compares_the_softmax():
    chosen = select(LOGITS, np.array([0, 1, 0, 2]), threshold=0.9, mode="probability")
    np.testing.assert_allclose(chosen.score, probabilities(LOGITS)[range(4), [0, 1, 0, 2]])
    assert chosen.accepted.tolist() == [True, True, False, True]


def test_every_mode_equals_a_table_written_by_hand():
    """Two classes, a logit of the other class of 0: probability 1 / (1 + e^-z), calibrated with z / 2."""
    logits, labels = np.array([[1.0, 0], [2, 0], [3, 0], [5, 0], [-1, 0]]), np.zeros(5, int)
    by_hand = {  # z:           1     2     3     5    -1
        ("logit", 2.5): [False, False, True, True, False],
        ("probability", 0.9): [False, False, True, True, False],  # .731 .881 .953 .993 .269
        ("calibrated", 0.9): [False, False, False, True, False],  # .622 .731 .818 .924 .378
        ("real_share", 0.5): [False, True, True, True, False],  # above a limit of .8
    }
    every = select(logits, labels, threshold=0.0, mode="none")
    assert every.accepted.all()
    assert set(every.reason) == {ACCEPTED}
    assert every.predicted.tolist() == [0, 0, 0, 0, 1], "what it is taken for is told all the same"
    for (mode, threshold), expected in by_hand.items():
        limits = np.array([0.8, 0.8]) if mode == "real_share" else None
        chosen = select(logits, labels, threshold=threshold, mode=mode, limits=limits, temperature=2.0)
        assert chosen.accepted.tolist() == expected, mode
        assert chosen.reason.tolist() == [
            ACCEPTED if good else LOW_SCORE if z > 0 else WRONG_CLASS
            for good, z in zip(expected, logits[:, 0], strict=True)
        ]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_at_which_probabilities_are_right(temperature):
    rng = np.random.default_rng(int(10 * temperature))
    calibrated = rng.normal(0, 2, (4000, 4))
    labels = (probabilities(calibrated).cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    found = fitted_temperature(calibrated * temperature, labels)
    assert found == pytest.approx(temperature, rel=0.08)
    p = probabilities(calibrated * temperature / found)
    assert p.max(axis=1).mean() == pytest.approx((p.argmax(1) == labels).mean(), abs=0.02)


def test_without_an_error_or_an_image_the_temperature_stays_near_one():
    assert fitted_temperature(np.zeros((0, 3)), np.zeros(0, int)) == pytest.approx(1, abs=1e-3)
    sure = 9.0 * np.eye(3)[[0, 1, 2, 0]]
    assert 0.5 < fitted_temperature(sure, np.array([0, 1, 2, 0])) < 1.01


def made(n, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(n, classes)) + 2 * np.eye(classes)[labels], labels


def verdicts(logits, labels, seed=0):
    own = np.arange(len(labels)), labels
    columns = {"label": labels, "predicted": logits.argmax(1), "logit": logits[own], "seed": seed, "step": 1}
    more = {"probability": probabilities(logits)[own], "calibrated": probabilities(logits / 1.7)[own]}
    return pd.DataFrame(columns | more)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_limits_let_that_share_of_each_classes_real_images_pass(share):
    logits, labels = made(900)
    table = verdicts(logits, labels)
    found = real_limits(*(table[name].to_numpy() for name in ("label", "predicted", "probability")), share, 3)
    chosen = select(logits, labels, threshold=share, mode="real_share", limits=found)
    right = logits.argmax(1) == labels
    for label in range(3):
        mine = right & (labels == label)
        assert chosen.accepted[mine].mean() == pytest.approx(share, abs=1 / mine.sum())
        assert chosen.accepted[mine].mean() >= share
    assert not chosen.accepted[~right].any()


def test_a_round_of_one_image_is_judged_as_one_of_many():
    logits, labels = made(50)
    limits = np.full(3, 0.7)
    whole = select(logits, labels, threshold=0.9, mode="real_share", limits=limits).accepted
    alone = [
        select(logits[[k]], labels[[k]], threshold=0.9, mode="real_share", limits=limits).accepted[0]
        for k in range(50)
    ]
    assert whole.tolist() == alone
    assert whole.any()


def test_a_class_with_few_real_images_shares_the_limit_of_all():
    labels = np.repeat([0, 1], [40, LEAST_REAL - 1])
    probability = np.linspace(0.2, 0.9, len(labels))
    limits = real_limits(labels, labels, probability, 0.5, 3)
    assert limits[1] == limits[2] == real_limits(labels * 0, labels * 0, probability, 0.5, 1)[0]
    assert limits[0] < limits[1]
    np.testing.assert_array_equal(real_limits(labels, labels + 1, probability, 0.9, 3), 0)


def test_certain_images_pass_a_limit_of_certain_ones():
    """Probabilities of exactly 1 are common: none of them may shut the others out."""
    labels = np.zeros(20, int)
    assert real_limits(labels, labels, np.ones(20), 0.9, 1)[0] < 1


@pytest.mark.parametrize(
    ("mode", "threshold"),
    [("logit", 1.5), ("probability", 0.6), ("calibrated", 0.5), ("real_share", 0.7)],
)
def test_a_recount_accepts_what_a_selection_would(mode, threshold):
    parts, expected, real = [], [], []
    for seed in (3, 4):
        logits, labels = made(80, seed)
        real_logits, real_labels = made(70, seed + 10)
        real.append(verdicts(real_logits, real_labels, seed))
        given = [real[-1][name].to_numpy() for name in ("label", "predicted", "probability")]
        limits = real_limits(*given, threshold, 3) if mode == "real_share" else None
        parts.append(verdicts(logits, labels, seed))
        chosen = select(logits, labels, threshold=threshold, mode=mode, limits=limits, temperature=1.7)
        expected.append(chosen.accepted)
    table = pd.concat(parts, ignore_index=True)
    order = np.random.default_rng(0).permutation(len(table))
    found = recount(table.iloc[order], mode, threshold, real=pd.concat(real))
    np.testing.assert_array_equal(found, np.concatenate(expected)[order])
    assert 0 < found.mean() < 1


def test_a_recount_leaves_decisions_and_held_out_images_as_they_are_and_takes_repeats_once():
    reasons = [ACCEPTED, KEPT, TURNED_AWAY, TEST_IMAGE, ACCEPTED, LOW_SCORE]
    table = pd.DataFrame(
        {"label": 0, "predicted": 0, "seed": 0, "step": 1, "sample": range(6)} | {"reason": reasons}
    )
    table["probability"], table["twin"] = [0.9, 0.1, 0.9, 0.9, 0.8, 0.7], [0, 1, 2, 3, 0, 5]
    assert recount(table, "probability", 0.75).tolist() == [True, True, False, False, True, False]
    assert recount(table, "probability", 0.75, once=True).tolist() == [True, True, False, False, False, False]
    assert recount(table, "none", 0.0).tolist() == [True, True, False, False, True, True]
    assert recount(table, "none", 0.0, once=True).tolist() == [True, True, False, False, False, True]
    backwards = table[::-1]
    assert recount(backwards, "probability", 0.85, once=True)[::-1].tolist() == [True, True] + 4 * [False]
    assert recount(table, "probability", 0.5, once=True).tolist() == [True, True, False, False, False, True]
    with pytest.raises(ValueError, match="calibrated"):
        recount(table, "calibrated", 0.5)
    nothing = recount(table, "real_share", 0.9, real=table[:0])
    assert nothing.tolist() == recount(table, "probability", 0).tolist(), "without real images no limit"


def test_a_rule_without_its_limits_raises():
    with pytest.raises(ValueError, match="limits"):
        select(LOGITS, np.zeros(4, int), threshold=0.9, mode="real_share")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 2**31), st.floats(-3, 3))
def test_order_and_neighbours_change_nothing(n, classes, seed, threshold):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    order = rng.permutation(n)
    whole, shuffled = (
        select(logits, labels, threshold=threshold),
        select(logits[order], labels[order], threshold=threshold),
    )
    np.testing.assert_array_equal(whole.accepted[order], shuffled.accepted)
    stricter = select(logits, labels, threshold=threshold + 0.5)
    assert not (stricter.accepted & ~whole.accepted).any()


def test_nothing_drawn_is_no_error():
    assert len(select(np.zeros((0, 3)), np.zeros(0, int), threshold=0).accepted) == 0


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (np.zeros((2, 3)), np.zeros(3, int)),
        (np.zeros(3), np.zeros(3, int)),
        (np.full((1, 2), np.nan), [0]),
        (np.zeros((1, 2)), [2]),
        (np.zeros((1, 2)), [-1]),
    ],
)
def test_bad_shapes_and_values_raise(logits, labels):
    with pytest.raises(ValueError, match=r"logits|labels"):
        select(logits, np.asarray(labels), threshold=0)
