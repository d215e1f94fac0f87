from __future__ import annotations

import pytest

from gmaug_core.method.tested import NAMED, not_tested


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({}, "nothing was drawn"),
        ({"a": (0, 10), "b": (0, 5)}, "The filter accepted nothing: a 0 of 10, b 0 of 5."),
        ({"a": (19, 100)}, "accepted 19 of 100 wanted images (19%): a 19 of 100."),
        ({"a": (20, 100)}, ""),
        ({"a": (1.5, 10)}, "accepted 1.5 of 10 "),
        ({"a": (90, 90), "b": (0, 5), "c": (0, 5)}, "none of 2 of the 3 classes"),
        ({"a": (90, 90), "b": (0, 5)}, ""),
        ({"a": (500, 90), "b": (0, 500)}, "accepted 90 of 590"),
    ],
)
def test_the_rule(classes, said):
    words = not_tested(classes)
    assert said in words
    assert bool(words) == bool(said)


def test_what_an_older_result_does_not_list_counts_as_kept():
    assert not_tested({"a": (0, 10)}, filled=50) == ""
    assert "accepted 2 of 110" in not_tested({"a": (0, 108)}, filled=2)


def test_those_that_miss_most_are_named_first():
    words = not_tested({f"class {k}": (0, k + 1) for k in range(20)})
    assert words.startswith("The filter accepted nothing: class 19 0 of 20, ")
    assert f"and {20 - NAMED} more classes." in words
