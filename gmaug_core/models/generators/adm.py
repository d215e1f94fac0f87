"""ADM: the U-Net and the noisy classifier of guided diffusion (Dhariwal & Nichol 2021, arXiv 2105.05233), and
the way in for checkpoints with the published parameter names.

The tree of modules follows the published one (one list a layer, a residual block and maybe attention in it),
so that a checkpoint is converted by renaming. Of the published variants, the one of all ImageNet checkpoints:
scale-shift norm, and residual blocks that resample.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmaug_core.config import GuidedDiffusionConfig
from gmaug_core.errors import InputError
from gmaug_core.models.generators.layers import Attention, groups, zero

# published name -> ours, a pattern a part of the name
NAMES = {
    r"^time_embed\.": "time.",
    r"^label_emb\.": "from_class.",
    r"^input_blocks\.": "down.",
    r"^middle_block\.": "middle.",
    r"^output_blocks\.": "up.",
    r"^out\.0\.": "last.0.",
    r"^out\.2\.positional_embedding$": "last.2.place",
    r"^out\.2\.qkv_proj\.": "last.2.qkv.",
    r"^out\.2\.c_proj\.": "last.2.out.",
    r"^out\.2\.": "last.2.",
    r"\.in_layers\.0\.": ".norm0.",
    r"\.in_layers\.2\.": ".conv0.",
    r"\.emb_layers\.1\.": ".modulation.",
    r"\.out_layers\.0\.": ".norm1.",
    r"\.out_layers\.3\.": ".conv1.",
    r"\.skip_connection\.": ".skip.",
    r"\.proj_out\.": ".out.",
}
SPLIT_QKV_RESOLUTION = (
    64  # of the published diffusion models, the one at 64 px alone has all q rows first, then k, then v
)


class ResBlock(nn.Module):
    """Two convolutions with a residual connection; the embedding [b, e] scales and shifts between them.
    resample: 2 doubles the side, 0.5 halves it, both before the first convolution.
    """

    def __init__(
        self, c_in: int, c_out: int, embedding: int, *, dropout: float = 0.0, resample: float = 1.0
    ) -> None:
        super().__init__()
        self.norm0 = nn.GroupNorm(groups(c_in), c_in)
        self.conv0 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * c_out)
        self.norm1 = nn.GroupNorm(groups(c_out), c_out)
        self.conv1 = zero(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.dropout, self.resample = dropout, resample

    def _resampled(self, x: Tensor) -> Tensor:
        if self.resample > 1:
            return F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.avg_pool2d(x, 2) if self.resample < 1 else x

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.conv0(self._resampled(F.silu(self.norm0(x))))
        scale, shift = self.modulation(F.silu(embedding))[:, :, None, None].chunk(2, 1)
        h = F.silu(torch.addcmul(shift, self.norm1(h), 1 + scale))
        h = self.conv1(F.dropout(h, self.dropout, self.training))
        return self.skip(self._resampled(x)) + h


def time_embedding(steps: Tensor, size: int) -> Tensor:
    """[b] -> [b, size]: cosines, then sines, of the step at frequencies from 1 down to 1/10000; size even."""
    frequencies = torch.exp(torch.arange(size // 2, device=steps.device) * (-math.log(10000) / (size // 2)))
    phase = steps.float()[:, None] * frequencies
    return torch.cat([phase.cos(), phase.sin()], 1)


def _run(layers: nn.Module, x: Tensor, embedding: Tensor) -> Tensor:
    for layer in cast(nn.ModuleList, layers):
        x = layer(x, embedding) if isinstance(layer, ResBlock) else layer(x)
    return x


class Encoder(nn.Module):
    """What U-Net and classifier share: the embedding of time, the way down, the middle. `widths`: channels of
    each skip connection.
    """

    def __init__(
        self,
        config: GuidedDiffusionConfig,
        channels: int,
        *,
        base: int,
        blocks: int,
        heads: int | None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.base, self.embedding, self.heads, self.dropout = base, 4 * base, heads, dropout
        self.attended = config.attention_resolutions
        self.time = nn.Sequential(
            nn.Linear(base, self.embedding), nn.SiLU(), nn.Linear(self.embedding, self.embedding)
        )
        c, side = base * config.channel_mult[0], config.resolution
        self.down = nn.ModuleList([nn.ModuleList([nn.Conv2d(channels, c, 3, padding=1)])])
        self.widths = [c]
        for level, multiple in enumerate(config.channel_mult):
            for _ in range(blocks):
                self.down.append(self.layers(c, base * multiple, side))
                c = base * multiple
                self.widths.append(c)
            if level < len(config.channel_mult) - 1:
                self.down.append(nn.ModuleList([self.block(c, c, resample=0.5)]))
                self.widths.append(c)
                side //= 2
        self.middle = nn.ModuleList([self.block(c, c), Attention(c, heads), self.block(c, c)])
        self.side = side

    def block(self, c_in: int, c_out: int, resample: float = 1.0) -> ResBlock:
        return ResBlock(c_in, c_out, self.embedding, dropout=self.dropout, resample=resample)

    def layers(self, c_in: int, c_out: int, side: int) -> nn.ModuleList:
        """A residual block, and attention where the side asks for it."""
        found: list[nn.Module] = [self.block(c_in, c_out)]
        return nn.ModuleList([*found, Attention(c_out, self.heads)] if side in self.attended else found)

    def encode(self, x: Tensor, embedding: Tensor) -> list[Tensor]:
        """The output of every layer on the way down, then the middle's."""
        outputs = []
        for layers in self.down:
            x = _run(layers, x, embedding)
            outputs.append(x)
        return [*outputs, _run(self.middle, x, embedding)]


