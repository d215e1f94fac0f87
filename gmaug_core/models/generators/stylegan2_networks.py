"""StyleGAN2's networks: mapping, synthesis, and a discriminator with two heads (Karras 2020, Shahbazi 2022).

For speed, all exact: the modulation scales activations instead of building weights for every image; gains are
part of weights, biases and norms, not multiplied into activations; equalised learning rates are learning
rates (`learning_rates`), not factors; what needs no copy is done in place; activations stay channels last
throughout. In mixed precision convolutions and what follows them are bfloat16, and all dense layers, norms,
logits and the sum of the images float32.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmaug_core.config import StyleGAN2Config
from gmaug_core.models.generators.gan_losses import minibatch_deviation

MAPPING_LR = 0.01  # the mapping network learns this much slower (Karras 2019)
GAIN = math.sqrt(
    2
)  # of the leaky ReLU: keeps the variance of its input. g lrelu(x) = lrelu(g x), so it goes into what makes x


def lrelu(x: Tensor) -> Tensor:
    """Leaky ReLU, in place; GAIN is already in x."""
    return F.leaky_relu_(x, 0.2)


def learning_rates(network: nn.Module, lr: float) -> list[dict[str, Any]]:
    """Parameter groups of the equalised learning rate (Karras 2018, arXiv 1710.10196): a weight is `pace`
    times a value of unit variance that learns at `lr`. For Adam, whose step does not depend on the gradient's
    size, that is a weight that learns at `pace` times `lr`. Layers state the paces of their parameters;
    others learn at `lr`.
    """
    groups = defaultdict(list)
    for module in network.modules():
        paces: dict[str, float] = getattr(module, "paces", {})
        for name, parameter in module.named_parameters(recurse=False):
            groups[paces.get(name, 1.0)].append(parameter)
    return [{"params": parameters, "lr": lr * pace} for pace, parameters in groups.items()]


def full_precision(x: Tensor) -> torch.autocast:
    """Float32 within mixed precision."""
    return torch.autocast(x.device.type, enabled=False)


def normalise(x: Tensor) -> Tensor:
    """Unit second moment along the last axis."""
    return x * (x.square().mean(-1, keepdim=True) + 1e-8).rsqrt()


def low_pass() -> Tensor:
    """The 4 x 4 resampling filter [1, 3, 3, 1], of sum 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / taps.sum() ** 2


