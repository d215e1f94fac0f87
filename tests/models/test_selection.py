from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmaug_core.models.selection import ACCEPTED, LOW_SCORE, WRONG_CLASS, probabilities, select

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


def test_quantile_mode_keeps_that_share_of_each_class():
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(size=(200, 1)) + 8, rng.normal(size=(200, 1))], axis=1)
    labels = np.zeros(200, int)
    assert select(logits, labels, threshold=0.75, mode="quantile").accepted.mean() == pytest.approx(
        0.25, abs=0.01
    )


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
