"""The synthetic images of a run: every one is kept, with what each judge said of it.

samples/step-K.npy      uint8 [m, h, w] or [m, h, w, 3], the images drawn in select-and-retrain step K
samples/step-K.parquet  one row an image and judge: sample, step, seed, label, class, draw_seed, logit, probability,
                        predicted, accepted, reason
A judge is the classifier of one seed. `sample` counts through all steps, so it names one image of the run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.files import atomic_write

COLUMNS = [
    "sample",
    "step",
    "seed",
    "label",
    "class",
    "draw_seed",
    "logit",
    "probability",
    "predicted",
    "accepted",
    "reason",
]


def steps(folder: Path) -> list[int]:
    """The steps that were written, in order."""
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("step-*.parquet"))


def write_step(folder: Path, step: int, images: NDArray[np.uint8], table: pd.DataFrame) -> None:
    """Store a step whole: the table last, so that a step without its table is no step."""
    atomic_write(folder / f"step-{step}.npy", lambda file: np.save(file, images))
    atomic_write(folder / f"step-{step}.parquet", lambda file: table[COLUMNS].to_parquet(file, index=False))


def table(folder: Path, seed: int | None = None) -> pd.DataFrame:
    """All verdicts, or those of one judge; COLUMNS as described above, ordered by sample. Empty while nothing was written."""
    parts = [pd.read_parquet(folder / f"step-{step}.parquet") for step in steps(folder)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    if seed is not None:
        rows = rows[rows["seed"] == seed]
    return rows.sort_values(["sample", "seed"], kind="stable", ignore_index=True)


def image(folder: Path, sample: int) -> NDArray[np.uint8]:
    """One image, [h, w] or [h, w, 3]. Raises KeyError for a number that is not there."""
    first = 0
    for step in steps(folder):
        images = np.load(folder / f"step-{step}.npy", mmap_mode="r")
        if first <= sample < first + len(images):
            return np.array(images[sample - first])
        first += len(images)
    raise KeyError(sample)


def all_images(folder: Path) -> NDArray[np.uint8]:
    """Every image of the run, ordered by sample number: [m, h, w] or [m, h, w, 3]."""
    return np.concatenate([np.load(folder / f"step-{step}.npy", mmap_mode="r") for step in steps(folder)])
