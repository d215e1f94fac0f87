"""The settings that every classifier has: how it is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gmaug_core.config.base import Config


class ClassifierConfig(Config):
    """The classifier that is measured and, trained on real images alone, judges the synthetic ones."""

    name: str
    steps: int = Field(2000, ge=1)  # the same for every variant, so no variant gets more training
    batch: int = Field(256, ge=2)
    lr: float = Field(0.1, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    schedule: Literal["cosine", "step"] = "cosine"  # step: x0.1 at each third, as in paper A
    # affine for digits; every variant gets the same
    augment: Literal["none", "affine", "crop_flip", "crop"] = "crop_flip"
    checkpoint_steps: int = Field(500, ge=1)
