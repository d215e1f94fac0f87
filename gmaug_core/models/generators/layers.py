"""Layers that more than one network is built of."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention over positions, with a residual connection. heads: None for one head every 64 channels,
    at least one.
    """

    def __init__(self, channels: int, heads: int | None = None) -> None:
        super().__init__()
        self.heads = heads or max(1, channels // 64)
        self.norm = nn.GroupNorm(groups(channels), channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q, k, v = (
            self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w).transpose(3, 4).unbind(1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(b, c, h, w)
        return x + self.out(mixed)


def groups(channels: int) -> int:
    """Groups of at least 4 channels, at most 32 of them (so 32 from 128 channels on)."""
    return math.gcd(channels, min(32, max(1, channels // 4)))


def zero(module: nn.Module) -> nn.Module:
    """Start as nothing: a new block is the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