class Filter(torch.autograd.Function):
    """Every channel convolved with a symmetric 4 x 4 kernel: its adjoint is itself with another padding,
    after zeros between the values where it had a stride. (PyTorch's own derivative is a hundred times slower
    with a stride, and would also look for the kernel's gradient, channel by channel, in the regularisers'
    second derivatives.)
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, padding: int, stride: int = 1) -> Tensor:
        ctx.kernel, ctx.padding, ctx.stride = kernel, padding, stride
        ctx.sides = [side + 2 * padding - 3 for side in x.shape[2:]]  # without the stride
        return F.conv2d(
            x,
            kernel.to(x.dtype).expand(x.shape[1], 1, 4, 4),
            padding=padding,
            stride=stride,
            groups=x.shape[1],
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        if ctx.stride > 1:
            n, channels = gradient.shape[:2]
            sparse = gradient.new_zeros(n, *ctx.sides, channels).permute(0, 3, 1, 2)  # channels last
            sparse[:, :, :: ctx.stride, :: ctx.stride] = gradient
            gradient = sparse
        return Filter.apply(gradient, ctx.kernel, 3 - ctx.padding), None, None, None


class Dense(nn.Module):
    """A linear layer with equalised learning rate, in float32; `gain` of the activation that follows."""

    def __init__(
        self, n_in: int, n_out: int, *, bias: float = 0.0, lr: float = 1.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) * (gain / math.sqrt(n_in)))
        self.bias = nn.Parameter(torch.full((n_out,), gain * bias))
        self.paces = {"weight": gain * lr / math.sqrt(n_in), "bias": gain * lr}

    def forward(self, x: Tensor) -> Tensor:
        with full_precision(x):
            return F.linear(x.to(self.weight.dtype), self.weight, self.bias)


class Conv(nn.Module):
    """A convolution with equalised learning rate; `down` filters and halves the size, `gain` is of what
    follows.
    """

    kernel: Tensor

    def __init__(
        self, c_in: int, c_out: int, size: int, *, down: bool = False, bias: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        scale = gain / math.sqrt(c_in * size**2)
        self.weight = nn.Parameter(torch.randn(c_out, c_in, size, size) * scale)
        self.bias = nn.Parameter(torch.zeros(c_out)) if bias else None
        self.paces, self.size, self.down = {"weight": scale, "bias": gain}, size, down
        self.register_buffer("kernel", low_pass(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.down:
            return F.conv2d(x, self.weight, self.bias, padding=self.size // 2)
        if self.size == 1:  # what a convolution would stride over need not be filtered
            return F.conv2d(Filter.apply(x, self.kernel, 1, 2), self.weight, self.bias)
        return F.conv2d(Filter.apply(x, self.kernel, 1 + self.size // 2), self.weight, self.bias, stride=2)


class StyledConv(nn.Module):
    """Modulated convolution, noise, activation. Scaling x by the style and the result by the norm equals
    per-image weights.
    """

    kernel: Tensor

    def __init__(self, c_in: int, c_out: int, w_dim: int, *, up: bool) -> None:
        super().__init__()
        scale = 1 / math.sqrt(c_in * 9)
        self.style = Dense(w_dim, c_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(c_out, c_in, 3, 3) * scale)
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.paces, self.up = {"weight": scale, "bias": GAIN, "noise_strength": GAIN}, up
        self.register_buffer("kernel", low_pass() * 4, persistent=False)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """x [b, c_in, h, w], style w [b, w_dim], noise [b, 1, h', w'] -> [b, c_out, h', w']."""
        style = self.style(w)
        with full_precision(x):
            norm = GAIN * (style.square() @ self.weight.square().sum((2, 3)).T + 1e-8).rsqrt()
        x = x * style.to(x.dtype)[:, :, None, None]
        if self.up:
            x = Filter.apply(F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), self.kernel, 1)
        else:
            x = F.conv2d(x, self.weight, padding=1)
        x = x * norm.to(x.dtype)[:, :, None, None]
        return lrelu(
            x.add_((self.noise_strength * noise).to(x.dtype)).add_(self.bias.to(x.dtype)[:, None, None])
        )


class ToImage(nn.Module):
    """1 x 1 modulated convolution to pixels, without normalisation."""

    def __init__(self, c_in: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.style = Dense(w_dim, c_in, bias=1.0)
        self.conv = Conv(c_in, channels, 1)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.conv(x * self.style(w).to(x.dtype)[:, :, None, None]).float()


class Mapping(nn.Module):
    """z, class -> w, with the transitional branch: FC0(norm(z)) + lambda lrelu(FC(norm(embed(c)))) after the
    first layer.
    """

    blend: Tensor

    def __init__(self, config: StyleGAN2Config, n_classes: int) -> None:
        super().__init__()
        self.first = Dense(config.z_dim, config.w_dim, lr=MAPPING_LR, gain=GAIN)
        self.embed = nn.Embedding(n_classes, config.w_dim)
        self.from_class = Dense(config.w_dim, config.w_dim, lr=MAPPING_LR, gain=GAIN)
        rest = range(config.mapping_layers - 1)
        self.rest = nn.ModuleList(Dense(config.w_dim, config.w_dim, lr=MAPPING_LR, gain=GAIN) for _ in rest)
        self.register_buffer(
            "blend", torch.zeros(())
        )  # lambda: part of the model, since it says how to sample

    def forward(self, z: Tensor, labels: Tensor | None, noise: Tensor | None = None) -> Tensor:
        """z [b, z_dim], labels [b] (None: styles of no class), noise [b, w_dim] on the class embedding -> w
        [b, w_dim].
        """
        x = lrelu(self.first(normalise(z)))
        if labels is not None:
            embedded = normalise(self.embed(labels))
            x = x + self.blend * lrelu(self.from_class(embedded if noise is None else embedded + noise))
        for layer in self.rest:
            x = lrelu(layer(x))
        return x


class Synthesis(nn.Module):
    """Styles -> image: a learned 4 x 4 constant, then blocks that double the size, their images summed (skip
    generator).
    """

    def __init__(self, config: StyleGAN2Config, channels: int) -> None:
        super().__init__()
        sides = [4 << i for i in range(int(math.log2(config.resolution)) - 1)]
        widths = [_width(config, side) for side in sides]
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.layers = nn.ModuleList([StyledConv(widths[0], widths[0], config.w_dim, up=False)])
        self.noise_sides = [4]
        for side, before, width in zip(sides[1:], widths, widths[1:], strict=False):
            self.layers += [
                StyledConv(before, width, config.w_dim, up=True),
                StyledConv(width, width, config.w_dim, up=False),
            ]
            self.noise_sides += [side, side]
        self.to_image = nn.ModuleList(ToImage(width, channels, config.w_dim) for width in widths)
        self.n_styles = len(self.layers) + 1  # the last image layer has its own

    def forward(self, ws: Tensor, noise: Sequence[Tensor]) -> list[Tensor]:
        """ws [b, n_styles, w_dim], noise: one [b, 1, side, side] a layer -> the image [b, c, side, side] at 4
        px, 8 px and so on to the resolution: each is the one before, enlarged, and something more.
        """
        x = self.layers[0](self.constant.expand(len(ws), -1, -1, -1), ws[:, 0], noise[0])
        image = self.to_image[0](x, ws[:, 1])
        images = [image]
        for i in range(1, len(self.layers), 2):
            x = self.layers[i](x, ws[:, i], noise[i])
            x = self.layers[i + 1](x, ws[:, i + 1], noise[i + 1])
            image = F.interpolate(
                image, scale_factor=2, mode="bilinear"
            )  # the same low-pass filter, edges repeated
            image = image.add_(self.to_image[(i + 1) // 2](x, ws[:, i + 2]))
            images.append(image)
        return images

    def random_noise(self, batch: int, device: torch.device) -> list[Tensor]:
        """Fresh noise for one batch."""
        return [torch.randn(batch, 1, side, side, device=device) for side in self.noise_sides]


class StyleGenerator(nn.Module):
    """Mapping and synthesis."""

    def __init__(self, config: StyleGAN2Config, n_classes: int, channels: int) -> None:
        super().__init__()
        self.mapping = Mapping(config, n_classes)
        self.synthesis = Synthesis(config, channels)
        # a level's image layer has the style of the next level's first convolution, so that one is shared as
        # well
        self.shared = 2 * low_level(config) + 2 if config.low_resolution else 0

    def styles(self, z: Tensor, labels: Tensor, noise: Tensor | None = None) -> Tensor:
        """[b, n_styles, w_dim]: the same style for every layer; with UTLO the first `shared` layers get one
        of no class.
        """
        ws = self.mapping(z, labels, noise)[:, None].expand(-1, self.synthesis.n_styles, -1)
        if not self.shared:
            return ws
        return torch.cat(
            [self.mapping(z, None)[:, None].expand(-1, self.shared, -1), ws[:, self.shared :]], 1
        )


class ResidualBlock(nn.Module):
    """Two convolutions, the second halving the size, beside a 1 x 1 shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv0 = Conv(c_in, c_in, 3, gain=GAIN)
        self.conv1 = Conv(c_in, c_out, 3, down=True)  # the gain of its activation and that of the sum cancel
        self.shortcut = Conv(c_in, c_out, 1, down=True, bias=False, gain=math.sqrt(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x).add_(lrelu(self.conv1(lrelu(self.conv0(x)))))


class Discriminator(nn.Module):
    """One trunk, two heads: unconditional, and conditional by projection <FC_c(x), Map(c)> / sqrt(dim)."""

    def __init__(self, config: StyleGAN2Config, n_classes: int, channels: int) -> None:
        super().__init__()
        sides = [
            config.resolution >> i for i in range(int(math.log2(config.resolution)) - 1)
        ]  # resolution .. 4
        widths = [_width(config, side) for side in sides]
        last = widths[-1]
        self.from_image = Conv(channels, widths[0], 1, gain=GAIN)
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in pairwise(widths))
        self.conv = Conv(last + 1, last, 3, gain=GAIN)
        self.dense = Dense(last * 16, last, gain=GAIN)
        self.unconditional = Dense(last, 1)
        self.conditional = Dense(last, config.w_dim)
        self.embed = nn.Embedding(n_classes, config.w_dim)
        self.from_class = Dense(config.w_dim, config.w_dim)
        if config.low_resolution:
            self.low_blocks = low_level(config)  # the last so many blocks see low-resolution images as well
            self.from_low_image = Conv(channels, widths[len(widths) - 1 - self.low_blocks], 1, gain=GAIN)
            self.low = Dense(last, 1)

    def forward(self, images: Tensor, labels: Tensor, batches: int = 1) -> tuple[Tensor, Tensor]:
        """Images [b, c, h, w] and labels [b] -> unconditional and conditional logits [b]. Several batches of
        one size may come as one, which is faster: no image is compared with one of another batch.
        """
        x = lrelu(self.from_image(images))
        for block in self.blocks:
            x = block(x)
        x = self._end(x, batches)
        wanted = self.from_class(normalise(self.embed(labels)))
        matched = (self.conditional(x) * wanted).sum(1) / math.sqrt(wanted.shape[1])
        return self.unconditional(x).squeeze(1), matched

    def _end(self, x: Tensor, batches: int) -> Tensor:
        deviation = torch.cat([minibatch_deviation(part.float()) for part in x.chunk(batches)])
        x = lrelu(self.conv(torch.cat([x, deviation.to(x.dtype)], 1)))
        return lrelu(self.dense(x.flatten(1)))

    def judge_low(self, images: Tensor, batches: int = 1) -> Tensor:
        """Low-resolution images [b, c, l, l] -> unconditional logits [b], through the blocks from that
        resolution on.
        """
        x = lrelu(self.from_low_image(images))
        for block in self.blocks[len(self.blocks) - self.low_blocks :]:
            x = block(x)
        return self.low(self._end(x, batches)).squeeze(1)


def _width(config: StyleGAN2Config, side: int) -> int:
    return min(config.channel_base // side, config.channel_max)


def low_level(config: StyleGAN2Config) -> int:
    """How many times 4 px are doubled to get UTLO's low resolution."""
    return int(math.log2(config.low_resolution)) - 2
