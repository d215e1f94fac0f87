"""Frozen, validated configs and the three presets. Every default has its reason beside it.

A config is resolved once, before a run exists, and written to the run folder as it was resolved.
Unknown keys, wrong types and values out of range are refused with the key's name and the nearest known one.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gmaug_core.errors import InputError

Colour = Literal["grey", "rgb"]
Window = Literal["gaussian11", "uniform7"]
MIN_SIZE = 16  # below this the 11x11 window leaves too few positions to average


@dataclass(frozen=True)
class Profile:
    """How images are prepared and compared. Scores of different profiles are not comparable.

    Centre crop to a square, PIL bilinear (antialiased) to `size`, PIL "L" when grey; SSIM over `window`.
    Text form: paper | uniform7, then optionally -SIZE and -rgb: "paper", "uniform7", "paper-64", "paper-rgb", "paper-64-rgb".
    """

    size: int = 128  # the resolution paper A names
    colour: Colour = "grey"
    window: Window = "gaussian11"

    @classmethod
    def parse(cls, text: str) -> Profile:
        """Raises InputError naming the known forms."""
        match = re.fullmatch(r"(paper|uniform7)(?:-(\d{2,4}))?(-rgb)?", text)
        size = int(match[2] or 128) if match else 0
        if not match or not MIN_SIZE <= size <= 1024:
            raise InputError(
                f"'{text}' is not a profile",
                expected=f"paper or uniform7, optionally with a size of {MIN_SIZE} to 1024 and -rgb (paper-64, uniform7-32-rgb)",
                todo="use 'paper' to compare with the published points",
            )
        return cls(size, "rgb" if match[3] else "grey", "gaussian11" if match[1] == "paper" else "uniform7")

    @property
    def name(self) -> str:
        """The canonical text form; parse(name) gives the profile back."""
        text = "paper" if self.window == "gaussian11" else "uniform7"
        text += "" if self.size == 128 else f"-{self.size}"
        return text + ("-rgb" if self.colour == "rgb" else "")

    @property
    def images(self) -> str:
        """Which decoded image array this profile reads: see Dataset.images."""
        return image_format(self.size, self.colour)


def image_format(size: int, colour: Colour) -> str:
    """'32-rgb': the key of a decoded image array."""
    return f"{size}-{colour}"


class Config(BaseModel):
    """Base of all configs: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class SimilarityConfig(Config):
    """A similarity run: SSIM-mergeCls and SSIM-supSubCls of a dataset under a grouping."""

    kind: Literal["similarity"] = "similarity"
    dataset: str
    grouping: str = "identity"  # name of a stored grouping of the dataset
    profile: str = "paper"
    seed: int = Field(0, ge=0, lt=2**31)
    pairs: int | None = Field(
        None, ge=1, le=10**9
    )  # pairs a set; None: 2|X| as in paper A, exact when the set is small
    half_width: float | None = Field(
        None, gt=0, lt=1
    )  # sample until the 95 % interval is this narrow instead
    workers: int = Field(0, ge=0, le=1024)  # threads; 0: all cores. Never changes a number

    @model_validator(mode="after")
    def _check(self) -> SimilarityConfig:
        Profile.parse(self.profile)
        if self.pairs is not None and self.half_width is not None:
            raise ValueError("give either pairs or half_width, not both")
        return self