class UNet(Encoder):
    """x_t [b, c, h, w], step [b] and maybe label [b] -> predicted noise, and with learned variances their
    share: [b, c or 2c, h, w].
    """

    def __init__(self, config: GuidedDiffusionConfig, n_classes: int, channels: int) -> None:
        super().__init__(
            config,
            channels,
            base=config.channels,
            blocks=config.blocks,
            heads=config.heads or None,
            dropout=config.dropout,
        )
        self.from_class = nn.Embedding(n_classes, self.embedding) if config.class_conditional else None
        widths, c, side = list(self.widths), self.widths[-1], self.side
        self.up = nn.ModuleList()
        for level, multiple in reversed(list(enumerate(config.channel_mult))):
            for number in range(config.blocks + 1):
                layers = self.layers(c + widths.pop(), config.channels * multiple, side)
                c = config.channels * multiple
                if level and number == config.blocks:
                    layers.append(self.block(c, c, resample=2.0))
                    side *= 2
                self.up.append(layers)
        out = channels * (2 if config.learn_sigma else 1)
        self.last = nn.Sequential(
            nn.GroupNorm(groups(c), c), nn.SiLU(), zero(nn.Conv2d(c, out, 3, padding=1))
        )

    def forward(self, x: Tensor, steps: Tensor, labels: Tensor) -> Tensor:
        embedding = self.time(time_embedding(steps, self.base))
        if self.from_class is not None:
            embedding = embedding + self.from_class(labels)
        *skips, x = self.encode(x, embedding)
        for layers in self.up:
            x = _run(layers, torch.cat([x, skips.pop()], 1), embedding)
        return self.last(x)


