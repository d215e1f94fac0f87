from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import tiny

from gmaug_core.data import samples
from gmaug_core.data.views import View
from gmaug_core.hooks import never, no_report
from gmaug_core.method.lab import Lab
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.variants import CONTROLS, VARIANTS, Choice, role, short
from gmaug_core.models.classifiers import class_balanced_weights
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
    assert roles == ["baseline", "accepted", *["control"] * len(CONTROLS)]
    assert set(roles) <= set(COLOURS)
    assert not VARIANTS["baseline"].needs_generator
    for field in ("key", "label", "short"):
        assert len({getattr(variant, field) for variant in VARIANTS.values()}) == len(VARIANTS)


def test_a_variant_of_another_version_goes_by_its_key():
    assert (short("oversampling"), role("oversampling")) == ("Oversampling", "control")
    assert (short("focal_loss"), role("focal_loss")) == ("focal loss", "control")


@pytest.mark.parametrize("key", VARIANTS)
@pytest.mark.parametrize("use", ["fill", "mix"])
def test_every_variant_builds_a_training_set(lab, key, use):
    variant = VARIANTS[key]
    assert variant.key == key
    training = variant.training_set(lab, Choice(0, use=use))
    assert isinstance(training, TrainingSet)
    real = len(lab.split["train"])
    assert len(training.images) == len(training.labels)
    np.testing.assert_array_equal(training.images[:real], lab.images[lab.split["train"]])
    np.testing.assert_array_equal(training.labels[:real], lab.data.labels[lab.split["train"]])
    assert (len(training.labels) > real) == variant.needs_generator
    assert training.draw_weights is None or len(training.draw_weights) == len(training.labels)
    assert training.class_weights is None or len(training.class_weights) == lab.classes


@pytest.mark.parametrize("key", [key for key, variant in VARIANTS.items() if not variant.needs_generator])
def test_a_simple_variant_needs_no_generator(lab, key, tmp_path):
    alone = Lab.prepare(lab.config, lab.data, tmp_path, no_report, never)
    assert len(VARIANTS[key].training_set(alone, Choice(0)).labels) == len(lab.split["train"])


def test_the_filter_is_what_augmented_and_unfiltered_differ_by(lab):
    real, pool = len(lab.split["train"]), lab.pool(1)
    augmented, unfiltered = (
        VARIANTS[key].training_set(lab, Choice(0)) for key in ("augmented", "unfiltered")
    )
    np.testing.assert_array_equal(augmented.images[real:], pool.images[::2])
    np.testing.assert_array_equal(
        unfiltered.images[real:], np.concatenate([pool.images[:6], pool.images[6:17]])
    )


def test_training_sets_draw_what_they_say(lab):
    rare = lab.data.class_names.index("slant")
    synthetic = Synthetic(View([lab.images], np.arange(11)), np.full(11, rare))

    def share(training, mask):
        weights = np.ones(len(training.labels)) if training.draw_weights is None else training.draw_weights
        return weights[mask].sum() / weights.sum()

    oversampled = VARIANTS["oversampling"].training_set(lab, Choice(0))
    for label in range(3):
        assert share(oversampled, oversampled.labels == label) == pytest.approx(1 / 3)
    mixed = lab.with_synthetic("mix", synthetic)
    made = np.arange(len(mixed.labels)) >= len(lab.split["train"])
    assert share(mixed, mixed.labels == rare) == pytest.approx(1 / 3)
    assert share(mixed, made) == pytest.approx(1 / 3 * 0.25)
    filled = lab.with_synthetic("fill", synthetic)
    assert filled.draw_weights is None
    assert (filled.labels == rare).sum() == 16
    weighted = VARIANTS["class_balanced_loss"].training_set(lab, Choice(0))
    np.testing.assert_array_equal(weighted.class_weights, class_balanced_weights(lab.counts))


def test_a_training_set_is_copied_nowhere_and_trains_as_a_copy_would(lab, tmp_path):
    training = VARIANTS["augmented"].training_set(lab, Choice(0, use="mix"))
    assert lab.real is lab.real
    copy = TrainingSet(training.images[:], training.labels, training.draw_weights)
    found = []
    for name, given in (("view", training), ("copy", copy)):
        room = Lab.prepare(lab.config, lab.data, tmp_path / name, no_report, never)
        classifier = room.trained_or_loaded("controls", name, 0, partial(lambda each: each, given))
        found.append(classifier.predict_logits(lab.images))
    np.testing.assert_array_equal(*found)
