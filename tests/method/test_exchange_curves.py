"""The fitted curves of an equivalence, and the published form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from gmaug_core.method.equivalence import published
from gmaug_core.method.equivalence.curves import isotonic, real_curve, synthetic_curve
from gmaug_core.method.equivalence.published import Drawn

ADDED = (0, 250, 500, 1000, 2000, 4000)


def test_isotonic_is_that_of_the_library():
    rows = np.random.default_rng(0).normal(size=(20, 7))
    told = [IsotonicRegression().fit_transform(np.arange(7), row) for row in rows]
    assert isotonic(rows) == pytest.approx(np.array(told))


def test_both_real_forms_are_read_back():
    values = (90 - 20 * (1 + np.array(ADDED) / 1000) ** -0.5)[None]
    curve = real_curve(1000, ADDED, values)
    asked = np.array([0, 120, 700, 2000, 3900.0])
    for at, back in zip(curve.at(asked), curve.worth(curve.at(asked)[0]), strict=True):
        assert at[0] == pytest.approx(90 - 20 * (1 + asked / 1000) ** -0.5, abs=0.25)
        assert back[0] == pytest.approx(asked, abs=80)
    beyond = curve.at(np.array([5000.0]))[0]
    assert [float(each[0, 0]) for each in curve.worth(beyond)] == pytest.approx([5000, 5000], rel=0.05)
    assert [float(each[0, 0]) for each in curve.worth(np.array([[89.9]]))] == [np.inf, np.inf]
    assert all(float(each[0, 0]) < 0 for each in curve.worth(np.array([[60.0]])))


def test_a_flat_piece_is_read_in_its_middle():
    curve = real_curve(100, (0, 100, 300), np.array([[50.0, 60.0, 60.0]]))
    assert 100 < curve.worth(np.array([[60.0]]))[1][0, 0] < 300


@pytest.mark.parametrize("rise", [8.0, -8.0])
def test_a_synthetic_curve_may_rise_or_fall(rise):
    places = np.array([500, 1000, 2000, 4000, 8000])
    values = (70 + rise * (1 - (1 + places / 1000) ** -1.0))[None]
    curve = synthetic_curve(1000, places, values, np.array([70.0]), np.array([70.0]))
    for form in curve.at(places.astype(float)):
        assert form[0] == pytest.approx(values[0], abs=0.1)
    assert [float(form[0, 0]) for form in curve.at(np.zeros(1))] == pytest.approx([70, 70])


def drawn(base: int, c1: float, c2: float, k: float) -> Drawn:
    added = base * np.array([0.5, 1, 2, 4, 8])
    curve = real_curve(
        base,
        [round(base * t) for t in (0, 0.5, 1, 2, 4)],
        90 - 200 * (base * np.array([[1, 1.5, 2, 3, 5]])) ** -0.5,
    )
    real = base * np.log1p(added / base * c1 ** (-base / k)) / np.log(c2)
    values = curve.law.at(1 + real / base)
    return Drawn(base, curve.law, added, values, np.full(5, 0.1))


@pytest.mark.parametrize(("c1", "c2"), [(1.5, 2.53), (0.6, 3.88), (1.0, 37.84)])
def test_the_published_constants_are_found_again(c1, c2):
    each = [drawn(base, c1, c2, 1000.0) for base in (500, 1000, 2000)]
    found = published.fitted(each)
    assert found.k == pytest.approx(1000)
    assert np.exp(found.log_c1[0]) == pytest.approx(c1, rel=0.03)
    assert np.exp(np.exp(found.log_log_c2[0])) == pytest.approx(c2, rel=0.05)
    told = published.fit("closed", "accuracy", [_twice(one) for one in each], [])
    assert told.base_effect == {1.5: "more", 0.6: "fewer", 1.0: "unclear"}[c1]
    assert [left.base for left in told.left_out] == [500, 1000, 2000]
    assert max(left.points_error for left in told.left_out) < 0.05


def _twice(one: Drawn) -> Drawn:
    """With resamples that err a little."""
    rng = np.random.default_rng(one.base)
    values = np.repeat(one.values, 60, axis=0)
    values[1:] += rng.normal(0, 0.01, values[1:].shape)
    law = type(one.law)(*(np.repeat(each, 60) for each in (one.law.level, one.law.scale, one.law.power)))
    return Drawn(one.base, law, one.added, values, one.errors)


def test_one_base_has_no_effect_of_its_size():
    told = published.fit("closed", "accuracy", [_twice(drawn(1000, 1.0, 3.0, 1000.0))], [])
    assert told.c1 is None
    assert told.base_effect == "unclear"
    assert told.c2.value == pytest.approx(3, rel=0.05)
    assert told.left_out == ()


def test_images_that_are_worth_nothing_say_nothing_of_the_size_of_the_base():
    each = [_twice(drawn(base, 1.5, 2.53, 1000.0)) for base in (500, 1000, 2000)]
    worse = -np.arange(5.0)  # points: the more images, the less accurate
    harm = [replace(one, values=one.values.min() + worse * one.base / 1000 + 0 * one.values) for one in each]
    told = published.fit("closed", "accuracy", harm, [])
    assert told.base_effect == "unclear"
    assert told.c1 is not None
    assert told.c1.low is None
