"""Guided diffusion: settings, words and presets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from gmaug_core.config.base import absolute
from gmaug_core.config.generators.common import (
    Batch,
    ChannelMult,
    GeneratorConfig,
    HalfLife,
    Kimg,
    Resolutions,
)
from gmaug_core.config.records import GeneratorRecord, Preset


class GuidedDiffusionConfig(GeneratorConfig):
    """ADM U-Net with classifier guidance (Dhariwal & Nichol 2021, arXiv 2105.05233).

    lr is 1e-4 in the paper, for networks a thousand times as large.
    """

    name: Literal["guided_diffusion"] = "guided_diffusion"
    channels: int = Field(24, ge=8, le=512, multiple_of=2)
    channel_mult: ChannelMult = (1, 2, 2)
    blocks: int = Field(1, ge=1, le=8)  # per level
    attention_resolutions: Resolutions = (4,)
    heads: int = Field(0, ge=0, le=64)  # of attention; 0: one every 64 channels
    dropout: float = Field(0.0, ge=0, lt=1)
    class_conditional: bool = True  # the U-Net knows the class as well; False: guidance alone makes it
    learn_sigma: bool = False  # the hybrid loss of Nichol 2021; DDIM does not use the variance
    # linear destroys small images in too few steps (Nichol 2021)
    schedule: Literal["linear", "cosine"] = "cosine"
    diffusion_steps: int = Field(1000, ge=2, le=10000)
    kimg: Kimg = 40.0
    batch: Batch = 64
    ema_half_life_kimg: HalfLife = 5.0
    # the noisy classifier has the U-Net's levels
    classifier_channels: int = Field(16, ge=8, le=512, multiple_of=2)
    classifier_blocks: int = Field(1, ge=1, le=8)
    classifier_lr: float = Field(1e-3, gt=0, le=0.5)  # AdamW; 3e-4 in the paper
    classifier_weight_decay: float = Field(0.05, ge=0, lt=1)
    sampler: Literal["ancestral", "ddim"] = "ddim"  # DDIM needs a tenth of the steps
    sampling_steps: int = Field(25, ge=2, le=10000)
    guidance: float = Field(1.0, ge=0, le=100)  # scale of grad log p(y | x_t); 0: no classifier is trained
    # the filter's classifier steers sampling: models/generators/feedback.py
    feedback: Literal["none", "loss", "entropy"] = "none"
    feedback_scale: float = Field(1.0, ge=-100, le=100)
    # your own copy of a published ImageNet checkpoint (64 or 128 px): samples are then open-set
    pretrained: str | None = None
    pretrained_classifier: str | None = None  # and of its noisy classifier

    _absolute = field_validator("pretrained", "pretrained_classifier")(absolute)

    @model_validator(mode="after")
    def _check(self) -> GuidedDiffusionConfig:
        self._check_levels(self.channel_mult)
        if self.sampling_steps > self.diffusion_steps:
            raise ValueError("sampling_steps must not be more than diffusion_steps")
        if self.pretrained_classifier and not self.guidance:
            raise ValueError("pretrained_classifier needs a guidance above 0")
        return self

    def files(self) -> dict[str, Path]:
        named = {"pretrained": self.pretrained, "pretrained_classifier": self.pretrained_classifier}
        return {name: Path(path) for name, path in named.items() if path}


ON_A_GPU = {"learn_sigma": True, "lr": 1e-4, "classifier_lr": 3e-4, "snapshot_kimg": 200.0}

PUBLISHED_64 = {
    "channels": 192,
    "channel_mult": (1, 2, 3, 4),
    "blocks": 3,
    "dropout": 0.1,
    "classifier_blocks": 4,
}
PUBLISHED_128 = {
    "channels": 256,
    "channel_mult": (1, 1, 2, 3, 4),
    "blocks": 2,
    "heads": 4,
    "schedule": "linear",
    "guidance": 0.5,
    "classifier_blocks": 2,
}
# the published networks, trained as paper A fine-tuned them: 100k iterations; the average's decay is .9999 a
# step
PUBLISHED = Preset(
    {
        **ON_A_GPU,
        "attention_resolutions": (32, 16, 8),
        "classifier_channels": 128,
        "kimg": 3200.0,
        "batch": 32,
        "ema_half_life_kimg": 222.0,
        "sampler": "ancestral",
        "sampling_steps": 250,
    },
    at={16: PUBLISHED_64, 32: PUBLISHED_64, 64: PUBLISHED_64, 128: PUBLISHED_128},
)

RECORD = GeneratorRecord(
    key="guided_diffusion",
    title="Guided diffusion",
    words="**Guided diffusion** (ADM): the paper's second generator, steered by a classifier of noisy "
    "images; "
    "slow to draw from. Can start from your own copy of a published ImageNet "
    "checkpoint (`generator.pretrained=FILE`): samples are then open-set.",
    config=GuidedDiffusionConfig,
    implementation="gmaug_core.models.generators.guided_diffusion:GuidedDiffusion",
    rows_apart=True,
    quick_minutes=6,
    presets={
        "quick": Preset(at={16: {"attention_resolutions": (4,)}, 32: {"attention_resolutions": (8,)}}),
        "standard": Preset(  # a network that a GPU trains in hours
            {
                **ON_A_GPU,
                "channels": 128,
                "channel_mult": (1, 2, 2, 2),
                "blocks": 2,
                "attention_resolutions": (16, 8),
                "dropout": 0.1,
                "classifier_channels": 64,
                "kimg": 3000.0,
                "batch": 128,
                "ema_half_life_kimg": 50.0,
                "sampling_steps": 50,
            }
        ),
        "paper": PUBLISHED,
    },
    from_checkpoint={"standard": PUBLISHED},
)
