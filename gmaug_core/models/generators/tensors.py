"""Tensors on their way into and out of a generator: seeds, noise, pixels, batches, averages, precision."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.data.views import Images
from gmaug_core.seeds import derive

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def seeded_normal(seeds: Sequence[int] | NDArray[np.int64], size: int) -> Tensor:
    """Standard normal [n, size] on the CPU; row k comes from seeds[k] alone, on every device and at every
    batch size.
    """
    rows = [
        torch.randn(size, generator=torch.Generator().manual_seed(derive(int(seed), "noise")))
        for seed in seeds
    ]
    return torch.stack(rows) if rows else torch.empty(0, size)


def mixed_precision(device: torch.device, *, on_cpu: bool = False) -> AbstractContextManager[Any]:
    """bfloat16 on GPUs that compute in it. On CPUs float32, which is as fast at most sizes; with `on_cpu`
    bfloat16 on those that multiply in it (AVX512-BF16, AMX): worth it for StyleGAN2's convolutions (1.6 times
    as fast), not for diffusion.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    found = torch.cpu.get_capabilities() if on_cpu and device.type == "cpu" else {}
    if found.get("avx512_bf16") or found.get("amx_bf16"):
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return nullcontext()


def to_device(network: AnyModule, device: torch.device) -> AnyModule:
    """Move, and lay out channels last: convolutions are 10-15 % faster so on a CPU, more on a GPU."""
    return network.to(device).to(memory_format=torch.channels_last)


def to_signed(images: Tensor) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] -> float32 [n, c, h, w] in [-1, 1]."""
    images = images[..., None] if images.ndim == 3 else images
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """float [n, c, h, w] in [-1, 1] -> uint8 [n, h, w] when c is 1, else [n, h, w, 3]; values outside are
    clipped.
    """
    pixels = (images * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def class_weights(labels: NDArray[np.int64], n_classes: int, power: float) -> Tensor:
    """Weight of each image [n], such that a class of n images is drawn in proportion to n^power (1 natural, 0
    balanced).
    """
    counts = np.bincount(labels, minlength=n_classes)
    return torch.from_numpy(counts[labels].astype(np.float64) ** (power - 1.0))


def draw_batch(
    images: Images, labels: NDArray[np.int64], weights: Tensor, size: int, *, mirror: bool
) -> tuple[Tensor, Tensor]:
    """Random images float32 [size, c, h, w] in [-1, 1] and labels int64 [size]; half of them flipped when
    `mirror`.
    """
    index = torch.multinomial(weights, size, replacement=True).numpy()
    batch = to_signed(torch.from_numpy(images[index]))
    if mirror:
        batch = torch.where(torch.rand(size, 1, 1, 1) < 0.5, batch.flip(3), batch)
    return batch, torch.from_numpy(labels[index])


def update_ema(
    average: nn.Module, network: nn.Module, *, half_life_kimg: float, kimg: float, batch: int
) -> None:
    """Move `average` towards `network`. The half-life ramps up as 5 % of what was seen, so early weights are
    forgotten.
    """
    half_life = min(half_life_kimg, 0.05 * kimg)
    move_average(average, network, 0.5 ** (batch / 1000 / max(half_life, 1e-8)))


@torch.no_grad()
def move_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average = decay average + (1 - decay) network; buffers are taken over."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        mine.copy_(theirs)
