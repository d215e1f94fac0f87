"""The settings that every classifier has: how it is trained, and for how long."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from gmaug_core.config.base import Config

Precision = Literal["float32", "bfloat16"]


class ClassifierConfig(Config):
    """The classifier that is measured and, trained on real images alone, judges the synthetic ones."""

    name: str
    # passes over the real training images: a budget that grows with them, so that 500 images and 50,000 are
    # learned equally well
    epochs: float = Field(100.0, gt=0, le=10**5)
    least_steps: int = Field(1, ge=1, le=10**8)  # a few images need more passes
    most_steps: int = Field(10**6, ge=1, le=10**8)  # a ceiling of time
    steps: int | None = Field(None, ge=1, le=10**8)  # exactly so many instead
    batch: int = Field(256, ge=2, le=8192)
    lr: float = Field(0.1, gt=0, le=5)  # at 3 some trainings diverge, at 10 all did
    weight_decay: float = Field(1e-4, ge=0, le=10)
    schedule: Literal["cosine", "step"] = "cosine"  # step: x0.1 at each third, as in paper A
    warmup: float = Field(0.0, ge=0, lt=1)  # share of the training in which the learning rate rises from 0
    # affine for digits; every variant gets the same
    augment: Literal["none", "affine", "crop_flip", "crop", "wide_crop_flip", "wide_crop"] = "crop_flip"
    # what is done to every image beside that (models/classifiers/strong.py); a recipe's own augmentation
    # stands in the place of its like
    rand_augment: bool = False  # two operations an image, 9 of 30 strong (Cubuk 2020)
    erase: float = Field(0.0, ge=0, le=1)  # share of the images in which a box becomes noise (Zhong 2020)
    mixup: float = Field(0.0, ge=0, le=100)  # alpha of its Beta; 0: none (Zhang 2018)
    cutmix: float = Field(0.0, ge=0, le=100)  # the same; with both, half of the batches each (Yun 2019)
    smoothing: float = Field(0.0, ge=0, lt=1)  # share of every label that all classes get
    # the weights that are kept are an average over about this share of the training (EMA); 0: the last ones
    averaging: float = Field(0.0, ge=0, le=1)
    # of the training alone. auto: bfloat16 where the device has it itself, made concrete at launch, so that a
    # resumed run goes on as it began; float32 where nobody launched
    precision: Literal["auto", Precision] = "auto"
    checkpoint_steps: int = Field(500, ge=1, le=10**8)

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> Self:
        if self.least_steps > self.most_steps:
            raise ValueError(f"least_steps ({self.least_steps}) is more than most_steps ({self.most_steps})")
        return self

    def steps_for(self, n: int) -> int:
        """Steps of a training where there are `n` real training images; every variant of a run gets the same,
        however many images it has, so that none gets more training than another.
        """
        if self.steps is not None:
            return self.steps
        wanted = math.ceil(self.epochs * n / self.batch)
        return min(max(wanted, self.least_steps), self.most_steps)

    def files(self) -> dict[str, Path]:
        """The files of this machine that training starts from, by the setting that names them."""
        return {}

    @property
    def closed_set(self) -> bool:
        """Whether it learns from the run's own training images alone."""
        return True

    @property
    def budget(self) -> str:
        """How long a training is, in words: what is known before the images are counted."""
        if self.steps is not None:
            return f"{self.steps:,} steps"
        return f"{self.epochs:g} epochs ({self.least_steps:,} to {self.most_steps:,} steps)"
