"""Memory by number of images: a classifier's training, drawing, and what is read of the images drawn.

    OMP_NUM_THREADS=1 PYTHONPATH=. python -m benchmarks.flat_memory [--images 20000 100000]
        [--out benchmarks/results/flat_memory.json]

Each number in a process of its own. Traced: what Python and numpy held at most (tracemalloc), in MB; images
lie on disk and are mapped, so that a copy of them would be seen. The images drawn are given, not made: what a
generator needs for a batch does not depend on their number.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.about import machine
from gmaug_core.config import ResNetConfig, validate
from gmaug_core.data import samples
from gmaug_core.data.views import View
from gmaug_core.files import write_bytes
from gmaug_core.method.pool import Pool
from gmaug_core.models import classifiers

SIDE, CLASSES, BATCH, JUDGES = 32, 1000, 250, 3
MB = 1e6


def images_on_disk(folder: Path, count: int) -> NDArray[np.uint8]:
    """Random images, mapped."""
    path, rng = folder / "images.npy", np.random.default_rng(0)
    made = np.lib.format.open_memmap(path, "w+", np.uint8, (count, SIDE, SIDE, 3))
    for first in range(0, count, 5000):
        made[first : first + 5000] = rng.integers(0, 255, made[first : first + 5000].shape, np.uint8)
    made.flush()
    found: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return found


def verdicts(first: int, count: int) -> pd.DataFrame:
    """What the judges say of a batch."""
    number = np.arange(first, first + count)
    label = number % CLASSES
    one = {
        "sample": number,
        "step": 1,
        "label": label,
        "class": np.array([f"class {each}" for each in label], object),
        "draw_seed": number,
        "logit": 0.5,
        "probability": 0.5,
        "predicted": label,
        "accepted": number % 3 > 0,
        "reason": np.where(number % 3 > 0, "", "predicted another class").astype(object),
    }
    return pd.concat([pd.DataFrame(one | {"seed": seed}) for seed in range(JUDGES)], ignore_index=True)


def peaks(count: int, folder: Path) -> Iterator[tuple[str, float]]:
    """What is done, with its peak of traced memory in MB."""
    images = images_on_disk(folder, count)
    labels = np.arange(count) % 10
    config = validate(ResNetConfig, {"width": 4, "blocks": (1,), "steps": 8, "batch": 64})
    tracemalloc.start()

    def peak() -> float:
        found = tracemalloc.get_traced_memory()[1] / MB
        tracemalloc.reset_peak()
        return round(found, 1)

    classifiers.train(View([images], np.arange(count)), labels, 10, config, seed=0)
    yield "training a classifier", peak()
    growing = samples.GrowingStep(folder, 1, images.shape[1:])
    for first in range(0, count, BATCH):
        batch = images[first : first + BATCH]
        growing.add(batch, verdicts(first, len(batch)))
    yield "drawing", peak()
    growing.finish()
    yield "closing the step", peak()
    names = tuple(f"class {number}" for number in range(CLASSES))
    pool = Pool.read(folder, 1, np.full(CLASSES, count), names)
    pool.kept(0)
    pool.account(0, np.full(CLASSES, count))
    yield "reading what was kept", peak()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--one", action="store_true", help="in this process, for the first number alone")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.one:
        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(dict(peaks(args.images[0], Path(folder)))))
        return
    found: dict[str, object] = {"side": SIDE, "judges": JUDGES, "traced_peak_mb": (by_number := {})}
    for count in args.images:
        command = [sys.executable, "-m", "benchmarks.flat_memory", "--one", "--images", str(count)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        by_number[count] = {"images_mb": round(count * SIDE * SIDE * 3 / MB), **json.loads(said)}
    text = json.dumps(found | {"machine": machine()}, indent=1)
    print(text)
    if args.out:
        write_bytes(args.out, text.encode() + b"\n")


if __name__ == "__main__":
    main()
