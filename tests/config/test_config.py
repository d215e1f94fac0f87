from __future__ import annotations

import pytest

from gmaug_core.config import (
    CLASSIFIERS,
    GENERATORS,
    PRESETS,
    USUAL_THRESHOLDS,
    AugmentationConfig,
    ClassifierConfig,
    GeneratorConfig,
    Profile,
    SimilarityConfig,
    augmentation_config,
    parse_assignments,
    validate,
)
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
    assert config.generator.name == generator
    assert config.generator.resolution <= size
    assert validate(AugmentationConfig, config.model_dump(mode="json")) == config


def test_overrides_win_and_leave_the_rest():
    base = augmentation_config("d", image_size=16, colour="grey")
    changed = augmentation_config(
        "d", image_size=16, colour="grey", overrides=parse_assignments(["generator.kimg=5", "seeds=1"])
    )
    assert changed.generator.kimg == 5
    assert changed.seeds == 1
    assert changed.model_copy(update={"seeds": base.seeds, "generator": base.generator}) == base


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("generator.kimgs=5", "did you mean 'generator.kimg'"),
        ("kimg=5", "did you mean 'generator.kimg'"),
        ("sedes=3", "did you mean 'seeds'"),
        ("generator.kimg=NaN", "kimg"),
        ("generator.kimg=-1", "kimg"),
        ("seeds=0", "seeds"),
        ("seeds=three", "seeds"),
        ("classifier.batch=0", "batch"),
        ("selection.mode=luck", "mode"),
        ("selection.threshold=10", "between 0 and 1"),
        ("selection.mode=real_share selection.threshold=1", "between 0 and 1"),
        ("selection.mode=none selection.threshold=0.5", "leave the threshold out"),
        ("generator.name=gan", "unknown generator"),
        ("generator.name=[1]", "unknown generator"),
        ("classifier.name=tree", "unknown classifier"),
        ("classifier.stme=small", "did you mean 'classifier.stem'"),
        ("classifier=5", "classifier"),
        ("generator=5", "generator"),
        ("seeds", "not a setting"),
        ("use=[.5,1]", "is no JSON"),
        ("a.b=1", "unknown setting 'a'"),
    ],
)
def test_bad_settings_are_named(assignment, message):
    with pytest.raises(InputError, match=message):
        augmentation_config(
            "d", image_size=16, colour="grey", overrides=parse_assignments(assignment.split())
        )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_mode_brings_its_own_threshold(preset):
    for mode, usual in USUAL_THRESHOLDS.items():
        overrides = {"selection": {"mode": mode}}
        made = augmentation_config("d", image_size=16, colour="grey", preset=preset, overrides=overrides)
        assert (made.selection.mode, made.selection.threshold) == (mode, usual)


def test_pairs_and_half_width_exclude_each_other():
    with pytest.raises(InputError, match="not both"):
        validate(SimilarityConfig, {"dataset": "d", "pairs": 5, "half_width": 0.1})


@pytest.mark.parametrize(("table", "base"), [(GENERATORS, GeneratorConfig), (CLASSIFIERS, ClassifierConfig)])
def test_a_record_agrees_with_its_config(table, base):
    for key, record in table.items():
        assert record.key == key == record.config.model_fields["name"].default
        assert issubclass(record.config, base)
        assert set(record.presets) == set(PRESETS)
        assert record.title
        assert record.words.startswith(f"**{record.title}**")
        for preset in record.presets.values():
            rows = [preset.always, preset.mirrored, preset.upright, *preset.at.values()]
            assert {name for row in rows for name in row} <= set(record.config.model_fields)


def test_a_run_preset_names_what_exists():
    for preset in PRESETS.values():
        assert preset.generator in GENERATORS
        assert preset.classifier in CLASSIFIERS
        assert list(preset.sides) == sorted(preset.sides)