class EDMConfig(Config):
    """Class-conditional U-Net with EDM preconditioning (Karras 2022) and classifier-free guidance."""

    name: Literal["edm"] = "edm"
    resolution: int = Field(16, ge=8, le=256)
    colour: Colour = "grey"
    channels: int = Field(
        24, ge=8, le=512
    )  # 24 draws 16 px digits as well as 32 and trains 1.3 times as fast
    channel_mult: tuple[int, ...] = (1, 2, 2)
    blocks: int = Field(1, ge=1, le=8)  # per level
    attention_resolutions: tuple[int, ...] = (4,)  # the lowest level only: cheap there
    dropout: float = Field(0.0, ge=0, lt=1)
    kimg: float = Field(
        30.0, gt=0, le=10**6
    )  # budget in thousand images; 60 copy the rarest classes (novelty .37 against .68)
    minutes: float | None = Field(
        None, gt=0, le=10**7
    )  # a budget of time instead: becomes kimg at launch, by measured speed
    batch: int = Field(64, ge=2, le=8192)
    lr: float = Field(2e-3, gt=0, le=1)  # Adam, 50 warm-up steps, linear decay over the second half
    ema_half_life_kimg: float = Field(5.0, gt=0)
    ema_sigma_rel: float = Field(
        0.0, ge=0, le=0.28
    )  # width of a power-function average (Karras 2024) instead; .05-.15; 0: half-life
    label_drop: float = Field(0.15, ge=0, lt=1)  # share of steps without a class: what guidance needs
    p_mean: float = -1.2  # ln sigma ~ N(p_mean, p_std^2), Karras 2022
    p_std: float = Field(1.2, gt=0)
    class_power: float = Field(0.5, ge=0, le=1)  # classes are drawn ~ n^power: 1 natural, 0 balanced
    cbdm_tau: float = Field(0.0, ge=0)  # class-balancing diffusion term (Qin 2023); 0: off
    augment: float = Field(0.0, ge=0, le=1)  # probability of the non-leaky augmentation (Karras 2022); 0: off
    mirror: bool = False  # horizontal flips; wrong for digits and text
    sampler: Literal["dpm", "heun"] = "dpm"
    sampling_steps: int = Field(
        8, ge=2, le=1000
    )  # 8 = 12 in agreement, variety and looks for DPM-Solver++(2M) at 16 px
    sigma_max: float = Field(20.0, gt=0)
    sigma_min: float = Field(0.02, gt=0)
    guidance: float = Field(1.5, ge=0, le=20)  # low guidance is best for training data; 1: none
    # share of the budget after which a weak model is set aside, for autoguidance in place of classifier-free guidance; 0: off
    autoguidance: float = Field(0.0, ge=0, lt=1)
    feedback: Literal["none", "loss", "entropy"] = (
        "none"  # the filter's classifier steers sampling: generators/feedback.py
    )
    feedback_scale: float = Field(1.0, ge=-100, le=100)
    snapshot_kimg: float = Field(10.0, gt=0)  # checkpoint and sample grid interval


class StyleGAN2Config(Config):
    """StyleGAN2 conditional GAN with transitional training (Shahbazi 2022, arXiv 2201.06578)."""

    name: Literal["stylegan2"] = "stylegan2"
    resolution: int = Field(16, ge=8, le=256)  # a power of two
    colour: Colour = "grey"
    channel_base: int = Field(512, ge=64)  # channels(res) = min(channel_base // res, channel_max)
    channel_max: int = Field(64, ge=8, le=1024)
    z_dim: int = Field(64, ge=8, le=1024)
    w_dim: int = Field(64, ge=8, le=1024)
    mapping_layers: int = Field(2, ge=1, le=16)
    kimg: float = Field(
        60.0, gt=0, le=10**6
    )  # a minute and a half on two cores; batches of 32 agree more often than of 64
    minutes: float | None = Field(
        None, gt=0, le=10**7
    )  # a budget of time instead: becomes kimg at launch, by measured speed
    batch: int = Field(32, ge=2, le=8192)
    lr: float = Field(2e-3, gt=0, le=1)
    beta2: float = Field(0.99, gt=0, lt=1)
    r1_gamma: float = Field(0.3, ge=0)
    r1_interval: int = Field(8, ge=1)  # lazy: every this many steps, weighted accordingly
    path_length_weight: float = Field(0.0, ge=0)  # 2 in the paper preset
    path_length_interval: int = Field(4, ge=1)
    style_mixing: float = Field(0.0, ge=0, le=1)  # .9 in the paper preset
    ema_half_life_kimg: float = Field(4.0, gt=0)
    transition_start: float = Field(0.1, ge=0, le=1)  # share of the budget at which lambda leaves 0
    transition_end: float = Field(0.4, ge=0, le=1)  # share at which lambda reaches 1
    augment: Literal["none", "diffaugment", "ada"] = "diffaugment"
    ada_target: float = Field(0.6, gt=0, lt=1)  # sign statistic of the unconditional logit
    loss: Literal["nonsaturating", "rpgan"] = (
        "nonsaturating"  # rpgan: relativistic pairs with R1 and R2 (R3GAN, Huang 2024)
    )
    noisy_twins: float = Field(0.0, ge=0)  # weight of NoisyTwins (Rangwani 2023); 0: off, .01 in the paper
    twins_sigma: float = Field(
        0.75, ge=0
    )  # noise on a class embedding of unit size, over the effective number of its images
    twins_alpha: float = Field(0.99, ge=0, lt=1)  # of the effective number
    twins_gamma: float = Field(0.05, ge=0)  # weight of the correlations between different components of w
    low_resolution: int = Field(
        0, ge=0, le=128
    )  # UTLO (Khorram 2024): up to here no layer knows the class; 0: off, 8 in the paper
    low_weight: float = Field(1.0, ge=0)  # of the unconditional loss on low-resolution images
    class_power: float = Field(0.5, ge=0, le=1)
    mirror: bool = False
    truncation: float = Field(1.0, gt=0, le=1)  # .7 lifts agreement and costs coverage
    snapshot_kimg: float = Field(10.0, gt=0)
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


