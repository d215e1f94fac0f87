"""EDM: settings, words and presets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gmaug_core.config.generators.common import (
    Batch,
    ChannelMult,
    GeneratorConfig,
    HalfLife,
    Kimg,
    Resolutions,
)
from gmaug_core.config.records import GeneratorRecord, Preset


class EDMConfig(GeneratorConfig):
    """Class-conditional U-Net with EDM preconditioning (Karras 2022) and classifier-free guidance.

    lr is Adam's, with 50 warm-up steps and linear decay over the second half.
    """

    name: Literal["edm"] = "edm"
    # 24 draws 16 px digits as well as 32 and trains 1.3 times as fast
    channels: int = Field(24, ge=8, le=512)
    channel_mult: ChannelMult = (1, 2, 2)
    blocks: int = Field(1, ge=1, le=8)  # per level
    attention_resolutions: Resolutions = (4,)  # the lowest level only: cheap there
    dropout: float = Field(0.0, ge=0, lt=1)
    kimg: Kimg = 30.0  # 60 copy the rarest classes (novelty .37 against .68)
    batch: Batch = 64
    ema_half_life_kimg: HalfLife = 5.0
    # width of a power-function average (Karras 2024) instead; .05-.15; 0: half-life
    ema_sigma_rel: float = Field(0.0, ge=0, le=0.28)
    label_drop: float = Field(0.15, ge=0, lt=1)  # share of steps without a class: what guidance needs
    p_mean: float = Field(-1.2, ge=-10, le=10)  # ln sigma ~ N(p_mean, p_std^2), Karras 2022
    p_std: float = Field(1.2, gt=0, le=10)
    cbdm_tau: float = Field(0.0, ge=0, le=100)  # class-balancing diffusion term (Qin 2023); 0: off
    augment: float = Field(0.0, ge=0, le=1)  # probability of the non-leaky augmentation (Karras 2022); 0: off
    sampler: Literal["dpm", "heun"] = "dpm"
    # 8 = 12 in agreement, variety and looks for DPM-Solver++(2M) at 16 px
    sampling_steps: int = Field(8, ge=2, le=1000)
    sigma_max: float = Field(20.0, gt=0, le=10**4)
    sigma_min: float = Field(0.02, gt=0)
    guidance: float = Field(1.5, ge=0, le=20)  # low guidance is best for training data; 1: none
    # share of the budget after which a weak model is set aside, for autoguidance in place of classifier-free
    # guidance; 0: off
    autoguidance: float = Field(0.0, ge=0, lt=1)
    # the filter's classifier steers sampling: models/generators/feedback.py
    feedback: Literal["none", "loss", "entropy"] = "none"
    feedback_scale: float = Field(1.0, ge=-100, le=100)

    @model_validator(mode="after")
    def _check(self) -> EDMConfig:
        self._check_levels(self.channel_mult)
        if self.sigma_min >= self.sigma_max:
            raise ValueError(f"sigma_min ({self.sigma_min:g}) must be below sigma_max ({self.sigma_max:g})")
        return self


ON_A_GPU = {
    "channels": 128,
    "channel_mult": (1, 2, 2, 2),
    "blocks": 2,
    "attention_resolutions": (16, 8),
    "dropout": 0.1,
    "augment": 0.15,
    "batch": 256,
    "lr": 1e-3,
    "ema_half_life_kimg": 50.0,
    "sampling_steps": 18,
    "sigma_max": 80.0,
    "sigma_min": 0.002,
    "snapshot_kimg": 250.0,
}

RECORD = GeneratorRecord(
    key="edm",
    title="EDM",
    words="**EDM** (diffusion): crisp and varied even in rare classes; slower to draw from. The better "
    "start on small data.",
    config=EDMConfig,
    implementation="gmaug_core.models.generators.edm:EDM",
    rows_apart=True,
    quick_minutes=4,
    presets={
        "quick": Preset(at={16: {"attention_resolutions": (4,)}, 32: {"attention_resolutions": (8,)}}),
        "standard": Preset({**ON_A_GPU, "kimg": 3000.0}),
        "paper": Preset({**ON_A_GPU, "kimg": 20000.0}),
    },
)
