"""Two independent trainings of the quick preset's classifier on two cores: one after the other on both cores,
side by side as threads, side by side as processes.

    python -m benchmarks.classifiers_together [--steps 40] [--rounds 3] [--out FILE]

Each way does the same work in turn, `rounds` times, so that other work on the machine meets all of them;
seconds are wall-clock, without the start of the processes. Random images of 32 px in colour.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.pool
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from gmaug_core.config import augmentation_config
from gmaug_core.files import write_bytes
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Job

CONFIG = augmentation_config("d", image_size=32, colour="rgb", preset="quick").classifier
IMAGES = np.random.default_rng(0).integers(0, 256, (2000, 32, 32, 3)).astype(np.uint8)
LABELS = np.arange(2000) % 5


def one(seed: int, steps: int) -> None:
    """One training."""
    classifiers.train(IMAGES, LABELS, 5, CONFIG, seed=seed, steps=steps)


def in_turn(steps: int) -> None:
    """Each on all cores."""
    for seed in range(2):
        one(seed, steps)


def as_threads(steps: int) -> None:
    """Each on one core of one process."""
    classifiers.train_many([Job(str(seed), partial(_job, seed, steps)) for seed in range(2)])


def _job(seed: int, steps: int, _: Report, __: ShouldStop) -> None:
    one(seed, steps)


def alone(seed: int, steps: int) -> None:
    """In a process of its own, on one core."""
    torch.set_num_threads(1)
    one(seed, steps)


def ways(steps: int, pool: multiprocessing.pool.Pool) -> dict[str, Callable[[], object]]:
    """What is compared."""
    return {
        "in turn, each on both cores": lambda: in_turn(steps),
        "side by side, threads of one core each": lambda: as_threads(steps),
        "side by side, processes of one core each": lambda: pool.starmap(
            alone, [(seed, steps) for seed in range(2)], chunksize=1
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "classifiers_together.json"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    seconds: dict[str, list[float]] = {}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(alone, [(0, 1), (1, 1)], chunksize=1)  # torch is imported before the clock starts
        compared = ways(arguments.steps, pool)
        for _ in range(arguments.rounds):
            for name, way in compared.items():
                begin = time.perf_counter()
                way()
                seconds.setdefault(name, []).append(round(time.perf_counter() - begin, 2))
    document = {
        "what": f"two trainings of {arguments.steps} steps, 32 px in colour, batch {CONFIG.batch}",
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": 2,
            "torch": torch.__version__,
            "note": "other work ran on both cores",
        },
        "median_seconds": {name: statistics.median(each) for name, each in seconds.items()},
        "seconds": seconds,
    }
    write_bytes(arguments.out, (json.dumps(document, indent=1) + "\n").encode())
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
