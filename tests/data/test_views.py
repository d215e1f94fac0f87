from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.data.views import View

RNG = np.random.default_rng(0)
GREY = [RNG.integers(0, 256, (n, 4, 5), dtype=np.uint8) for n in (7, 0, 3)]
COLOUR = [RNG.integers(0, 256, (n, 4, 5, 3), dtype=np.uint8) for n in (7, 4)]


@pytest.mark.parametrize("arrays", [GREY, COLOUR, GREY[:1]])
def test_a_view_shows_what_a_copy_would(arrays):
    whole = np.concatenate(arrays)
    index = RNG.integers(0, len(whole), 20)
    view, copy = View(arrays, index), whole[index]
    assert (view.shape, view.ndim, view.dtype, len(view)) == (copy.shape, copy.ndim, copy.dtype, len(copy))
    for rows in (
        slice(3, 9),
        slice(None, None, 4),
        slice(30, 40),
        np.array([5, 5, 0]),
        np.zeros(0, np.int64),
    ):
        shown = view[rows]
        np.testing.assert_array_equal(shown, copy[rows])
        assert shown.flags.c_contiguous
    np.testing.assert_array_equal(view.take(np.array([4, 2]))[:], copy[[4, 2]])


def test_one_view_after_another():
    first, second = View(GREY, np.array([9, 0, 7])), View(GREY[:1], np.array([6, 6]))
    np.testing.assert_array_equal(first.followed_by(second)[:], np.concatenate([first[:], second[:]]))
    assert len(first) == 3, "what was there is as it was"


def test_nothing_is_copied_until_it_is_asked_for():
    class Counted(np.ndarray):
        asked = 0

        def __getitem__(self, rows):
            Counted.asked += len(np.asarray(rows))
            return super().__getitem__(rows)

    array = GREY[0].view(Counted)
    view = View([array], np.arange(7)).take(np.arange(5)).followed_by(View([array], np.arange(2)))
    assert Counted.asked == 0
    view[np.array([1, 6])]
    assert Counted.asked == 2
