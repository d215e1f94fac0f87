"""Each of the six wordings is reached, says the number that decided, and what would change it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from gmaug_core.files import read_json
from gmaug_core.method.verdict.figures import Figure
from gmaug_core.method.verdict.result import VerdictKey
from gmaug_core.method.verdict.words import FREE, Figures, decide

RESULTS = Path(__file__).parent.parent.parent / "benchmarks" / "results"


def figure(value: float, half: float = 0.5) -> Figure:
    return Figure(value=value, low=value - half, high=value + half)


FLAT = Figures(  # nothing to gain anywhere
    longer=figure(0.2),
    planned=1_000,
    longer_steps=4_000,
    free=figure(0.0),
    free_label="Class-balanced loss (Cui 2019)",
    headroom=figure(0.3),
    at_most=0.8,
    what="twice as many images",
    visible=3.0,
    buy="8 seeds instead of 3 see 2.1 points",
    minutes=4,
)
LEFT = replace(FLAT, headroom=figure(5.0, 1.0), at_most=6.0)  # enough for a generator


@pytest.mark.parametrize(
    ("figures", "key", "said", "value"),
    [
        (replace(FLAT, longer=figure(6.0)), "train_longer", "4 times as long adds 6.0 points", 6.0),
        (
            replace(FLAT, free=figure(4.0)),
            "no_generator_needed",
            "class-balanced loss (Cui 2019) gives it",
            4.0,
        ),
        (FLAT, "too_little", "at most +0.8", 0.8),
        (
            replace(LEFT, visible=7.0),
            "not_visible",
            "at most +6.0 points, were every image a new real one, and",
            6.0,
        ),
        (replace(LEFT, visible=5.5), "small_run", "small run of 4 minutes", 5.0),
        (LEFT, "full_run", "from 3.0 points on it can be seen", 5.0),
    ],
)
def test_every_wording(figures, key, said, value):
    words = decide(figures)
    assert words.key == key
    assert said in words.sentence
    assert words.decided_by.value == value
    assert words.change.endswith(".")


@pytest.mark.parametrize(
    ("figures", "key"),
    [
        # longer training that only may help decides nothing; nor one that helps less than images would
        (replace(LEFT, longer=figure(6.0, 7.0)), "full_run"),
        (replace(LEFT, longer=figure(4.0)), "full_run"),
        # a recipe that leaves something to be seen leaves the question open
        (replace(LEFT, free=figure(4.0)), "full_run"),
        (replace(LEFT, free=figure(4.0), visible=7.0), "no_generator_needed"),
        (replace(LEFT, free=figure(4.0, 5.0), visible=7.0), "not_visible"),
        # no projection: the upper end decides where there is one, else a small run
        (replace(FLAT, headroom=None, at_most=2.0), "not_visible"),
        (replace(FLAT, headroom=None, at_most=None), "small_run"),
    ],
)
def test_the_edges(figures, key):
    assert decide(figures).key == key


def test_a_verdict_that_could_not_be_seen_says_what_to_do_first():
    words = decide(replace(LEFT, visible=7.0))
    assert "8 seeds instead of 3" in words.sentence
    assert "8 seeds instead of 3" in words.change


def test_a_free_recipe_that_leaves_much_to_gain_says_why_no_generator_is_called_for():
    """At most +6.0 points over it is no reason by itself: that they could not be seen is."""
    words = decide(replace(LEFT, free=figure(4.0), visible=7.0))
    assert "gives it, 4.0 points [3.5, 4.5] over plain training" in words.sentence
    assert "at most +6.0 points, were every image a new real one, which cannot be seen" in words.sentence
    assert "the smallest visible gain is 7.0 points" in words.sentence
    assert "8 seeds instead of 3" in words.change
    assert (words.decided_by.value, words.decided_by.limit) == (4.0, FREE), "4.0 is not held against 6.0"
    assert "cannot be seen" not in decide(replace(FLAT, free=figure(4.0))).sentence


def test_a_first_reading_never_says_that_a_full_run_is_worth_it():
    """The fast learner has more left to learn than the run's own classifier."""
    full = replace(LEFT, visible=2.0)
    assert decide(full).key == "full_run"
    said = decide(replace(full, first=True))
    assert said.key == "small_run"
    assert said.sentence.startswith("By the fast learner: worth a small run")
    assert said.change.startswith("The full reading decides")
    assert decide(replace(FLAT, first=True)).key == "too_little"


