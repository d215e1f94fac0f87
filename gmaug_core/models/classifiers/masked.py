"""Pre-training as a masked autoencoder (He 2022, arXiv 2111.06377): most patches are hidden, the encoder sees
the rest, and a light decoder fills the hidden ones in. No labels are used.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from gmaug_core.config import MAEViTConfig
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.models.classifiers.batches import Batches
from gmaug_core.models.classifiers.contract import initial
from gmaug_core.models.classifiers.training import REPORT_STEPS, lr_factor
from gmaug_core.seeds import derive

if TYPE_CHECKING:
    from gmaug_core.models.classifiers.mae_vit import MAEViT

BETAS = (0.9, 0.95)  # of AdamW, He 2022
WARMUP = 0.05  # 40 of 800 epochs, He 2022
HEAD_WIDTH = 16  # of the decoder's attention; its width is a multiple
_AT_WORK: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


def positions(grid: int, width: int) -> Tensor:
    """Sines and cosines of rows and columns (Vaswani 2017, arXiv 1706.03762): [grid^2, width], -1..1."""
    rates = 10_000 ** -(torch.arange(width // 4, device="cpu") / (width / 4))
    angles = torch.arange(grid, device="cpu")[:, None] * rates  # [grid, width / 4]
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.cat([waves.repeat_interleave(grid, dim=0), waves.repeat(grid, 1)], dim=1)


class Decoder(nn.Module):
    """Tokens of the patches that were seen -> the pixels of all patches."""

    def __init__(self, config: MAEViTConfig, encoder_width: int, grid_positions: Tensor, pixels: int) -> None:
        """grid_positions: [patches, decoder_width], fixed; pixels: values of a patch."""
        super().__init__()
        width = config.decoder_width
        self.entry = nn.Sequential(nn.LayerNorm(encoder_width), nn.Linear(encoder_width, width))
        self.mask = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.mask, std=0.02)
        self.positions: Tensor
        self.register_buffer("positions", grid_positions, persistent=False)
        self.blocks = nn.Sequential(*(Block(width, width // HEAD_WIDTH) for _ in range(config.decoder_depth)))
        self.exit = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, pixels))

    def forward(self, tokens: Tensor, kept: Tensor, prefix: int) -> Tensor:
        """[b, prefix + k, encoder width] and int64 [b, k], where the last k stand -> [b, patches, pixels]."""
        tokens = self.entry(tokens)
        index = kept[:, :, None].expand(-1, -1, tokens.shape[2])
        canvas = self.mask.to(tokens.dtype).expand(len(tokens), len(self.positions), -1)
        canvas = canvas.scatter(1, index, tokens[:, prefix:]) + self.positions
        return self.exit(self.blocks(torch.cat([tokens[:, :prefix], canvas], dim=1)))[:, prefix:]


def seen_and_hidden(
    images: int, patches: int, masked: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Random patches of each image: int64 [b, k] seen, [b, patches - k] hidden; at least one of either."""
    order = torch.rand(images, patches, generator=generator).argsort(dim=1)
    k = min(max(1, round(patches * (1 - masked))), patches - 1)
    return order[:, :k], order[:, k:]


def patches_of(x: Tensor, side: int) -> Tensor:
    """[b, c, h, w] -> [b, patches, side^2 * c], row by row; each patch with mean 0 and variance 1."""
    b, c, h, w = x.shape
    x = (
        x.reshape(b, c, h // side, side, w // side, side)
        .permute(0, 2, 4, 3, 5, 1)
        .reshape(b, -1, side * side * c)
    )
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=x.shape[-1] > 1) + 1e-6).sqrt()


def reconstruction(network: MAEViT, decoder: Decoder, x: Tensor, generator: torch.Generator) -> Tensor:
    """The loss: mean squared error over the hidden patches' normalised pixels."""
    x = network.sized(x)
    seen, hidden = (
        part.to(x.device, non_blocking=True)
        for part in seen_and_hidden(len(x), network.grid**2, network.config.masked, generator)
    )
    tokens = network.encoded(x, seen)
    said = decoder(tokens, seen, network.vit.num_prefix_tokens)
    wanted = patches_of(x, network.patch)
    index = hidden[:, :, None].expand(-1, -1, wanted.shape[2])
    return (said.gather(1, index).float() - wanted.gather(1, index)).square().mean()


