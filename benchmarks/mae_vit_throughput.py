"""What a training step of MAE ViT costs beside a plain loop over the same timm network.

    python -m benchmarks.mae_vit_throughput [--steps 12] [--rounds 3] [--out FILE]

The quick preset at 32 px in colour, on random images, on one thread; both in turns. The plain loop: the same
network, batch, AdamW and cross-entropy on batches that are ready as normalised floats, without
augmentation, mixing, drop path or checkpoints. Ours: without all that, and as the preset says. CPU seconds a
step, since other work shares the machine; the ratio is plain / ours, above 1 where ours is faster.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gmaug_core.config import MAEViTConfig, augmentation_config
from gmaug_core.files import write_bytes
from gmaug_core.models import classifiers

BARE = {"augment": "none", "rand_augment": False, "erase": 0.0, "mixup": 0.0, "cutmix": 0.0, "drop_path": 0.0}
HERE = Path(__file__).parent / "results" / "mae_vit_throughput.json"


def plain(images: NDArray[np.uint8], labels: NDArray[np.int64], config: MAEViTConfig, steps: int) -> None:
    """The plain loop."""
    network = timm.models.VisionTransformer(
        img_size=config.image_size,
        patch_size=config.patch_size or 16,
        embed_dim=config.width,
        depth=config.depth,
        num_heads=config.heads,
        num_classes=5,
        global_pool="avg",
    ).train()
    optimiser = torch.optim.AdamW(network.parameters(), config.lr, weight_decay=config.weight_decay)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()
    y = torch.from_numpy(labels)
    for _ in range(steps):
        index = torch.randint(len(x), (config.batch,))
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(x[index]), y[index], label_smoothing=config.smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def seconds(work: Callable[[], object], steps: int) -> float:
    """CPU seconds a step."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / steps


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen = augmentation_config(
        "d", image_size=32, colour="rgb", preset="quick", overrides={"classifier": {"name": "mae_vit"}}
    ).classifier
    assert isinstance(chosen, MAEViTConfig)
    full = chosen.model_copy(update={"pretraining": 0.0})
    bare = full.model_copy(update=BARE)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (512, 32, 32, 3)).astype(np.uint8), rng.integers(0, 5, 512)
    found: dict[str, list[float]] = {"plain": [], "bare": [], "full": []}
    plain(images, labels, full, 2)  # what is done once
    for _ in range(given.rounds):
        found["plain"].append(seconds(lambda: plain(images, labels, full, given.steps), given.steps))
        for name, config in (("bare", bare), ("full", full)):
            work = lambda config=config: classifiers.train(  # noqa: E731
                images, labels, 5, config, seed=0, steps=given.steps
            )
            found[name].append(seconds(work, given.steps))
    best = {name: min(values) for name, values in found.items()}
    document = {
        "machine": {"processor": platform.machine(), "torch": torch.__version__, "timm": timm.__version__},
        "batch": full.batch,
        "steps": given.steps,
        "cpu_seconds_a_step": found,
        "ratio_bare": best["plain"] / best["bare"],
        "ratio_full": best["plain"] / best["full"],
    }
    write_bytes(given.out, json.dumps(document, indent=1).encode() + b"\n")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
