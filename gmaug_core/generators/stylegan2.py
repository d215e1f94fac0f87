"""StyleGAN2 as a class-conditional GAN with transitional training (Karras 2020, Shahbazi 2022, arXiv 2201.06578).

Training starts unconditional and becomes conditional as lambda goes from 0 to 1: conditional training from the start
collapses on small and long-tailed datasets. Plain PyTorch: the modulation scales activations instead of building weights
for every image (exact, and several times faster on a CPU), and resampling filters are depthwise convolutions.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.config import StyleGAN2Config
from gmaug_core.generators.augment import ADA, diff_augment
from gmaug_core.generators.training import Generator, Training, derived, mixed_precision, seeded_normal, to_device, update_ema

MAPPING_LR = 0.01  # the mapping network learns this much slower (Karras 2019)
ADA_SHARE = 0.25  # of the budget: the time in which p could go from 0 to 1 (500 kimg in the paper, at most)
MEAN_STYLES = 512  # random styles that a class's mean style is taken over


def transition(kimg: float, budget: float, start: float, end: float) -> float:
    """lambda: 0 before `start` of the budget, 1 after `end`, linear between (Shahbazi 2022, equation 1)."""
    return min(max((kimg - start * budget) / ((end - start) * budget), 0.0), 1.0)


def lrelu(x: Tensor) -> Tensor:
    """Leaky ReLU that keeps the variance of its input."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def normalise(x: Tensor) -> Tensor:
    """Unit second moment along the last axis."""
    return x * (x.square().mean(-1, keepdim=True) + 1e-8).rsqrt()


