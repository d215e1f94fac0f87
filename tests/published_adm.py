"""An independent reference of the published ADM networks: the same parameter names, layout and forward,
written plainly.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


def norm(channels):
    return nn.GroupNorm(32, channels)


class Residual(nn.Module):
    def __init__(self, c_in, c_out, embedding, change=None):
        super().__init__()
        self.change = change
        self.in_layers = nn.Sequential(norm(c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * c_out))
        self.out_layers = nn.Sequential(
            norm(c_out), nn.SiLU(), nn.Dropout(0.0), nn.Conv2d(c_out, c_out, 3, padding=1)
        )
        if c_in != c_out:
            self.skip_connection = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x, embedding):
        h = F.silu(self.in_layers[0](x))
        if self.change == "up":
            h, x = (t.repeat_interleave(2, 2).repeat_interleave(2, 3) for t in (h, x))
        elif self.change == "down":
            h, x = (t.unflatten(3, (-1, 2)).mean(4).unflatten(2, (-1, 2)).mean(3) for t in (h, x))
        h = self.in_layers[2](h)
        numbers = self.emb_layers(embedding)
        scale, shift = numbers[:, : h.shape[1], None, None], numbers[:, h.shape[1] :, None, None]
        h = self.out_layers[3](F.silu(self.out_layers[0](h) * (1 + scale) + shift))
        return h + (self.skip_connection(x) if hasattr(self, "skip_connection") else x)


def attend(qkv, heads, by_head):
    """qkv [b, 3c, n] -> [b, c, n], one image and one head after the other."""
    b, width, n = qkv.shape
    size = width // 3 // heads
    out = torch.zeros(b, width // 3, n)
    for image in range(b):
        for head in range(heads):
            if by_head:
                q, k, v = qkv[image, head * 3 * size : (head + 1) * 3 * size].split(size)
            else:
                q, k, v = (qkv[image, part * heads * size + head * size :][:size] for part in range(3))
            weights = torch.softmax(q.T @ k / math.sqrt(size), 1)  # [asking, asked]
            out[image, head * size : (head + 1) * size] = v @ weights.T
    return out


class Attend(nn.Module):
    def __init__(self, channels, heads, by_head):
        super().__init__()
        self.heads, self.by_head = heads or channels // 64, by_head
        self.norm, self.qkv, self.proj_out = (
            norm(channels),
            nn.Conv1d(channels, 3 * channels, 1),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x, embedding):
        flat = x.flatten(2)
        h = self.proj_out(attend(self.qkv(self.norm(flat)), self.heads, self.by_head))
        return (flat + h).reshape(x.shape)


class Plain(nn.Conv2d):
    def forward(self, x, embedding):
        return super().forward(x)


class Pool(nn.Module):
    def __init__(self, channels, side, n_out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(channels, side * side + 1))
        self.qkv_proj, self.c_proj = nn.Conv1d(channels, 3 * channels, 1), nn.Conv1d(channels, n_out, 1)

    def forward(self, x):
        flat = x.flatten(2)
        flat = torch.cat([flat.mean(2, keepdim=True), flat], 2) + self.positional_embedding
        return self.c_proj(attend(self.qkv_proj(flat), flat.shape[1] // 64, False))[:, :, 0]


class Published(nn.Module):
    """classes: of the embedding, None for none; n_out: channels of a U-Net; pool: logits of a classifier
    instead.
    """

    def __init__(
        self, *, side, base, mult, blocks, attention, heads, by_head, n_out=None, classes=None, pool=None
    ):
        super().__init__()
        self.base, width = base, 4 * base
        self.time_embed = nn.Sequential(nn.Linear(base, width), nn.SiLU(), nn.Linear(width, width))
        if classes:
            self.label_emb = nn.Embedding(classes, width)
        c = base * mult[0]
        self.input_blocks, channels = nn.ModuleList([nn.ModuleList([Plain(3, c, 3, padding=1)])]), [c]
        for level, m in enumerate(mult):
            for _ in range(blocks):
                layers = [Residual(c, base * m, width)]
                c = base * m
                if side in attention:
                    layers.append(Attend(c, heads, by_head))
                self.input_blocks.append(nn.ModuleList(layers))
                channels.append(c)
            if level + 1 < len(mult):
                self.input_blocks.append(nn.ModuleList([Residual(c, c, width, "down")]))
                channels.append(c)
                side //= 2
        self.middle_block = nn.ModuleList(
            [Residual(c, c, width), Attend(c, heads, by_head), Residual(c, c, width)]
        )
        if pool:
            self.out = nn.Sequential(norm(c), nn.SiLU(), Pool(c, side, pool))
        else:
            self.output_blocks = nn.ModuleList()
            for level in reversed(range(len(mult))):
                for number in range(blocks + 1):
                    layers = [Residual(c + channels.pop(), base * mult[level], width)]
                    c = base * mult[level]
                    if side in attention:
                        layers.append(Attend(c, heads, by_head))
                    if level and number == blocks:
                        layers.append(Residual(c, c, width, "up"))
                        side *= 2
                    self.output_blocks.append(nn.ModuleList(layers))
            self.out = nn.Sequential(norm(c), nn.SiLU(), nn.Conv2d(c, n_out, 3, padding=1))
        for name, parameter in self.named_parameters():  # everything matters, and nothing grows
            fan_in = parameter[0].numel() if parameter.ndim > 1 and name != "label_emb.weight" else 1
            nn.init.normal_(parameter, 0.0, 0.5 * fan_in**-0.5)

    def forward(self, x, steps, labels=None):
        angles = steps[:, None] * 10000 ** -(torch.arange(self.base // 2) / (self.base // 2))
        embedding = self.time_embed(torch.cat([torch.cos(angles), torch.sin(angles)], 1))
        if labels is not None:
            embedding = embedding + self.label_emb(labels)
        seen = []
        for layers in self.input_blocks:
            for layer in layers:
                x = layer(x, embedding)
            seen.append(x)
        for layer in self.middle_block:
            x = layer(x, embedding)
        for layers in getattr(self, "output_blocks", []):
            x = torch.cat([x, seen.pop()], 1)
            for layer in layers:
                x = layer(x, embedding)
        return self.out(x)
