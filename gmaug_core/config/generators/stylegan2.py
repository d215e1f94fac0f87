"""StyleGAN2: settings, words and presets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gmaug_core.config.generators.common import Batch, GeneratorConfig, HalfLife, Kimg
from gmaug_core.config.records import GeneratorRecord, Preset


class StyleGAN2Config(GeneratorConfig):
    """StyleGAN2 conditional GAN with transitional training (Shahbazi 2022, arXiv 2201.06578).

    The resolution is a power of two.
    """

    name: Literal["stylegan2"] = "stylegan2"
    channel_base: int = Field(512, ge=64, le=10**6)  # channels(res) = min(channel_base // res, channel_max)
    channel_max: int = Field(64, ge=8, le=1024)
    z_dim: int = Field(64, ge=8, le=1024)
    w_dim: int = Field(64, ge=8, le=1024)
    mapping_layers: int = Field(2, ge=1, le=16)
    kimg: Kimg = 60.0  # a minute and a half on two cores
    batch: Batch = 32  # batches of 32 agree more often than of 64
    beta2: float = Field(0.99, gt=0, lt=1)
    r1_gamma: float = Field(0.3, ge=0, le=10**4)
    r1_interval: int = Field(8, ge=1, le=10**4)  # lazy: every this many steps, weighted accordingly
    path_length_weight: float = Field(0.0, ge=0, le=10**4)  # 2 in the paper preset
    path_length_interval: int = Field(4, ge=1, le=10**4)
    style_mixing: float = Field(0.0, ge=0, le=1)  # .9 in the paper preset
    ema_half_life_kimg: HalfLife = 4.0
    transition_start: float = Field(0.1, ge=0, le=1)  # share of the budget at which lambda leaves 0
    transition_end: float = Field(0.4, ge=0, le=1)  # share at which lambda reaches 1
    augment: Literal["none", "diffaugment", "ada"] = "diffaugment"
    ada_target: float = Field(0.6, gt=0, lt=1)  # sign statistic of the unconditional logit
    # rpgan: relativistic pairs with R1 and R2 (R3GAN, Huang 2024)
    loss: Literal["nonsaturating", "rpgan"] = "nonsaturating"
    noisy_twins: float = Field(
        0.0, ge=0, le=100
    )  # weight of NoisyTwins (Rangwani 2023); 0: off, .01 in the paper
    # noise on a class embedding of unit size, over the effective number of its images
    twins_sigma: float = Field(0.75, ge=0, le=100)
    twins_alpha: float = Field(0.99, ge=0, lt=1)  # of the effective number
    twins_gamma: float = Field(
        0.05, ge=0, le=100
    )  # weight of the correlations between different components of w
    # UTLO (Khorram 2024): up to here no layer knows the class; 0: off, 8 in the paper
    low_resolution: int = Field(0, ge=0, le=128)
    low_weight: float = Field(1.0, ge=0, le=100)  # of the unconditional loss on low-resolution images
    truncation: float = Field(1.0, gt=0, le=1)  # .7 lifts agreement and costs coverage
    compile: bool = False  # by torch.compile, which takes a minute first: for a GPU; on a CPU it is slower

    @model_validator(mode="after")
    def _check(self) -> StyleGAN2Config:
        if self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution {self.resolution} is not a power of two")
        if self.transition_end <= self.transition_start:
            raise ValueError("transition_end must be greater than transition_start")
        low = self.low_resolution
        if low and (low < 4 or low & (low - 1) or low >= self.resolution):
            raise ValueError(f"low_resolution {low} is not a power of two from 4 to below {self.resolution}")
        return self


ON_A_GPU = {
    "channel_base": 16384,
    "channel_max": 512,
    "z_dim": 512,
    "w_dim": 512,
    "batch": 32,
    "lr": 2.5e-3,
    "r1_interval": 16,
    "path_length_weight": 2.0,
    "style_mixing": 0.9,
    "ema_half_life_kimg": 10.0,
    "class_power": 1.0,
    "augment": "ada",
    "snapshot_kimg": 200.0,
}
# the heuristic of Karras 2020: .0002 resolution^2 / batch
R1_GAMMA = {
    16: {"r1_gamma": 0.0016},
    32: {"r1_gamma": 0.0064},
    64: {"r1_gamma": 0.0256},
    128: {"r1_gamma": 0.1024},
}

RECORD = GeneratorRecord(
    key="stylegan2",
    title="StyleGAN2",
    words="**StyleGAN2** (transitional GAN): the paper's generator; fast to draw from, little variety in "
    "the rarest classes.",
    config=StyleGAN2Config,
    implementation="gmaug_core.models.generators.stylegan2:StyleGAN2",
    quick_minutes=4,
    presets={
        "quick": Preset(),
        "standard": Preset(
            {**ON_A_GPU, "mapping_layers": 2, "kimg": 2000.0, "transition_start": 0.3, "transition_end": 0.6},
            at=R1_GAMMA,
        ),
        "paper": Preset(  # the transition lasts from 2000 to 4000 kimg
            {**ON_A_GPU, "mapping_layers": 8, "kimg": 1e4, "transition_start": 0.2, "transition_end": 0.4},
            at=R1_GAMMA,
        ),
    },
)