def low_pass() -> Tensor:
    """The 4 x 4 resampling filter [1, 3, 3, 1], of sum 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / taps.sum() ** 2


def filtered(x: Tensor, kernel: Tensor, *, padding: int, stride: int = 1) -> Tensor:
    """Every channel of x convolved with the 4 x 4 kernel."""
    c = x.shape[1]
    return F.conv2d(x, kernel.to(x.dtype).expand(c, 1, 4, 4), padding=padding, stride=stride, groups=c)


class Dense(nn.Module):
    """A linear layer with equalised learning rate."""

    def __init__(self, n_in: int, n_out: int, *, bias: float = 0.0, lr: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / lr)
        self.bias = nn.Parameter(torch.full((n_out,), bias / lr))
        self.scale, self.lr = lr / math.sqrt(n_in), lr

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.lr)


class Conv(nn.Module):
    """A convolution with equalised learning rate; `down` filters and halves the size."""

    kernel: Tensor

    def __init__(self, c_in: int, c_out: int, size: int, *, down: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c_out, c_in, size, size))
        self.bias = nn.Parameter(torch.zeros(c_out)) if bias else None
        self.scale, self.down = 1 / math.sqrt(c_in * size**2), down
        self.register_buffer("kernel", low_pass(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight, size = self.weight * self.scale, self.weight.shape[-1]
        if not self.down:
            return F.conv2d(x, weight, self.bias, padding=size // 2)
        if size == 1:  # the positions that a 1 x 1 stride would skip need not be filtered
            return F.conv2d(filtered(x, self.kernel, padding=1, stride=2), weight, self.bias)
        return F.conv2d(filtered(x, self.kernel, padding=2), weight, self.bias, stride=2)


class StyledConv(nn.Module):
    """Modulated convolution, noise, activation. Scaling x by the style and the result by the norm equals per-image weights."""

    kernel: Tensor

    def __init__(self, c_in: int, c_out: int, w_dim: int, *, up: bool) -> None:
        super().__init__()
        self.style = Dense(w_dim, c_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(c_out, c_in, 3, 3))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.scale, self.up = 1 / math.sqrt(c_in * 9), up
        self.register_buffer("kernel", low_pass() * 4, persistent=False)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """x [b, c_in, h, w], style w [b, w_dim], noise [b, 1, h', w'] -> [b, c_out, h', w']."""
        style, weight = self.style(w), self.weight * self.scale
        norm = (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()
        x = x * style[:, :, None, None]
        if self.up:
            x = filtered(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), self.kernel, padding=1)
        else:
            x = F.conv2d(x, weight, padding=1)
        return lrelu(torch.addcmul(self.bias[:, None, None] + noise * self.noise_strength, x, norm[:, :, None, None]))


class ToImage(nn.Module):
    """1 x 1 modulated convolution to pixels, without normalisation."""

    def __init__(self, c_in: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.style = Dense(w_dim, c_in, bias=1.0)
        self.conv = Conv(c_in, channels, 1)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.conv(x * self.style(w)[:, :, None, None])


class Mapping(nn.Module):
    """z, class -> w, with the transitional branch: FC0(norm(z)) + lambda lrelu(FC(norm(embed(c)))) after the first layer."""

    blend: Tensor

    def __init__(self, config: StyleGAN2Config, n_classes: int) -> None:
        super().__init__()
        self.first = Dense(config.z_dim, config.w_dim, lr=MAPPING_LR)
        self.embed = nn.Embedding(n_classes, config.w_dim)
        self.from_class = Dense(config.w_dim, config.w_dim, lr=MAPPING_LR)
        self.rest = nn.ModuleList(Dense(config.w_dim, config.w_dim, lr=MAPPING_LR) for _ in range(config.mapping_layers - 1))
        self.register_buffer("blend", torch.zeros(()))  # lambda: part of the model, since it says how to sample

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = lrelu(self.first(normalise(z)))
        x = x + self.blend * lrelu(self.from_class(normalise(self.embed(labels))))
        for layer in self.rest:
            x = lrelu(layer(x))
        return x


class Synthesis(nn.Module):
    """Styles -> image: a learned 4 x 4 constant, then blocks that double the size, their images summed (skip generator)."""

    kernel: Tensor

    def __init__(self, config: StyleGAN2Config, channels: int) -> None:
        super().__init__()
        sides = [4 << i for i in range(int(math.log2(config.resolution)) - 1)]
        widths = [_width(config, side) for side in sides]
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.layers = nn.ModuleList([StyledConv(widths[0], widths[0], config.w_dim, up=False)])
        self.noise_sides = [4]
        for side, before, width in zip(sides[1:], widths, widths[1:], strict=False):
            self.layers += [StyledConv(before, width, config.w_dim, up=True), StyledConv(width, width, config.w_dim, up=False)]
            self.noise_sides += [side, side]
        self.to_image = nn.ModuleList(ToImage(width, channels, config.w_dim) for width in widths)
        self.n_styles = len(self.layers) + 1  # the last image layer has its own
        self.register_buffer("kernel", low_pass() * 4, persistent=False)

    def forward(self, ws: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """ws [b, n_styles, w_dim], noise: one [b, 1, side, side] a layer -> [b, c, resolution, resolution]."""
        x = self.layers[0](self.constant.expand(len(ws), -1, -1, -1), ws[:, 0], noise[0])
        image = self.to_image[0](x, ws[:, 1])
        for i in range(1, len(self.layers), 2):
            x = self.layers[i](x, ws[:, i], noise[i])
            x = self.layers[i + 1](x, ws[:, i + 1], noise[i + 1])
            kernel = self.kernel.to(image.dtype).expand(image.shape[1], 1, 4, 4)
            image = F.conv_transpose2d(image, kernel, stride=2, padding=1, groups=image.shape[1])
            image = image + self.to_image[(i + 1) // 2](x, ws[:, i + 2])
        return image

    def random_noise(self, batch: int, device: torch.device) -> list[Tensor]:
        """Fresh noise for one batch."""
        return [torch.randn(batch, 1, side, side, device=device) for side in self.noise_sides]


class StyleGenerator(nn.Module):
    """Mapping and synthesis."""

    def __init__(self, config: StyleGAN2Config, n_classes: int, channels: int) -> None:
        super().__init__()
        self.mapping = Mapping(config, n_classes)
        self.synthesis = Synthesis(config, channels)

    def styles(self, z: Tensor, labels: Tensor) -> Tensor:
        """[b, n_styles, w_dim]: the same style for every layer."""
        return self.mapping(z, labels)[:, None].expand(-1, self.synthesis.n_styles, -1)


class ResidualBlock(nn.Module):
    """Two convolutions, the second halving the size, beside a 1 x 1 shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv0 = Conv(c_in, c_in, 3)
        self.conv1 = Conv(c_in, c_out, 3, down=True)
        self.shortcut = Conv(c_in, c_out, 1, down=True, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return (lrelu(self.conv1(lrelu(self.conv0(x)))) + self.shortcut(x)) * math.sqrt(0.5)


class Discriminator(nn.Module):
    """One trunk, two heads: unconditional, and conditional by projection <FC_c(x), Map(c)> / sqrt(dim)."""

    def __init__(self, config: StyleGAN2Config, n_classes: int, channels: int) -> None:
        super().__init__()
        sides = [config.resolution >> i for i in range(int(math.log2(config.resolution)) - 1)]  # resolution .. 4
        widths = [_width(config, side) for side in sides]
        last = widths[-1]
        self.from_image = Conv(channels, widths[0], 1)
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.conv = Conv(last + 1, last, 3)
        self.dense = Dense(last * 16, last)
        self.unconditional = Dense(last, 1)
        self.conditional = Dense(last, config.w_dim)
        self.embed = nn.Embedding(n_classes, config.w_dim)
        self.from_class = Dense(config.w_dim, config.w_dim)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images [b, c, h, w] and labels [b] -> unconditional and conditional logits [b]."""
        x = lrelu(self.from_image(images))
        for block in self.blocks:
            x = block(x)
        x = lrelu(self.conv(torch.cat([x, minibatch_deviation(x)], 1)))
        x = lrelu(self.dense(x.flatten(1)))
        wanted = self.from_class(normalise(self.embed(labels)))
        matched = (self.conditional(x) * wanted).sum(1) / math.sqrt(wanted.shape[1])
        return self.unconditional(x).squeeze(1), matched


def minibatch_deviation(x: Tensor) -> Tensor:
    """One more feature map [b, 1, h, w]: how much images vary within groups of up to 4. Shows the discriminator a collapse."""
    b, _, h, w = x.shape
    group = next(size for size in (4, 3, 2, 1) if b % size == 0)
    grouped = x.reshape(group, b // group, -1)
    deviation = ((grouped - grouped.mean(0)).square().mean(0) + 1e-8).sqrt().mean(1)  # var() over this axis is much slower
    return deviation.repeat(group)[:, None, None, None].expand(b, 1, h, w)


class StyleGAN2Training(Training):
    """Non-saturating loss on both heads, lazy R1 and path-length regularisation, EMA, lambda on the image counter."""

    def __init__(self, config: StyleGAN2Config, generator: StyleGenerator, discriminator: Discriminator, device: torch.device) -> None:
        self.config, self.device = config, device
        self.generator, self.discriminator = generator.train(), discriminator.train()
        self.ema = copy.deepcopy(generator).eval().requires_grad_(False)
        self.ada = ADA(target=config.ada_target, kimg=min(500.0, ADA_SHARE * config.kimg))
        self.path_length = nn.Module()
        self.path_length.register_buffer("mean", torch.zeros((), device=device))
        self.optimizer_g = self._optimizer(generator, config.path_length_interval if config.path_length_weight else 0)
        self.optimizer_d = self._optimizer(discriminator, config.r1_interval if config.r1_gamma else 0)
        self.r1 = self.path_penalty = 0.0

    def _optimizer(self, network: nn.Module, lazy_interval: int) -> torch.optim.Adam:
        """Adam whose pace allows for one regularisation step every `lazy_interval` steps (Karras 2020, appendix B)."""
        share = lazy_interval / (lazy_interval + 1) if lazy_interval else 1.0
        return torch.optim.Adam(network.parameters(), lr=self.config.lr * share, betas=(0.0, self.config.beta2**share), fused=True)

    def augment(self, images: Tensor) -> Tensor:
        if self.config.augment == "ada":
            return self.ada(images)
        return diff_augment(images) if self.config.augment == "diffaugment" else images

    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        config = self.config
        blend = transition(step * config.batch / 1000, config.kimg, config.transition_start, config.transition_end)
        self.generator.mapping.blend.fill_(blend)

        # Discriminator. Its fakes keep their graph: the generator step below reuses them, which saves a forward pass.
        with mixed_precision(self.device):
            fakes = self._fakes(labels)
            fake_u, fake_c = self.discriminator(self.augment(fakes.detach()), labels)
            real_u, real_c = self.discriminator(self.augment(images), labels)
            loss_d = (F.softplus(fake_u) + F.softplus(-real_u)).mean()
            if blend > 0:
                loss_d = loss_d + blend * (F.softplus(fake_c) + F.softplus(-real_c)).mean()
        self._update(self.optimizer_d, loss_d)
        if config.augment == "ada":
            self.ada.update(real_u.detach())
        if config.r1_gamma and step % config.r1_interval == 0:
            self._regularise_discriminator(images, labels)

        # Generator
        self.discriminator.requires_grad_(False)
        with mixed_precision(self.device):
            fake_u, fake_c = self.discriminator(self.augment(fakes), labels)
            loss_g = F.softplus(-fake_u).mean()
            if blend > 0:
                loss_g = loss_g + blend * F.softplus(-fake_c).mean()
        self._update(self.optimizer_g, loss_g)
        self.discriminator.requires_grad_(True)
        if config.path_length_weight and step % config.path_length_interval == 0:
            self._regularise_generator(labels)

        kimg = (step + 1) * config.batch / 1000
        update_ema(self.ema, self.generator, half_life_kimg=config.ema_half_life_kimg, kimg=kimg, batch=config.batch)
        figures: dict[str, Tensor | float] = {"loss": loss_g.detach(), "loss_d": loss_d.detach(), "lambda": blend, "r1": self.r1}
        figures["real_sign"] = real_u.detach().sign().mean()
        if config.augment == "ada":
            figures["ada_p"] = self.ada.p
        if config.path_length_weight:
            figures["path_length"] = self.path_penalty
        return figures

    def _fakes(self, labels: Tensor) -> Tensor:
        generator, n = self.generator, len(labels)
        ws = generator.styles(torch.randn(n, self.config.z_dim, device=self.device), labels)
        if self.config.style_mixing and float(torch.rand(())) < self.config.style_mixing:
            other = generator.styles(torch.randn(n, self.config.z_dim, device=self.device), labels)
            first = torch.randint(1, ws.shape[1], (n, 1, 1), device=self.device)  # from this layer on, the other style
            ws = torch.where(torch.arange(ws.shape[1], device=self.device)[:, None] < first, ws, other)
        return generator.synthesis(ws, generator.synthesis.random_noise(n, self.device))

    @staticmethod
    def _update(optimizer: torch.optim.Adam, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def _regularise_discriminator(self, images: Tensor, labels: Tensor) -> None:
        """R1: gamma / 2 |grad D_u(real)|^2 at the augmented real images, on the unconditional logit alone."""
        real = self.augment(images).detach().requires_grad_()
        logits, _ = self.discriminator(real, labels)
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        r1 = gradient.square().sum((1, 2, 3)).mean()
        self._update(self.optimizer_d, r1 * (self.config.r1_gamma / 2 * self.config.r1_interval))
        self.r1 = float(r1.detach())

    def _regularise_generator(self, labels: Tensor) -> None:
        """Path length (Karras 2020, equation 4): a step in w should change the image by a fixed amount. Half the batch is enough."""
        labels = labels[: max(1, len(labels) // 2)]
        generator = self.generator
        ws = generator.styles(torch.randn(len(labels), self.config.z_dim, device=self.device), labels)
        images = generator.synthesis(ws, generator.synthesis.random_noise(len(labels), self.device))
        direction = torch.randn_like(images) / self.config.resolution
        (gradient,) = torch.autograd.grad((images * direction).sum(), ws, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        mean: Tensor = self.path_length.mean  # type: ignore[assignment]
        mean.lerp_(lengths.detach().mean(), 0.01)
        penalty = (lengths - mean).square().mean()
        self._update(self.optimizer_g, penalty * (self.config.path_length_weight * self.config.path_length_interval))
        self.path_penalty = float(penalty.detach())

    def average(self) -> nn.Module:
        return self.ema

    def conditional(self, steps: int) -> bool:
        config = self.config  # lambda of the last step, as in step()
        return transition((steps - 1) * config.batch / 1000, config.kimg, config.transition_start, config.transition_end) >= 1

    def parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "ema": self.ema,
            "optimizer_g": self.optimizer_g,
            "optimizer_d": self.optimizer_d,
            "path_length": self.path_length,
            "ada": self.ada,
        }


class StyleGAN2(Generator):
    """The paper's lane: a transitional conditional GAN, one network evaluation an image."""

    name = "stylegan2"
    config_type = StyleGAN2Config
    config: StyleGAN2Config

    def build(self, n_classes: int) -> StyleGenerator:
        return StyleGenerator(self.config, n_classes, self.channels)

    def start(self, images: NDArray[np.uint8], n_classes: int, steps: int) -> Training:
        generator = to_device(self.build(n_classes), self.device)
        discriminator = to_device(Discriminator(self.config, n_classes, self.channels), self.device)
        return StyleGAN2Training(self.config, generator, discriminator, self.device)  # type: ignore[arg-type]

    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        generator: StyleGenerator = self.network
        sides = generator.synthesis.noise_sides
        numbers = seeded_normal(seeds, self.config.z_dim + sum(side**2 for side in sides)).to(self.device)
        z, *noise = numbers.split([self.config.z_dim, *(side**2 for side in sides)], 1)
        ws = generator.styles(z, labels)
        if self.config.truncation < 1:
            ws = self.mean_styles()[labels][:, None].lerp(ws, self.config.truncation)
        return generator.synthesis(ws, [part.reshape(-1, 1, side, side) for part, side in zip(noise, sides, strict=True)])

    def mean_styles(self) -> Tensor:
        """The mean style of each class [n_classes, w_dim]: truncation pulls towards it, so it keeps the class."""
        n = len(self.class_names)
        z = seeded_normal([derived(0, "mean style", i) for i in range(MEAN_STYLES)], self.config.z_dim).to(self.device)
        return torch.stack([self.network.mapping(z, torch.full((MEAN_STYLES,), k, device=self.device)).mean(0) for k in range(n)])


def _width(config: StyleGAN2Config, side: int) -> int:
    return min(config.channel_base // side, config.channel_max)
