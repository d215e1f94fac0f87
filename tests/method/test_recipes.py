from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.data.views import View
from gmaug_core.method.recipes import RECIPES, TrainingSet
from gmaug_core.models.classifiers import class_balanced_weights

COUNTS = np.array([90, 9, 1])


@pytest.fixture
def training():
    labels = np.repeat(np.arange(3), COUNTS)
    return TrainingSet(View([np.zeros((len(labels), 4, 4), np.uint8)], np.arange(len(labels))), labels)


def shares(training):
    return training.priors(3)


def test_plain_is_first_and_every_recipe_does_exactly_one_thing(training):
    assert next(iter(RECIPES)) == "plain"
    for key, recipe in RECIPES.items():
        assert recipe.key == key
        assert (recipe.change is None) != (recipe.offsets is None)
        assert not (recipe.second_stage and recipe.offsets)
        assert len(recipe.values) == 1 or recipe.parameter
        for value in recipe.values:
            if recipe.change:
                assert (recipe.change(training, 3, value) is training) == (key == "plain")
            else:
                assert recipe.offsets(training, 3, value).shape == (3,)
    for field in ("key", "label", "short"):
        assert len({getattr(recipe, field) for recipe in RECIPES.values()}) == len(RECIPES)


def test_every_trained_recipe_has_the_same_number_of_candidates_at_most():
    for recipe in RECIPES.values():
        assert len(recipe.candidates(2)) <= 2 or not recipe.trains
        assert recipe.candidates(1)[0] == recipe.values[0]
    assert RECIPES["posthoc_logit_adjustment"].candidates(1) == (1.0, 0.5, 1.5), "nothing is trained for them"


def test_oversampling_draws_classes_alike_or_by_their_square_root(training):
    recipe = RECIPES["oversampling"]
    np.testing.assert_allclose(shares(recipe.change(training, 3, 1.0)), 1 / 3)
    root = np.sqrt(COUNTS)
    np.testing.assert_allclose(shares(recipe.change(training, 3, 0.5)), root / root.sum())


def test_oversampling_counts_what_a_set_draws_already(training):
    """On top of draw weights that make the classes alike nothing is left to do."""
    alike = RECIPES["oversampling"].change(training, 3, 1.0)
    again = RECIPES["oversampling"].change(alike, 3, 1.0)
    np.testing.assert_allclose(shares(again), 1 / 3)


def test_new_features_are_of_classes_drawn_alike(training):
    recipe = RECIPES["feature_space"]
    for step in recipe.values:
        changed = recipe.change(training, 3, step)
        np.testing.assert_allclose(shares(changed), 1 / 3)
        assert changed.feature_step == step
    assert recipe.second_stage


def test_class_balanced_loss_weighs_by_the_effective_number(training):
    changed = RECIPES["class_balanced_loss"].change(training, 3, 0.99)
    np.testing.assert_allclose(changed.class_weights, class_balanced_weights(COUNTS, 0.99))
    assert changed.draw_weights is None


def test_logit_adjustment_is_the_log_prior_inside_the_loss_and_its_opposite_afterwards(training):
    inside = RECIPES["logit_adjusted_loss"].change(training, 3, 0.5).logit_offsets
    np.testing.assert_allclose(inside, 0.5 * np.log(COUNTS / 100))
    afterwards = RECIPES["posthoc_logit_adjustment"].offsets(training, 3, 0.5)
    np.testing.assert_allclose(afterwards, -inside)


def test_a_balanced_set_needs_no_adjustment():
    labels = np.repeat(np.arange(3), 4)
    alike = TrainingSet(View([np.zeros((12, 4, 4), np.uint8)], np.arange(12)), labels)
    for offsets in (
        RECIPES["posthoc_logit_adjustment"].offsets(alike, 3, 1.0),
        RECIPES["logit_adjusted_loss"].change(alike, 3, 1.0).logit_offsets,
    ):
        np.testing.assert_allclose(offsets, offsets[0])


def test_strong_augmentation_changes_the_images_alone(training):
    for key in ("trivial_augment", "mixup", "cutmix"):
        changed = RECIPES[key].change(training, 3, 1.0)
        assert (changed.strong, changed.draw_weights, changed.class_weights) == (key, None, None)