class GuidedDiffusionConfig(Config):
    """ADM U-Net with classifier guidance (Dhariwal & Nichol 2021, arXiv 2105.05233)."""

    name: Literal["guided_diffusion"] = "guided_diffusion"
    resolution: int = Field(16, ge=8, le=256)
    colour: Colour = "grey"
    channels: int = Field(24, ge=8, le=512, multiple_of=2)
    channel_mult: tuple[int, ...] = (1, 2, 2)
    blocks: int = Field(1, ge=1, le=8)  # per level
    attention_resolutions: tuple[int, ...] = (4,)
    heads: int = Field(0, ge=0, le=64)  # of attention; 0: one every 64 channels
    dropout: float = Field(0.0, ge=0, lt=1)
    class_conditional: bool = True  # the U-Net knows the class as well; False: guidance alone makes it
    learn_sigma: bool = False  # the hybrid loss of Nichol 2021; DDIM does not use the variance
    schedule: Literal["linear", "cosine"] = (
        "cosine"  # linear destroys small images in too few steps (Nichol 2021)
    )
    diffusion_steps: int = Field(1000, ge=2, le=10000)
    kimg: float = Field(40.0, gt=0, le=10**6)
    minutes: float | None = Field(
        None, gt=0, le=10**7
    )  # a budget of time instead: becomes kimg at launch, by measured speed
    batch: int = Field(64, ge=2, le=8192)
    lr: float = Field(2e-3, gt=0, le=1)  # 1e-4 in the paper, for networks a thousand times as large
    ema_half_life_kimg: float = Field(5.0, gt=0)
    classifier_channels: int = Field(
        16, ge=8, le=512, multiple_of=2
    )  # the noisy classifier has the U-Net's levels
    classifier_blocks: int = Field(1, ge=1, le=8)
    classifier_lr: float = Field(1e-3, gt=0, le=1)  # AdamW; 3e-4 in the paper
    classifier_weight_decay: float = Field(0.05, ge=0, lt=1)
    class_power: float = Field(0.5, ge=0, le=1)  # classes are drawn ~ n^power: 1 natural, 0 balanced
    mirror: bool = False
    sampler: Literal["ancestral", "ddim"] = "ddim"  # DDIM needs a tenth of the steps
    sampling_steps: int = Field(25, ge=2, le=10000)
    guidance: float = Field(1.0, ge=0, le=100)  # scale of grad log p(y | x_t); 0: no classifier is trained
    feedback: Literal["none", "loss", "entropy"] = (
        "none"  # the filter's classifier steers sampling: generators/feedback.py
    )
    feedback_scale: float = Field(1.0, ge=-100, le=100)
    snapshot_kimg: float = Field(10.0, gt=0)
    pretrained: str | None = (
        None  # your own copy of a published ImageNet checkpoint (64 or 128 px): samples are then open-set
    )
    pretrained_classifier: str | None = None  # and of its noisy classifier

    @field_validator("pretrained", "pretrained_classifier")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        return str(Path(path).expanduser().absolute()) if path else None  # a run works in another folder

    @model_validator(mode="after")
    def _check(self) -> GuidedDiffusionConfig:
        if self.resolution % (1 << (len(self.channel_mult) - 1)):
            raise ValueError(
                f"resolution {self.resolution} cannot be halved {len(self.channel_mult) - 1} times"
            )
        if self.sampling_steps > self.diffusion_steps:
            raise ValueError("sampling_steps must not be more than diffusion_steps")
        if self.pretrained_classifier and not self.guidance:
            raise ValueError("pretrained_classifier needs a guidance above 0")
        return self


GeneratorConfig = Annotated[EDMConfig | GuidedDiffusionConfig | StyleGAN2Config, Field(discriminator="name")]
GENERATORS = ("edm", "guided_diffusion", "stylegan2")


