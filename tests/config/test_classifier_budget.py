"""How long a classifier is trained: passes over the images between a floor and a ceiling, or exactly."""

from __future__ import annotations

import pytest

from gmaug_core.config import ResNetConfig, augmentation_config, validate
from gmaug_core.errors import InputError


@pytest.mark.parametrize(("n", "steps"), [(1, 10), (100, 10), (101, 11), (500, 50), (10**6, 80)])
def test_steps_follow_the_images_between_floor_and_ceiling(n, steps):
    config = ResNetConfig(epochs=5, batch=50, least_steps=10, most_steps=80)
    assert config.steps_for(n) == steps
    assert config.budget == "5 epochs (10 to 80 steps)"


def test_an_exact_number_of_steps_wins():
    config = ResNetConfig(epochs=5, least_steps=10, most_steps=80, steps=3)
    assert config.steps_for(500) == 3
    assert config.budget == "3 steps"


def test_settings_of_an_older_version_are_read():
    old = {
        "name": "resnet18",
        "width": 16,
        "stem": "small",
        "blocks": [1, 1, 1],
        "steps": 400,
        "batch": 64,
        "lr": 0.1,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "schedule": "cosine",
        "augment": "crop_flip",
        "checkpoint_steps": 500,
    }
    assert validate(ResNetConfig, old).steps_for(10**6) == 400


def test_a_floor_above_the_ceiling_is_refused():
    with pytest.raises(InputError, match="least_steps"):
        validate(ResNetConfig, {"least_steps": 9, "most_steps": 8})


@pytest.mark.parametrize("preset", ["quick", "standard", "paper"])
def test_presets_give_more_steps_to_more_images(preset):
    config = augmentation_config("d", image_size=64, colour="rgb", preset=preset).classifier
    few, some, many = (config.steps_for(n) for n in (100, 3000, 5000))
    assert few <= some < many


def test_the_papers_protocol_is_a_hundred_epochs():
    config = augmentation_config("d", image_size=128, colour="rgb", preset="paper").classifier
    assert (config.batch, config.schedule) == (256, "step")
    assert config.steps_for(3882) == 1517  # flowers in the paper: 100 * 3882 / 256, rounded up
    assert config.steps_for(13_850) == 5411
