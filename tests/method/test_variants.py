from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest
import tiny

from gmaug_core.config import PRESETS, SelectionConfig
from gmaug_core.config.runs import Control
from gmaug_core.data import samples
from gmaug_core.data.views import View
from gmaug_core.hooks import never, no_report
from gmaug_core.method.lab import Lab
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.recipes import RECIPES, TrainingSet
from gmaug_core.method.training import trained
from gmaug_core.method.variants import VARIANTS, controls, role, short, trainings
from gmaug_core.method.ways import Way
from gmaug_core.report.charts import COLOURS


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The bars, and a step of which judge 0 accepted every second image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("home")))
        data = tiny.make_dataset(tmp_path_factory.mktemp("bars"))
        made = Lab.prepare(tiny.config(data), data, tmp_path_factory.mktemp("run"), no_report, never)
        labels = np.repeat([1, 2], [6, 12])
        images = np.random.default_rng(0).integers(0, 255, (18, 16, 16), dtype=np.uint8)
        row = {"step": 1, "seed": 0, "class": "", "draw_seed": 0, "logit": 0.0, "probability": 0.5}
        row |= {"predicted": 0, "reason": ""}
        table = pd.DataFrame(
            {"sample": range(18), "label": labels, "accepted": np.arange(18) % 2 == 0, **row}
        )
        samples.write_step(made.samples, 1, images, table)
        yield made


def test_the_baseline_is_first_and_everything_else_has_its_place():
    roles = [variant.role for variant in VARIANTS.values()]
    assert list(VARIANTS)[:2] == ["baseline", "augmented"]
    assert roles[:3] == ["baseline", "accepted", "accepted"]
    assert set(roles[3:]) == {"control"}
    assert set(roles) <= set(COLOURS)
    for field in ("key", "label", "short"):
        assert len({getattr(variant, field) for variant in VARIANTS.values()}) == len(VARIANTS)


def test_every_recipe_is_a_control_that_settings_can_name():
    assert set(get_args(Control)) == set(RECIPES) - {"plain"}
    for key in get_args(Control):
        assert VARIANTS[key].role == "control"
        assert not VARIANTS[key].needs_generator
    for preset in PRESETS.values():
        assert set(preset.settings.get("controls", ())) <= set(RECIPES)


def test_a_run_has_the_controls_that_its_settings_name(lab):
    config = lab.config.model_copy(update={"controls": ("mixup",)})
    assert controls(config) == ("unfiltered", "real_replay", "mixup")
    bare = config.model_copy(update={"selection": SelectionConfig(mode="none")})
    assert controls(bare) == ("real_replay", "mixup"), "there is no filter to be without"
    gated = config.model_copy(update={"selection": SelectionConfig(mode="none", gates=("copy",))})
    assert controls(gated) == controls(config)
    assert (
        trainings(bare)
        == trainings(config) - config.seeds * len(config.use)
        == trainings(gated) - (config.seeds * len(config.use))
    )


def test_a_variant_of_another_version_goes_by_its_key():
    assert (short("oversampling"), role("oversampling")) == ("Oversampling", "control")
    assert (short("focal_loss"), role("focal_loss")) == ("focal loss", "control")


@pytest.mark.parametrize("use", ["fill", "mix"])
def test_the_filter_is_what_augmented_and_unfiltered_differ_by(lab, use):
    real, pool = len(lab.split["train"]), lab.pool(1)
    augmented, unfiltered = lab.kept(1, Way(use), 0), lab.first_drawn(1, Way(use))
    for training in (augmented, unfiltered):
        np.testing.assert_array_equal(training.images[:real], lab.images[lab.split["train"]])
        np.testing.assert_array_equal(training.labels[:real], lab.real.labels)
        assert (training.draw_weights is None) == (use == "fill")
    np.testing.assert_array_equal(augmented.images[real:], pool.images[::2])
    np.testing.assert_array_equal(
        unfiltered.images[real:], np.concatenate([pool.images[:6], pool.images[6:17]])
    )


