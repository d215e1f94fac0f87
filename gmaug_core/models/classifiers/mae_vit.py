"""A vision transformer (Dosovitskiy 2021, arXiv 2010.11929; timm's) that is pre-trained as a masked
autoencoder and fine-tuned as He 2022 (arXiv 2111.06377) does.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from gmaug_core.config import MAEViTConfig
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.models.classifiers import masked, weights
from gmaug_core.models.classifiers.batches import Batches
from gmaug_core.models.classifiers.contract import Network

UNDECAYED = {"pos_embed", "cls_token", "reg_token"}


class MAEViT(Network):
    """timm's ViT, pooled by the mean over the patches. Images of another size than config.image_size are
    resampled to it.
    """

    def __init__(self, in_channels: int, classes: int, config: MAEViTConfig) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.vit = _vit(config, in_channels, classes)
        self.hidden = Hidden(self.vit.num_prefix_tokens)
        setattr(self.vit, "patch_drop", self.hidden)  # noqa: B010 - timm types it as its own dropout
        depth = len(self.vit.blocks)
        for number, block in enumerate(self.vit.blocks):
            share = config.drop_path * number / max(depth - 1, 1)
            block.drop_path1, block.drop_path2 = StochasticDepth(share), StochasticDepth(share)
        with torch.no_grad():
            self.positions.zero_()
            self.patch_positions().copy_(masked.positions(self.grid, self.vit.embed_dim))

    @property
    def grid(self) -> int:
        """Patches a side."""
        return int(self.vit.patch_embed.grid_size[0])

    @property
    def patch(self) -> int:
        """Pixels of a patch's side."""
        return int(self.vit.patch_embed.patch_size[0])

    @property
    def positions(self) -> nn.Parameter:
        """[1, prefix + grid^2, d]: the position embedding."""
        found = self.vit.pos_embed
        if found is None:
            raise TypeError("timm's ViT was built without a position embedding")
        return found

    def patch_positions(self) -> Tensor:
        """[grid^2, d]: the part of the position embedding that belongs to the patches."""
        return self.positions[0, -(self.grid**2) :]

    def sized(self, x: Tensor) -> Tensor:
        """[b, c, h, w] -> [b, c, image_size, image_size]."""
        side = self.config.image_size
        if x.shape[-2:] == (side, side):
            return x
        return F.interpolate(x, (side, side), mode="bilinear", antialias=True)

    def features(self, x: Tensor) -> Tensor:
        """[b, c, h, w] -> [b, d]: the mean over the patches, normalised."""
        return self.vit.forward_head(self.vit.forward_features(self.sized(x)), pre_logits=True)

    def encoded(self, x: Tensor, kept: Tensor) -> Tensor:
        """Images at image_size and int64 [b, k], the patches that are seen -> [b, prefix + k, d]."""
        self.hidden.kept = kept
        tokens = self.vit.forward_features(x)
        self.hidden.kept = None
        return tokens

    @property
    def last(self) -> nn.Linear:
        head = self.vit.head
        if not isinstance(head, nn.Linear):
            raise TypeError("timm's ViT was built without a head")
        return head

    @property
    def block(self) -> nn.Module:
        return self.vit.blocks[-1]

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW; a block learns layer_decay times as fast as the next one, the head fastest. One-dimensional
        parameters and tokens have no weight decay. The rate is stated for 256 images a step.
        """
        config, depth = self.config, len(self.vit.blocks)
        groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
        for name, parameter in self.vit.named_parameters():
            if parameter.requires_grad:
                decayed = parameter.ndim > 1 and name not in UNDECAYED
                groups.setdefault((_layer(name, depth), decayed), []).append(parameter)
        return torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "weight_decay": config.weight_decay if decayed else 0.0,
                    "lr_scale": config.batch / 256 * config.layer_decay ** (depth + 1 - layer),
                }
                for (layer, decayed), parameters in groups.items()
            ],
            lr=config.lr,
        )

    def randomise(self, generator: torch.Generator, size: int) -> None:
        """Which images skip which block."""
        drops = [part for part in self.modules() if isinstance(part, StochasticDepth) and part.share]
        if self.training and drops:
            draws = torch.rand(len(drops), size, generator=generator)
            for part, drawn in zip(drops, draws, strict=True):
                part.kept = (drawn >= part.share).float() / (1 - part.share)

    def preparation(self, steps: int) -> int:
        return math.ceil(self.config.pretraining * steps) if self.config.closed_set else 0

    def prepare(
        self,
        batches: Batches,
        steps: int,
        *,
        seed: int,
        folder: Path | None,
        report: Report,
        should_stop: ShouldStop,
    ) -> None:
        """Weights from elsewhere, or closed-set pre-training; done once where several trainings of a folder
        want the same.
        """
        if self.config.closed_set and not steps:
            return
        unit = masked.Unit(folder, self.config, batches, steps, seed)
        with unit.alone(should_stop):
            if unit.read(self.vit):
                return
            if self.config.closed_set:
                masked.pretrain(
                    self, batches, steps, seed=seed, unit=unit, report=report, should_stop=should_stop
                )
            else:
                weights.take(self.vit, weights.read(self.config), self.grid)
            unit.write(self.vit)

    @classmethod
    def origin(cls, config: MAEViTConfig) -> dict[str, Any]:  # type: ignore[override]
        return weights.origin(config)


class StochasticDepth(nn.Module):
    """Skips a residual branch for some images of a batch (Huang 2016, arXiv 1603.09382): those drawn by
    MAEViT.randomise, so that no global generator is asked.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.kept: Tensor | None = None  # float [b]: 0, or 1 / (1 - share)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.kept is None or not self.share:
            return x
        return x * self.kept.to(x.device, x.dtype)[:, None, None]


class Hidden(nn.Module):
    """Lets only the patches `kept` pass, int64 [b, k]; all where it is None. timm drops patches
    at this place.
    """

    def __init__(self, prefix: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.kept: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        if self.kept is None:
            return tokens
        prefix, patches = tokens[:, : self.prefix], tokens[:, self.prefix :]
        index = self.kept[:, :, None].expand(-1, -1, tokens.shape[2])
        return torch.cat([prefix, patches.gather(1, index)], dim=1)


def _layer(name: str, depth: int) -> int:
    """0: what makes the tokens; 1 ... depth: the blocks; depth + 1: what follows them."""
    first, _, rest = name.partition(".")
    if first == "blocks":
        return int(rest.partition(".")[0]) + 1
    return 0 if first in UNDECAYED | {"patch_embed"} else depth + 1


def _vit(config: MAEViTConfig, in_channels: int, classes: int) -> VisionTransformer:
    """Fresh. Raises InputError where timm has none of that name, or it is no plain ViT."""
    shape: dict[str, Any] = {"img_size": config.image_size, "in_chans": in_channels, "num_classes": classes}
    if config.patch_size:
        shape["patch_size"] = config.patch_size
    if config.model is None:
        return VisionTransformer(
            **shape, embed_dim=config.width, depth=config.depth, num_heads=config.heads, global_pool="avg"
        )
    return weights.named(config.model, shape)