class ClassifierConfig(Config):
    """The classifier that is measured and, trained on real images alone, judges the synthetic ones."""

    name: Literal["resnet18"] = "resnet18"
    width: int = Field(64, ge=4, le=256)  # channels of the first stage; 64 is ResNet18
    stem: Literal["imagenet", "small"] = "imagenet"  # small: 3x3 stride 1 without pooling, for <= 64 px
    blocks: tuple[int, ...] = (2, 2, 2, 2)  # residual blocks a stage; (2, 2, 2, 2) is ResNet18
    steps: int = Field(2000, ge=1)  # SGD steps: the same for every variant, so no variant gets more training
    batch: int = Field(256, ge=2)
    lr: float = Field(0.1, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(1e-4, ge=0)
    schedule: Literal["cosine", "step"] = "cosine"  # step: x0.1 at each third, as in paper A
    augment: Literal["none", "affine", "crop_flip", "crop"] = (
        "crop_flip"  # affine for digits; every variant gets the same
    )
    checkpoint_steps: int = Field(500, ge=1)


class SelectionConfig(Config):
    """The acceptance rule of GM-augCls."""

    mode: Literal["logit", "probability", "quantile"] = "logit"
    threshold: float = Field(10.0, ge=-1000, le=1000)  # alpha; a raw logit in paper A (10-30 for ResNet18)


class AugmentationConfig(Config):
    """GM-augCls from end to end: split, baseline, generate, select, retrain, compare."""

    kind: Literal["augmentation"] = "augmentation"
    dataset: str
    grouping: str = "identity"  # for the predicted gain only
    preset: str = "quick"
    seed: int = Field(0, ge=0, lt=2**31)  # first seed; split and generator use it
    seeds: int = Field(3, ge=1, le=100)  # classifier seeds: one seed moves a result by -6 to +4 points
    generator: GeneratorConfig
    classifier: ClassifierConfig
    selection: SelectionConfig
    target: int | None = Field(
        None, ge=1
    )  # real + synthetic images a class; None: as many as the largest class has
    max_steps: int = Field(2, ge=1, le=10)  # select-and-retrain steps; paper A needed at most 2
    tolerance: float = Field(
        0.0, ge=0, lt=1
    )  # epsilon: validation accuracy must rise by more than this to go on
    mix: float = Field(
        0.25, gt=0, lt=1
    )  # share of a filled class's draws that are synthetic, in the mix variant
    use: tuple[Literal["fill", "mix"], ...] = (
        "fill",
        "mix",
    )  # how accepted images enter training; chosen on validation
    draw_budget: float = Field(
        5.0, ge=1
    )  # at most this many draws for every image wanted, per class and step
    sampling_batch: int = Field(250, ge=1)
    inception: str | None = None  # a person's own Inception weights file: the result then has a true FID
    device: str = "auto"  # auto | cpu | cuda | cuda:0 ...

    @field_validator("inception")
    @classmethod
    def _absolute(cls, path: str | None) -> str | None:
        return str(Path(path).expanduser().absolute()) if path else None


RunConfig = SimilarityConfig | AugmentationConfig
_Model = TypeVar("_Model", bound=BaseModel)


def validate(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    """Build a config. Raises InputError that names every wrong key, its value and the nearest known key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_explain(model, item) for item in error.errors()]
        raise InputError(
            "; ".join(problems[:5]),
            expected=f"valid {model.__name__} settings",
            todo="correct the settings named here; nothing was started",
        ) from error


def _explain(model: type[BaseModel], item: Any) -> str:
    path = [str(part) for part in item["loc"]]
    name = ".".join(part for part in path if part not in GENERATORS or part == path[-1])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], _known_keys(model), n=1)
        return f"unknown setting '{name}'" + (f" (did you mean '{near[0]}'?)" if near else "")
    if item["type"] == "missing":
        return f"setting '{name}' is missing"
    return f"setting '{name}': {item['msg'].removeprefix('Value error, ')} (given: {str(item['input'])[:80]})"


def _known_keys(model: type[BaseModel]) -> set[str]:
    keys = set(model.model_fields)
    for nested in (EDMConfig, GuidedDiffusionConfig, StyleGAN2Config, ClassifierConfig, SelectionConfig):
        keys |= set(nested.model_fields)
    return keys


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """['generator.kimg=5', 'seeds=1'] -> {'generator': {'kimg': 5}, 'seeds': 1}. Values are JSON where they parse as JSON."""
    nested: dict[str, Any] = {}
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key:
            raise InputError(f"'{text}' is not a setting", expected="KEY=VALUE, for example generator.kimg=5")
        try:
            value = json.loads(raw)
        except json.JSONDecodeError:
            value = raw
        place = nested
        *parents, leaf = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise InputError(
                    f"'{text}' sets a part of a setting that already has a value",
                    expected="one value a setting",
                )
        place[leaf] = value
    return nested
