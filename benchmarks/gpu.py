"""What a GPU gives: agreement with the CPU, SSIM pairs a second, images a second and memory of the three
lanes, and a whole augmentation run of the demo.

    python -m benchmarks.gpu --out gpu.json [--seconds 420] [--device cuda]

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

from gmaug_core.config import GENERATORS, augmentation_config
from gmaug_core.data import dataset, demo
from gmaug_core.files import write_json
from gmaug_core.method import experiment
from gmaug_core.models import generators
from gmaug_core.models.generators import cost
from gmaug_core.scoring.ssim import ssim_pairs
from gmaug_core.scoring.ssim_torch import ssim_pairs_torch
from gmaug_core.workspace import groupings

SIDES = (64, 128)
CLASSES = 10
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


def whole_run(device: str, folder: Path) -> dict[str, Any]:
    """GM-augCls of the demo from end to end, quick preset: minutes, and what it found."""
    data = dataset.load(demo.make_demo())
    config = augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        symmetric=data.symmetric,
        overrides={"device": device},
    )
    begun = time.perf_counter()
    grouping = groupings.super_classes(data, groupings.names(data)[0])
    folder.mkdir(parents=True, exist_ok=True)
    result = experiment.run(config, data, grouping, out_dir=folder)
    return {"minutes": (time.perf_counter() - begun) / 60, "result": result.to_dict()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=420.0)
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    name = torch.cuda.get_device_name(0) if args.device.startswith("cuda") else platform.processor()
    document: dict[str, Any] = {
        "device": name,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    parts: dict[str, Callable[[], Any]] = {"similarity": partial(similarity, args.device)}
    for side in SIDES:
        parts |= {f"{key}-{side}": partial(lane, key, side, args.device) for key in GENERATORS}
    parts["demo"] = partial(whole_run, args.device, args.out.parent / "demo-run")
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
