"""Presets: the settings of a whole augmentation run for a dataset, by how much machine there is.

quick: two CPU cores, minutes. standard: one GPU. paper: the papers' settings, one GPU for days.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gmaug_core.config import GENERATORS, AugmentationConfig, Colour, GuidedDiffusionConfig, validate
from gmaug_core.errors import InputError

PRESETS = ("quick", "standard", "paper")


def augmentation_config(
    dataset: str,
    *,
    image_size: int,
    colour: Colour,
    preset: str = "quick",
    generator: str | None = None,
    symmetric: bool = True,
    overrides: Mapping[str, Any] | None = None,
) -> AugmentationConfig:
    """Resolve a preset for a dataset.

    image_size: the short side of a typical image in pixels; colour: of the dataset; symmetric: whether a mirrored
    image is still a valid one (False for digits and text). overrides: nested settings that win over the preset.
    Raises InputError for an unknown preset, generator or setting.
    """
    if preset not in PRESETS:
        raise InputError(f"unknown preset '{preset}'", expected="one of " + ", ".join(PRESETS))
    overrides = dict(overrides or {})
    given = overrides.get("generator", {})
    lane = (
        generator
        or (given.get("name") if isinstance(given, Mapping) else None)
        or ("stylegan2" if preset == "paper" else "edm")
    )
    if lane not in GENERATORS:
        raise InputError(f"unknown generator '{lane}'", expected="one of " + ", ".join(GENERATORS))
    pretrained = given.get("pretrained") if isinstance(given, Mapping) else None
    values = _preset(preset, lane, image_size, symmetric, bool(pretrained))
    values["generator"] |= {"name": lane, "colour": colour, "mirror": symmetric}
    for key, value in overrides.items():
        if isinstance(value, Mapping) and isinstance(values.get(key), dict):
            values[key] = values[key] | dict(value)
        else:
            values[key] = value
    config = validate(AugmentationConfig, values | {"dataset": dataset, "preset": preset})
    if isinstance(config.generator, GuidedDiffusionConfig):
        for path in filter(None, (config.generator.pretrained, config.generator.pretrained_classifier)):
            if not Path(path).is_file():
                raise InputError(
                    f"there is no checkpoint '{Path(path).name}' to start from",
                    expected="a file on this machine: your own copy of a published checkpoint",
                    todo="correct generator.pretrained, or leave it out to train from scratch",
                )
    return config


def _guided_diffusion(preset: str, resolution: int, pretrained: bool) -> dict[str, Any]:
    """The published networks where the paper or a checkpoint asks for them, else one that a GPU trains in hours."""
    network: dict[str, Any] = {
        "learn_sigma": True,
        "lr": 1e-4,
        "classifier_lr": 3e-4,
        "classifier_channels": 128,
        "snapshot_kimg": 200.0,
    }
    if preset == "standard" and not pretrained:
        network |= {
            "channels": 128,
            "channel_mult": (1, 2, 2, 2),
            "blocks": 2,
            "attention_resolutions": (16, 8),
            "dropout": 0.1,
        }
        network |= {
            "classifier_channels": 64,
            "kimg": 3000.0,
            "batch": 128,
            "sampling_steps": 50,
            "ema_half_life_kimg": 50.0,
        }
        return network
    # 100k iterations, as paper A fine-tuned; the average's decay is .9999 a step
    network |= {
        "kimg": 3200.0,
        "batch": 32,
        "ema_half_life_kimg": 222.0,
        "sampler": "ancestral",
        "sampling_steps": 250,
    }
    network |= {"attention_resolutions": (32, 16, 8)}
    if resolution == 128:
        network |= {
            "channels": 256,
            "channel_mult": (1, 1, 2, 3, 4),
            "blocks": 2,
            "heads": 4,
            "schedule": "linear",
            "guidance": 0.5,
        }
        return network | {"classifier_blocks": 2}
    network |= {"channels": 192, "channel_mult": (1, 2, 3, 4), "blocks": 3, "dropout": 0.1}
    return network | {"classifier_blocks": 4}


def _preset(preset: str, lane: str, image_size: int, symmetric: bool, pretrained: bool) -> dict[str, Any]:
    def power_of_two(limit: int) -> int:
        return max(16, 1 << (min(image_size, limit).bit_length() - 1))

    if preset == "quick":  # 2 CPU cores, minutes
        resolution = power_of_two(32)
        return {
            "generator": {
                "resolution": resolution,
                "attention_resolutions": (4,) if resolution == 16 else (8,),
            }
            if lane != "stylegan2"
            else {"resolution": resolution},
            "classifier": {
                "width": 16,
                "blocks": (1, 1, 1),
                "stem": "small",
                "steps": 400,
                "batch": 64,
                "augment": "crop_flip" if symmetric else "affine",
            },
            # a 400-step ResNet's raw logits are small: a probability means the same on every dataset
            "selection": {"mode": "probability", "threshold": 0.9},
        }
    resolution = power_of_two(64 if preset == "standard" else 128)
    if lane == "edm":
        network = {
            "channels": 128,
            "channel_mult": (1, 2, 2, 2),
            "blocks": 2,
            "attention_resolutions": (16, 8),
            "lr": 1e-3,
            "batch": 256,
        }
        network |= {
            "sampling_steps": 18,
            "sigma_max": 80.0,
            "sigma_min": 0.002,
            "ema_half_life_kimg": 50.0,
            "dropout": 0.1,
            "augment": 0.15,
        }
        network |= {"kimg": 3000.0 if preset == "standard" else 20000.0, "snapshot_kimg": 250.0}
    elif lane == "guided_diffusion":
        network = _guided_diffusion(preset, resolution, pretrained)
    else:
        batch = 32
        network = {
            "channel_base": 16384,
            "channel_max": 512,
            "z_dim": 512,
            "w_dim": 512,
            "mapping_layers": 2 if preset == "standard" else 8,
        }
        network |= {
            "batch": batch,
            "lr": 2.5e-3,
            "r1_gamma": 2e-4 * resolution**2 / batch,
            "r1_interval": 16,
            "path_length_weight": 2.0,
        }
        network |= {
            "style_mixing": 0.9,
            "ema_half_life_kimg": 10.0,
            "class_power": 1.0,
            "augment": "ada",
            "snapshot_kimg": 200.0,
        }
        network |= (
            {"kimg": 2000.0, "transition_start": 0.3, "transition_end": 0.6}
            if preset == "standard"
            else {"kimg": 10000.0, "transition_start": 0.2, "transition_end": 0.4}  # 2000 and 4000 kimg
        )
    return {
        "generator": {"resolution": resolution, **network},
        "classifier": {
            "stem": "small" if resolution <= 64 else "imagenet",
            "steps": 3000 if preset == "standard" else 10000,
            "schedule": "cosine" if preset == "standard" else "step",
            "batch": 128 if preset == "standard" else 256,
            "augment": "crop_flip" if symmetric else "crop",
        },
        "selection": {"mode": "probability", "threshold": 0.9}
        if preset == "standard"
        else {"mode": "logit", "threshold": 10.0},
        "use": ("fill", "mix") if preset == "standard" else ("fill",),
        "seeds": 3,
    }
