"""Titles of trainings in words: every form that a run writes."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from gmaug_core.config.runs import SecondStage, Use
from gmaug_core.method import titles
from gmaug_core.method.arms import Order
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.verdict.plan import Images, Training
from gmaug_core.method.ways import Way


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("baseline", "Baseline"),
        ("step1-mix-x0.25", "Synthetic, step 1: mix, 0.25 x"),
        ("replay-fill", "Real replay: fill"),
        ("class_balanced_loss-0.9999", "Class-balanced loss, beta 0.9999"),
        (
            "oversampling-1-step2-mix-head",
            "Oversampling, strength 1 + synthetic, step 2: mix, last layer again",
        ),
        ("verdict-rare-half-plain-1-1600", "Plain, half of the rare images, 1,600 steps"),
        ("counting-placebo", "Paper's counting: copies of real images"),
        ("probe-drawn", "Early look: with the first samples"),
        ("something_new", "something new"),
    ],
)
def test_a_title_is_told_in_words(title, words):
    assert titles.words(title) == words


def test_no_way_and_no_recipe_is_left_as_it_is_written():
    ways = [Way(use, 0.5, 0.25, second) for use in get_args(Use) for second in get_args(SecondStage)]
    written = [Order("step1", lambda _: None, way=way).title for way in ways]
    for recipe in RECIPES.values():
        for value in recipe.values:
            alone = f"{recipe.key}-{value:g}"
            written += [alone, Order(f"{alone}-step1", lambda _: None, way=ways[0]).title]
            trained = Training("all", recipe.key, value, 600, 0)
            written += [replace(trained, images=images).name for images in get_args(Images)]
    told = [titles.words(title) for title in written]
    assert len(set(told)) == len(set(written))
    assert not [each for each in told if "_" in each or "-x" in each or each.startswith("verdict")]
