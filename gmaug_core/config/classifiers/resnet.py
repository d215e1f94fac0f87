"""ResNet18: settings, words and presets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gmaug_core.config.classifiers.common import ClassifierConfig
from gmaug_core.config.records import Preset, Record


class ResNetConfig(ClassifierConfig):
    """ResNet18 (He 2016) from scratch, by SGD with momentum."""

    name: Literal["resnet18"] = "resnet18"
    width: int = Field(64, ge=4, le=256)  # channels of the first stage; 64 is ResNet18
    # small: 3x3 without pooling, for <= 64 px; strided: the same at every second pixel, a quarter of the work
    stem: Literal["imagenet", "small", "strided"] = "imagenet"
    # residual blocks a stage; (2, 2, 2, 2) is ResNet18
    blocks: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field((2, 2, 2, 2), min_length=1, max_length=6)
    momentum: float = Field(0.9, ge=0, lt=1)


RECORD = Record(
    key="resnet18",
    title="ResNet18",
    words="**ResNet18**, trained from scratch: the paper's classifier.",
    config=ResNetConfig,
    implementation="gmaug_core.models.classifiers.resnet:ResNet18",
    presets={
        # measured: benchmarks/classifier_budget.py, docs/classifiers.md
        "quick": Preset(
            {
                "width": 16,
                "blocks": (1, 1, 1),
                "stem": "small",
                "epochs": 40,
                "least_steps": 600,
                "most_steps": 4000,
                "batch": 64,
                "averaging": 0.3,
            },
            at={32: {"stem": "strided", "lr": 0.2, "warmup": 0.15}},
            mirrored={"augment": "crop_flip"},
            upright={"augment": "affine"},
        ),
        "standard": Preset(
            {"stem": "small", "epochs": 100, "least_steps": 3000, "most_steps": 40_000, "batch": 128},
            mirrored={"augment": "crop_flip"},
            upright={"augment": "crop"},
        ),
        # paper A's protocol: 100 epochs of 256, x0.1 every 30, random resized crops
        "paper": Preset(
            {"stem": "small", "epochs": 100, "schedule": "step", "batch": 256},
            at={128: {"stem": "imagenet"}},
            mirrored={"augment": "wide_crop_flip"},
            upright={"augment": "wide_crop"},
        ),
    },
)
