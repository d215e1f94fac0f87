from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.data.balance import check_short, short_of
from gmaug_core.errors import InputError

LABELS = np.repeat([0, 1, 2], [5, 3, 1])
NAMES = ("many", "some", "few")


@pytest.mark.parametrize(
    ("target", "expected"), [(None, [0, 2, 4]), (5, [0, 2, 4]), (2, [0, 0, 1]), (7, [2, 4, 6])]
)
def test_a_class_is_short_of_what_the_target_says(target, expected):
    assert short_of(np.bincount(LABELS), target).tolist() == expected
    check_short(LABELS, target, NAMES)


def test_nothing_to_draw_is_refused_and_says_what_would_help():
    with pytest.raises(InputError, match="nothing would be drawn") as refused:
        check_short(LABELS, 1, NAMES)
    assert "few" in str(refused.value)
    assert "above 1" in refused.value.todo
    with pytest.raises(InputError, match="every class has 2 training images already"):
        check_short(np.repeat([0, 1], 2), None, ("a", "b"))