def pretrain(
    network: MAEViT,
    batches: Batches,
    steps: int,
    *,
    seed: int,
    unit: Unit,
    report: Report,
    should_stop: ShouldStop,
) -> None:
    """`steps` steps of all but the head; the decoder is thrown away. Bit-exact when resumed on a CPU.

    report("", step, steps, pretraining_loss=...). Raises Stopped with the checkpoint written, and Diverged.
    """
    config = network.config
    with initial("decoder", seed):
        decoder = _decoder(network)
    device = next(network.parameters()).device
    both = nn.ModuleDict({"network": network, "decoder": decoder.to(device)})
    optimiser = _optimiser(both, config)
    done, loss = unit.resume(both, optimiser), torch.zeros(())
    for step in range(done, steps):
        if should_stop():
            unit.keep(both, optimiser, step)
            raise Stopped
        generator = torch.Generator().manual_seed(derive("pretraining", seed, step))
        for group in optimiser.param_groups:
            rate = config.pretraining_lr * config.batch / 256
            group["lr"] = rate * lr_factor(step / steps, "cosine", WARMUP)
        x = batches.plain(generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
            loss = reconstruction(network, decoder, x, generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        last = step + 1 == steps
        if (step + 1) % REPORT_STEPS == 0 or last:
            report("", step + 1, steps, pretraining_loss=_finite(loss, step))
        if (step + 1) % config.checkpoint_steps == 0 and not last:
            _finite(loss, step)
            unit.keep(both, optimiser, step + 1)
    optimiser.zero_grad(set_to_none=True)


def _decoder(network: MAEViT) -> Decoder:
    pixels = network.patch**2 * network.vit.in_chans
    width = network.config.decoder_width
    return Decoder(network.config, network.vit.embed_dim, positions(network.grid, width), pixels)


def _optimiser(both: nn.ModuleDict, config: MAEViTConfig) -> torch.optim.Optimizer:
    """Of everything but the head and the fixed positions."""
    idle = ("network.vit.head.", "network.vit.fc_norm.", "network.vit.pos_embed")
    used = [value for name, value in both.named_parameters() if not name.startswith(idle)]
    return torch.optim.AdamW(
        [
            {"params": [value for value in used if value.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [value for value in used if value.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.pretraining_lr,
        betas=BETAS,
    )


def _finite(loss: Tensor, step: int) -> float:
    value = float(loss.detach())
    if value != value or value in (float("inf"), float("-inf")):
        raise Diverged(
            f"the pre-training's loss is not finite at step {step}",
            todo="lower classifier.pretraining_lr and start a new run",
        )
    return value


class Unit:
    """A finished preparation as a file, which all trainings of a folder that want the same one share; and how
    far it is. Without a folder nothing is kept.
    """

    def __init__(
        self, folder: Path | None, config: MAEViTConfig, batches: Batches, steps: int, seed: int
    ) -> None:
        """The name says the settings, the images (number, shape, mean and deviation), steps and seed."""
        what = [
            config.model_dump(mode="json", exclude={"precision", "checkpoint_steps"}),
            [*batches.images.shape],
            batches.normalise.mean.flatten().tolist(),
            batches.normalise.std.flatten().tolist(),
            steps,
            seed,
        ]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
        self.path = folder / f"prepared-{digest}.safetensors" if folder else None
        self.partial = self.path.with_suffix(".training") if self.path else None

    @contextmanager
    def alone(self, should_stop: ShouldStop) -> Iterator[None]:
        """One training of this process prepares it, the others wait, and then read it. Raises Stopped."""
        if self.path is None:
            yield
            return
        lock = _AT_WORK[self.path]
        while not lock.acquire(timeout=0.2):
            if should_stop():
                raise Stopped
        try:
            yield
        finally:
            lock.release()

    def read(self, vit: nn.Module) -> bool:
        """Whether it was there."""
        if self.path is None or not self.path.exists():
            return False
        vit.load_state_dict(load_state(self.path)["vit"])
        return True

    def write(self, vit: nn.Module) -> None:
        """It is finished."""
        if self.path is not None and self.partial is not None:
            save_state(self.path, {"vit": vit.state_dict()})
            self.partial.unlink(missing_ok=True)

    def keep(self, both: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
        """How far it is."""
        if self.partial is not None:
            state: dict[str, Any] = {"both": both.state_dict(), "optimiser": optimiser.state_dict()}
            save_state(self.partial, state | {"step": step})

    def resume(self, both: nn.Module, optimiser: torch.optim.Optimizer) -> int:
        """The step to go on from."""
        if self.partial is None or not self.partial.exists():
            return 0
        state = load_state(self.partial)
        both.load_state_dict(state["both"])
        load_optimizer(optimiser, state["optimiser"])
        return int(state["step"])
