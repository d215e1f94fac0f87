"""Processes that train one network together: each computes its rows of every batch, and all average what came
of them before the weights move (synchronous data parallelism; Li 2020, arXiv 2006.15704, without overlap).

Every process draws the whole batch and all its noise from the same seeds and then takes its own rows, so the
loss curve is that of one process to the rounding of sums (without dropout).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gmaug_core.errors import GMAugError

PATIENCE = datetime.timedelta(hours=12)  # the others wait while the first one looks at a snapshot
Figures = Mapping[str, Tensor | float]


class Group:
    """One process alone: everything is its own."""

    rank, size = 0, 1

    def rows(self, batch: int, *, dropout: float) -> slice:
        """This process's rows of a batch. With dropout each process drops others from here on: then the
        losses are only alike, not the same."""
        share = batch // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def average(self, network: nn.Module, figures: Figures) -> dict[str, Tensor | float]:
        """The means over all processes: of the gradients, which stay in the network, and of the figures.
        Raises GMAugError where one has ended."""
        return dict(figures)

    def agreed(self, asked: bool) -> bool:
        """Whether the first one was asked to stop; all hear it at the same step. Raises as `average`."""
        return asked


class Ranks(Group):
    """One of several processes. store: a file that all of them see and nobody has used before; size: how many
    there are; rank: which of them this is."""

    def __init__(self, store: Path, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self._device = rank, size, device
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            init_method=f"file://{store}",
            rank=rank,
            world_size=size,
            timeout=PATIENCE,
        )

    def rows(self, batch: int, *, dropout: float) -> slice:
        if dropout > 0 and self.rank > 0:
            torch.manual_seed(torch.initial_seed() + self.rank)
        return super().rows(batch, dropout=dropout)

    def average(self, network: nn.Module, figures: Figures) -> dict[str, Tensor | float]:
        gradients = [each.grad for each in network.parameters() if each.grad is not None]
        names = list(figures)
        told = [torch.as_tensor(figures[name], device=self._device).float().reshape(1) for name in names]
        together = torch.cat([each.reshape(-1) for each in gradients] + told)
        self._sum(together)
        together /= self.size
        parts = together.split([each.numel() for each in gradients] + [1] * len(names))
        for mine, mean in zip(gradients, parts, strict=False):
            mine.copy_(mean.view_as(mine))
        return {name: part[0] for name, part in zip(names, parts[len(gradients) :], strict=True)}

    def agreed(self, asked: bool) -> bool:
        flag = torch.tensor([float(asked)], device=self._device)
        self._sum(flag)
        return bool(flag.item() > 0)

    def close(self) -> None:
        """This process works alone again."""
        dist.destroy_process_group()

    @staticmethod
    def _sum(values: Tensor) -> None:
        try:
            dist.all_reduce(values)
        except RuntimeError as error:  # what gloo and NCCL say of a connection that is gone
            raise GMAugError(
                "a process that trained the generator too has ended",
                expected="all of them to the end",
                todo="resume: the last checkpoint is kept",
            ) from error
