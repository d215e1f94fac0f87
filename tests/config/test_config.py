from __future__ import annotations

import pytest

from gmaug_core.config import (
    GENERATORS,
    AugmentationConfig,
    Profile,
    SimilarityConfig,
    parse_assignments,
    validate,
)
from gmaug_core.config.presets import PRESETS, augmentation_config
from gmaug_core.errors import InputError


@pytest.mark.parametrize("text", ["paper", "uniform7", "paper-64", "paper-rgb", "uniform7-32-rgb"])
def test_profile_round_trip(text):
    assert Profile.parse(text).name == text


@pytest.mark.parametrize("text", ["", "paper-8", "paper-99999", "gaussian", "paper-rgb-64", "../x"])
def test_bad_profiles_are_refused(text):
    with pytest.raises(InputError, match="not a profile"):
        Profile.parse(text)


def test_paper_profile_is_the_default():
    assert (Profile().size, Profile().colour, Profile().window, Profile().images) == (
        128,
        "grey",
        "gaussian11",
        "128-grey",
    )


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("size", [16, 32, 128, 500])
def test_every_preset_resolves_and_round_trips(preset, generator, size):
    config = augmentation_config("d", image_size=size, colour="rgb", preset=preset, generator=generator)
    assert config.generator.name == generator and config.generator.resolution <= size
    assert validate(AugmentationConfig, config.model_dump(mode="json")) == config


def test_overrides_win_and_leave_the_rest():
    base = augmentation_config("d", image_size=16, colour="grey")
    changed = augmentation_config(
        "d", image_size=16, colour="grey", overrides=parse_assignments(["generator.kimg=5", "seeds=1"])
    )
    assert changed.generator.kimg == 5 and changed.seeds == 1
    assert changed.model_copy(update={"seeds": base.seeds, "generator": base.generator}) == base


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("generator.kimgs=5", "did you mean 'kimg'"),
        ("sedes=3", "did you mean 'seeds'"),
        ("generator.kimg=NaN", "kimg"),
        ("generator.kimg=-1", "kimg"),
        ("seeds=0", "seeds"),
        ("seeds=three", "seeds"),
        ("classifier.batch=0", "batch"),
        ("selection.mode=luck", "mode"),
        ("generator.name=gan", "unknown generator"),
        ("generator=5", "generator"),
        ("seeds", "not a setting"),
        ("a.b=1", "unknown setting 'a'"),
    ],
)
def test_bad_settings_are_named(assignment, message):
    with pytest.raises(InputError, match=message):
        augmentation_config("d", image_size=16, colour="grey", overrides=parse_assignments([assignment]))


def test_pairs_and_half_width_exclude_each_other():
    with pytest.raises(InputError, match="not both"):
        validate(SimilarityConfig, {"dataset": "d", "pairs": 5, "half_width": 0.1})