class AttentionPool(nn.Module):
    """[b, c, side, side] -> [b, n_out]: the mean of all positions asks all positions (as in CLIP, Radford
    2021).
    """

    def __init__(self, channels: int, side: int, n_out: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 64)
        self.place = nn.Parameter(torch.randn(channels, side**2 + 1) / channels**0.5)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, n_out)

    def forward(self, x: Tensor) -> Tensor:
        b, c = x.shape[:2]
        x = x.flatten(2)
        x = torch.cat([x.mean(2, keepdim=True), x], 2) + self.place
        q, k, v = (
            self.qkv(x.transpose(1, 2))
            .reshape(b, -1, 3, self.heads, c // self.heads)
            .permute(2, 0, 3, 1, 4)
            .unbind(0)
        )
        return self.out(F.scaled_dot_product_attention(q[:, :, :1], k, v).transpose(1, 2).reshape(b, c))


class NoisyClassifier(Encoder):
    """x_t [b, c, h, w] and step [b] -> class logits [b, n_classes]: the U-Net's way down, with an attention
    pool.
    """

    def __init__(self, config: GuidedDiffusionConfig, n_classes: int, channels: int) -> None:
        super().__init__(
            config,
            channels,
            base=config.classifier_channels,
            blocks=config.classifier_blocks,
            heads=None,
            dropout=0.0,
        )
        c = self.widths[-1]
        self.last = nn.Sequential(
            nn.GroupNorm(groups(c), c), nn.SiLU(), AttentionPool(c, self.side, n_classes)
        )

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        return self.last(self.encode(x, self.time(time_embedding(steps, self.base)))[-1])


# published checkpoints


def checksum(path: Path) -> str:
    """sha256 of the file. Raises InputError where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"the checkpoint '{path.name}' cannot be read ({type(error).__name__})",
            expected="your own copy of a published checkpoint on this machine",
            todo="correct generator.pretrained, or leave it out to train from scratch",
        ) from error


def read_published(path: Path) -> dict[str, Tensor]:
    """The tensors of a published checkpoint (.pt); nothing in it is executed. Raises InputError."""
    unreadable = InputError(
        f"'{path.name}' is not a checkpoint that can be read safely",
        expected="a .pt file that holds nothing but tensors by name, as published",
        todo="check that the download is whole",
    )
    checksum(path)  # a file that is not there has its own words
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise unreadable from error
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
    ):
        raise unreadable
    return state


def convert(
    published: Mapping[str, Tensor], network: UNet | NoisyClassifier, *, by_head: bool
) -> dict[str, Tensor]:
    """Parameters with the published names as a state_dict of `network`.

    by_head: the rows of the blocks' qkv are (head, q|k|v, channel) in the file; otherwise (q|k|v, head,
    channel), which is ours. What belongs to the classes is the user's own and stays out of the file's: a
    classifier's last layer stays as it is in `network`, and every class embedding starts as the mean of the
    published ones, which the rest of the network knows.
    """
    heads = {name: module.heads for name, module in network.named_modules() if isinstance(module, Attention)}
    own = network.state_dict()
    found = {}
    for published_name, value in published.items():
        name = published_name
        for pattern, replacement in NAMES.items():
            name = re.sub(pattern, replacement, name)
        module, _, _ = name.rpartition(".qkv.")
        if module in heads and by_head and len(value) % (3 * heads[module]) == 0:
            value = value.unflatten(0, (heads[module], 3, -1)).transpose(0, 1).flatten(0, 2)
        if value.ndim == 3 and value.shape[2] == 1:  # a convolution over the flattened positions
            value = (
                value[..., None]
                if module in heads or (name.endswith(".out.weight") and name[:-11] in heads)
                else value[..., 0]
            )
        found[name] = value.float()
    classes = found.pop("from_class.weight", None)
    if "from_class.weight" in own:
        rows = own["from_class.weight"]
        found["from_class.weight"] = (
            rows if classes is None else classes.mean(0, keepdim=True).expand(len(rows), -1)
        )
    if isinstance(network, NoisyClassifier):
        found |= {name: own[name] for name in ("last.2.out.weight", "last.2.out.bias")}
    return found


def take(network: UNet | NoisyClassifier, path: Path, *, by_head: bool) -> None:
    """Start `network` from a published checkpoint. Raises InputError that names what does not fit."""
    found, own = convert(read_published(path), network, by_head=by_head), network.state_dict()
    wrong = [
        f"{name}: {list(found[name].shape)} in the file, {list(own[name].shape)} by the settings"
        for name in own
        if name in found and found[name].shape != own[name].shape
    ]
    wrong += [f"{name}: missing in the file" for name in own if name not in found]
    wrong += [f"{name}: not in a network of these settings" for name in found if name not in own]
    if wrong:
        more = f"; and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise InputError(
            f"'{path.name}' does not fit the settings: {'; '.join(wrong[:4])}{more}",
            expected="the checkpoint's own channels, channel_mult, blocks, attention_resolutions, "
            "learn_sigma, and colour images",
            todo="use the preset 'paper' with the published 128 px checkpoint, 'standard' "
            "with the 64 px one, or correct the settings",
        )
    network.load_state_dict(found)
