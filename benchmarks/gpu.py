"""What a GPU gives: agreement with the CPU, SSIM pairs a second, steps of a classifier, images a second and
memory of the three lanes.

    python -m benchmarks.gpu --out gpu.json [--seconds 240] [--device cuda]

Each part is written as soon as it is measured, and none begins after the seconds are over. --device cpu with
a few seconds tries the script itself where there is no GPU.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.about import machine
from gmaug_core.config import GENERATORS, augmentation_config
from gmaug_core.files import write_json
from gmaug_core.models import classifiers, generators
from gmaug_core.models.generators import cost
from gmaug_core.scoring.ssim import ssim_pairs
from gmaug_core.scoring.ssim_torch import ssim_pairs_torch

SIDES = (64, 128)
CLASSES = 10
STEPS = 40  # of a classifier
PAIRS = {"cuda": 200_000, "cpu": 2_000}


def similarity(device: str) -> dict[str, float]:
    """SSIM of random pairs at 128 px grey: pairs a second, and the largest difference from the CPU's."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1000, 128, 128), dtype=np.uint8)
    pairs = rng.integers(0, len(images), (PAIRS[torch.device(device).type], 2))
    few = pairs[:1000]
    apart = np.abs(ssim_pairs_torch(images, few, device=device) - ssim_pairs(images, few)).max()
    begun = time.perf_counter()
    ssim_pairs_torch(images, pairs, device=device)  # its answer is on the CPU: the GPU has ended
    return {"pairs_per_s": len(pairs) / (time.perf_counter() - begun), "largest_difference": float(apart)}


def lane(name: str, side: int, device: str) -> dict[str, Any]:
    """A generator of the preset `standard`, with its network of that size: what cost.measure finds."""
    config = augmentation_config(
        "none",
        image_size=side,
        colour="rgb",
        preset="standard",
        generator=name,
        overrides={"generator": {"resolution": side}},
    )
    return cost.measure(generators.create, config.generator, CLASSES, device)


def classifier(side: int, device: str) -> dict[str, float]:
    """Steps a second of the preset `standard`'s classifier at its batch, on random colour images."""
    config = augmentation_config(
        "none", image_size=side, colour="rgb", preset="standard", overrides={"device": device}
    ).classifier
    lower = torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    config = config.model_copy(update={"precision": "bfloat16" if lower else "float32"})
    images = np.random.default_rng(0).integers(0, 256, (1000, side, side, 3), dtype=np.uint8)
    labels = np.arange(1000) % CLASSES
    seconds = []
    for steps in (STEPS, 3 * STEPS):  # the difference leaves out what a training costs once
        begun = time.perf_counter()
        classifiers.train(images, labels, CLASSES, config, seed=0, steps=steps, device=device)
        seconds.append(time.perf_counter() - begun)
    return {"steps_per_s": 2 * STEPS / (seconds[1] - seconds[0]), "batch": config.batch}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    name = torch.cuda.get_device_name(0) if args.device.startswith("cuda") else platform.processor()
    document: dict[str, Any] = {
        "device": name,
        "machine": machine(),
    }
    parts: dict[str, Callable[[], Any]] = {"similarity": partial(similarity, args.device)}
    parts |= {f"classifier-{side}": partial(classifier, side, args.device) for side in (32, *SIDES)}
    for side in SIDES:
        parts |= {f"{key}-{side}": partial(lane, key, side, args.device) for key in GENERATORS}
    begun = time.monotonic()
    for key, part in parts.items():
        if time.monotonic() - begun > args.seconds:
            document[key] = "not measured: the time was over"
        else:
            try:
                document[key] = part()
            except (RuntimeError, MemoryError) as error:  # this figure cannot be had; the others can
                document[key] = f"failed: {error}"
        print(key, document[key], flush=True)
        write_json(args.out, document)


if __name__ == "__main__":
    main()
