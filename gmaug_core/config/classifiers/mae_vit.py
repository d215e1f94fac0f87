"""MAE ViT: settings, words and presets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from gmaug_core.config.base import absolute
from gmaug_core.config.classifiers.common import ClassifierConfig
from gmaug_core.config.records import Preset, Record


class MAEViTConfig(ClassifierConfig):
    """A vision transformer, pre-trained as a masked autoencoder on the training images and then fine-tuned
    (He 2022, arXiv 2111.06377), by AdamW.
    """

    name: Literal["mae_vit"] = "mae_vit"
    # timm's ViT of that name; none: one of these sizes
    model: str | None = None
    width: int = Field(192, ge=16, le=2048)  # of a token; 192, 12 blocks and 3 heads are timm's vit_tiny
    depth: int = Field(12, ge=1, le=64)
    heads: int = Field(3, ge=1, le=32)
    image_size: int = Field(
        32, ge=16, le=512
    )  # pixels that it looks at; images of another size are resampled
    # pixels; none: as the name says, else an eighth of the image's side, at most 16: 64 patches up to 128 px
    patch: int | None = Field(None, ge=1, le=64)
    # your own file of weights, a state dict of this network (.safetensors or .pth): it is then open-set
    pretrained: str | None = None
    download: bool = False  # or timm's own weights of `model`, from the network: open-set as well
    # closed-set pre-training without either: so many steps for each step of the training; 0: none
    pretraining: float = Field(1.0, ge=0, le=100)
    masked: float = Field(0.75, gt=0, lt=1)  # share of the patches that is hidden
    decoder_width: int = Field(96, ge=16, le=1024, multiple_of=16)
    decoder_depth: int = Field(1, ge=1, le=16)
    pretraining_lr: float = Field(1.5e-3, gt=0, le=10)  # He 2022: 1.5e-4 at 256 images a step, for ViT-L
    lr: float = Field(1e-3, gt=0, le=10)  # at 256 images a step; He 2022's
    batch: int = Field(128, ge=2, le=8192)
    weight_decay: float = Field(0.05, ge=0, le=10)
    layer_decay: float = Field(0.75, gt=0, le=1)  # a block learns so much slower than the next one
    drop_path: float = Field(0.1, ge=0, lt=1)  # of the last block; those before get less, evenly
    warmup: float = Field(0.1, ge=0, lt=1)
    rand_augment: bool = True
    erase: float = Field(0.25, ge=0, le=1)
    mixup: float = Field(0.8, ge=0, le=100)
    cutmix: float = Field(1.0, ge=0, le=100)
    smoothing: float = Field(0.1, ge=0, lt=1)

    _absolute = field_validator("pretrained")(absolute)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.heads or self.width % 4:
            raise ValueError(f"width {self.width} is not a multiple of 4 and of heads ({self.heads})")
        if self.patch_size and self.image_size % self.patch_size:
            raise ValueError(f"image_size {self.image_size} is not a multiple of patch ({self.patch_size})")
        if self.download and not self.model:
            raise ValueError("download needs the name of timm's network: set model")
        if self.download and self.pretrained:
            raise ValueError("download and pretrained are two sources of weights: choose one")
        return self

    @property
    def patch_size(self) -> int | None:
        """Pixels of a patch's side; None: timm knows it by the network's name."""
        return self.patch or (None if self.model else min(16, self.image_size // 8))

    @property
    def closed_set(self) -> bool:
        return not (self.pretrained or self.download)

    def files(self) -> dict[str, Path]:
        return {"pretrained": Path(self.pretrained)} if self.pretrained else {}


SIZES = {side: {"image_size": side} for side in (16, 32, 64, 128)}

RECORD = Record(
    key="mae_vit",
    title="MAE ViT",
    words="**MAE ViT**: the paper's second classifier, a vision transformer that first learns to fill in "
    "hidden parts of the training images. Slower than ResNet18, and weaker on few images. Can start from "
    "your own weights (`classifier.pretrained=FILE`) or timm's (`classifier.model=NAME`, "
    "`classifier.download=true`): accuracies and accepted samples are then open-set.",
    config=MAEViTConfig,
    implementation="gmaug_core.models.classifiers.mae_vit:MAEViT",
    presets={
        # measured: docs/classifiers.md
        "quick": Preset(
            {
                "width": 96,
                "depth": 4,
                "heads": 3,
                "decoder_width": 48,
                "epochs": 40,
                "least_steps": 600,
                "most_steps": 4000,
                "batch": 64,
            },
            at=SIZES,
            mirrored={"augment": "crop_flip"},
            upright={"augment": "affine"},
        ),
        "standard": Preset(
            {"epochs": 100, "least_steps": 3000, "most_steps": 40_000},
            at=SIZES,
            mirrored={"augment": "crop_flip"},
            upright={"augment": "crop"},
        ),
        # paper A's: ViT-H, 50 epochs, drop path .2 (its weights had been pre-trained on ImageNet)
        "paper": Preset(
            {
                "model": "vit_huge_patch14_224",
                "image_size": 224,
                "patch": 14,
                "epochs": 50,
                "batch": 256,
                "drop_path": 0.2,
                "decoder_width": 512,
                "decoder_depth": 8,
                "pretraining": 8,
                "pretraining_lr": 1.5e-4,
            },
            mirrored={"augment": "wide_crop_flip"},
            upright={"augment": "wide_crop"},
        ),
    },
)
