from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmaug_core.models.selection import (
    ACCEPTED,
    LEAST_REAL,
    LOW_SCORE,
    WRONG_CLASS,
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


def made(n, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(n, classes)) + 2 * np.eye(classes)[labels], labels


def verdicts(logits, labels, seed=0):
    own = np.arange(len(labels)), labels
    columns = {"label": labels, "predicted": logits.argmax(1), "logit": logits[own], "seed": seed, "step": 1}
    return pd.DataFrame(columns | {"probability": probabilities(logits)[own]})


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


@pytest.mark.parametrize(("mode", "threshold"), [("logit", 1.5), ("probability", 0.6), ("real_share", 0.7)])
def test_a_recount_accepts_what_a_selection_would(mode, threshold):
    parts, expected, real = [], [], []
    for seed in (3, 4):
        logits, labels = made(80, seed)
        real_logits, real_labels = made(70, seed + 10)
        real.append(verdicts(real_logits, real_labels, seed))
        given = [real[-1][name].to_numpy() for name in ("label", "predicted", "probability")]
        limits = real_limits(*given, threshold, 3) if mode == "real_share" else None
        parts.append(verdicts(logits, labels, seed))
        expected.append(select(logits, labels, threshold=threshold, mode=mode, limits=limits).accepted)
    table = pd.concat(parts, ignore_index=True)
    order = np.random.default_rng(0).permutation(len(table))
    found = recount(table.iloc[order], mode, threshold, real=pd.concat(real))
    np.testing.assert_array_equal(found, np.concatenate(expected)[order])
    assert 0 < found.mean() < 1


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