def test_trainings_that_were_cut_short_never_ask_for_a_full_run():
    words = decide(replace(LEFT, used=100))
    assert words.key == "small_run"
    assert "100 steps instead of the run's 1,000" in words.change
    assert decide(replace(LEFT, used=1_000)).key == "full_run"


MEASURED = "in 16 measured datasets synthetic images gave 5 % [\N{MINUS SIGN}3, 13] of such a headroom"
BECAUSE = f"Were every image a new real one, 5.0 points; {MEASURED}."


@pytest.mark.parametrize(
    ("figures", "key", "said"),
    [
        # what may be expected decides instead of the headroom, and both are told
        (
            replace(LEFT, expected=figure(0.3, 2.0)),
            "not_visible",
            "at most +2.3 points, and the smallest visible gain",
        ),
        (replace(LEFT, expected=figure(0.3, 0.4)), "too_little", f"at most +0.7 points. {BECAUSE}"),
        (
            replace(LEFT, free=figure(4.0), expected=figure(0.3, 2.0)),
            "no_generator_needed",
            f"which cannot be seen: the smallest visible gain is 3.0 points. {BECAUSE}",
        ),
        (replace(LEFT, longer=figure(3.0), expected=figure(0.3, 2.0)), "train_longer", "adds 3.0 points"),
        (replace(LEFT, expected=figure(2.0, 2.0)), "small_run", "2.0 points [0.0, 4.0], and the smallest"),
        (replace(LEFT, expected=figure(4.0, 1.0)), "full_run", "4.0 points [3.0, 5.0], and from 3.0"),
        # nothing is expected, though more than is visible cannot be ruled out
        (
            replace(LEFT, expected=figure(-0.5, 6.0)),
            "too_little",
            f"add \N{MINUS SIGN}0.5 points, at most +5.5. {BECAUSE}",
        ),
        (
            replace(LEFT, free=figure(4.0), expected=figure(-0.5, 6.0)),
            "no_generator_needed",
            f"over that, twice as many images would add \N{MINUS SIGN}0.5 points, at most +5.5. {BECAUSE}",
        ),
        # never more than the headroom's own upper end
        (replace(LEFT, at_most=2.0, expected=figure(4.0, 3.0)), "not_visible", "at most +2.0 points, were"),
    ],
)
def test_what_synthetic_images_gave_elsewhere_decides(figures, key, said):
    words = decide(replace(figures, expected_by=MEASURED))
    assert words.key == key
    assert said in words.sentence
    assert words.sentence.endswith(BECAUSE) == (key != "train_longer" and figures.at_most != 2.0)
    told = "An equivalence run measures what your own synthetic images are worth" in words.change
    assert told == (key in ("not_visible", "too_little", "no_generator_needed") and figures.at_most != 2.0)


def test_each_wording_was_said_of_a_dataset():
    """By the readings that the benchmarks keep: the full ones, and what the first ones said before them. None
    calls for a full run since verdicts hold a headroom against what synthetic images gave elsewhere, which is
    next to nothing: before, three did, of whose headrooms of 12 to 19 points nothing came."""
    readings = [row["verdict"]["key"] for row in read_json(RESULTS / "verdict.json")["rows"]]
    for path in (RESULTS / "evidence").glob("*.json"):
        cell = read_json(path)
        readings += [cell["first"]["key"], cell["verdict"]["key"]]
    assert set(readings) >= set(get_args(VerdictKey)) - {"full_run"}
