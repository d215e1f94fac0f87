"""The synthetic images of a run: every one is kept, with what each judge said of it.

samples/step-K.npy      uint8 [m, h, w] or [m, h, w, 3], the images drawn in select-and-retrain step K
samples/step-K.parquet  one row an image and judge: sample, step, seed, label, class, draw_seed, logit,
                        probability, predicted, accepted, reason
A judge is the classifier of one seed. `sample` counts through all steps, so it names one image of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.errors import InputError
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
VERDICTS = ("all", "accepted", "rejected")
DECISIONS = ("any", "undecided", "keep", "reject", "overruled")
ORDERS = ("drawn", "score, low first", "score, high first")


def steps(folder: Path) -> list[int]:
    """The steps that were written, in order."""
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("step-*.parquet"))


def write_step(folder: Path, step: int, images: NDArray[np.uint8], table: pd.DataFrame) -> None:
    """Store a step whole: the table last, so that a step without its table is no step."""
    atomic_write(folder / f"step-{step}.npy", lambda file: np.save(file, images))
    atomic_write(folder / f"step-{step}.parquet", lambda file: table[COLUMNS].to_parquet(file, index=False))


def table(folder: Path, seed: int | None = None) -> pd.DataFrame:
    """All verdicts, or those of one judge; COLUMNS as described above, ordered by sample.

    Empty while nothing was written.
    """
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


def count(folder: Path) -> int:
    """How many images were drawn: samples are 0 to count - 1."""
    return sum(len(np.load(folder / f"step-{step}.npy", mmap_mode="r")) for step in steps(folder))


# --- looking through them ---


@dataclass(frozen=True)
class Filter:
    """What a person wants to see. Empty text or None: no restriction.

    Raises InputError for a word that is none.
    """

    seed: int = 0  # whose verdicts: the judge is the classifier of this seed
    verdict: str = "all"
    name: str = ""  # class
    reason: str = ""
    step: int | None = None
    decision: str = "any"
    order: str = "drawn"

    def __post_init__(self) -> None:
        for word, known in ((self.verdict, VERDICTS), (self.decision, DECISIONS), (self.order, ORDERS)):
            if word not in known:
                raise InputError(f"'{word[:20]}' is not a filter", expected="one of " + ", ".join(known))


def decided(table: pd.DataFrame, decisions: Mapping[int, str]) -> NDArray[np.bool_]:
    """Kept or not, row by row: what a person decided (sample -> keep | reject) wins over the filter."""
    decision = table["sample"].map(dict(decisions))
    kept = (decision == "keep") | (table["accepted"].astype(bool) & (decision != "reject"))
    return np.asarray(kept, bool)


def chosen(rows: pd.DataFrame, want: Filter, decisions: Mapping[int, str]) -> pd.DataFrame:
    """The rows of `table` that a filter asks for, in its order: one a sample, by the judge of want.seed."""
    rows = rows[rows["seed"] == want.seed]
    if want.verdict != "all":
        rows = rows[rows["accepted"].astype(bool) == (want.verdict == "accepted")]
    if want.name:
        rows = rows[rows["class"] == want.name]
    if want.reason:
        rows = rows[rows["reason"] == want.reason]
    if want.step is not None:
        rows = rows[rows["step"] == want.step]
    if want.decision != "any":
        decision = rows["sample"].map(dict(decisions))
        if want.decision == "undecided":
            rows = rows[decision.isna()]
        elif want.decision == "overruled":
            rows = rows[decision.notna() & (decided(rows, decisions) != rows["accepted"].astype(bool))]
        else:
            rows = rows[decision == want.decision]
    if want.order != "drawn":
        rows = rows.sort_values("probability", ascending=want.order.endswith("low first"), kind="stable")
    return rows