@pytest.mark.parametrize("way", [Way("fill"), Way("mix"), Way("fill", 0.5, 0.3)])
def test_a_replay_differs_from_the_augmented_set_by_its_pixels_alone(lab, way):
    real, augmented = len(lab.split["train"]), lab.kept(1, way, 0)
    replay = lab.replayed(1, way, 0)
    np.testing.assert_array_equal(replay.labels, augmented.labels)
    for field in ("draw_weights", "image_weights", "apart"):
        np.testing.assert_equal(getattr(replay, field), getattr(augmented, field))
    train = lab.images[lab.split["train"]]
    for image, label in zip(replay.images[real:], replay.labels[real:], strict=True):
        same = (train == image).all(axis=(1, 2))
        assert label in lab.real.labels[same]
    rare = lab.copies(np.full(11, 2)).images[:]
    times = [(rare == image).all(axis=(1, 2)).sum() for image in train[lab.real.labels == 2]]
    assert set(times) == {2, 3}, "5 real images, 11 copies: all of them, alike"


def test_training_sets_draw_what_they_say(lab):
    rare = lab.data.class_names.index("slant")
    synthetic = Synthetic(View([lab.images], np.arange(11)), np.full(11, rare))

    def share(training, mask):
        weights = np.ones(len(training.labels)) if training.draw_weights is None else training.draw_weights
        return weights[mask].sum() / weights.sum()

    mixed = lab.with_synthetic(Way("mix"), synthetic)
    made = np.arange(len(mixed.labels)) >= len(lab.split["train"])
    assert share(mixed, mixed.labels == rare) == pytest.approx(1 / 3)
    assert share(mixed, made) == pytest.approx(1 / 3 * 0.25)
    filled = lab.with_synthetic(Way("fill"), synthetic)
    assert filled.draw_weights is None
    assert (filled.labels == rare).sum() == 16


def test_a_training_set_is_copied_nowhere_and_trains_as_a_copy_would(lab, tmp_path):
    training = lab.kept(1, Way("mix"), 0)
    assert lab.real is lab.real
    copy = TrainingSet(training.images[:], training.labels, draw_weights=training.draw_weights)
    found = []
    for name, given in (("view", training), ("copy", copy)):
        room = Lab.prepare(lab.config, lab.data, tmp_path / name, no_report, never)
        arm = room.arm("controls", name, lambda _, given=given: given)
        found.append(arm.classifiers[0].predict_logits(lab.images))
    np.testing.assert_array_equal(*found)


@pytest.fixture(scope="module")
def logits(lab):
    """Of every recipe on real images alone: by key."""
    settings = {"seed": 0, "steps": 12}
    plain = trained(RECIPES["plain"], 1.0, lab.real, lab.classes, lab.config.classifier, **settings)
    return {
        key: trained(
            recipe, recipe.values[0], lab.real, lab.classes, lab.config.classifier, plain=plain, **settings
        ).predict_logits(lab.images)
        for key, recipe in RECIPES.items()
    }


def test_every_recipe_trains_another_classifier(logits):
    found = np.stack(list(logits.values()))
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(6).reshape(len(found), -1), axis=0)) == len(RECIPES)


def test_the_offsets_after_training_are_added_to_the_plain_logits(lab, logits):
    expected = logits["plain"] - np.log(lab.counts / lab.counts.sum())
    np.testing.assert_allclose(logits["posthoc_logit_adjustment"], expected, atol=1e-4)


def test_a_recipe_that_starts_from_the_plain_classifier_needs_it(lab):
    for key in ("crt", "posthoc_logit_adjustment"):
        with pytest.raises(ValueError, match="plain classifier"):
            trained(RECIPES[key], 1.0, lab.real, lab.classes, lab.config.classifier, seed=0, steps=2)
