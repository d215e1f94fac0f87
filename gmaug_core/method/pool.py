"""Synthetic images of one step with the verdicts of its judges, as they lie in the run folder. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.data import samples
from gmaug_core.data.views import View


@dataclass(frozen=True)
class Synthetic:
    """Synthetic images by class, in the order in which they were drawn."""

    images: View
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Everything drawn in one step, with one verdict an image and judge.

    images: uint8 [m, h, w] or [m, h, w, 3]; table: columns of samples.COLUMNS; wanted: int [classes], how
    many each class was short of.
    """

    step: int
    images: NDArray[np.uint8]
    table: pd.DataFrame
    wanted: NDArray[np.int64]
    class_names: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, step: int, wanted: NDArray[np.int64], class_names: tuple[str, ...]) -> Pool:
        """What samples.write_step wrote; the images stay on disk. Raises errors.Damaged."""
        table = samples.table(folder)
        images = samples.images_of(folder, step)
        return cls(step, images, table[table["step"] == step], wanted, class_names)

    def verdicts(self, seed: int) -> pd.DataFrame:
        """One judge's rows, in the order in which the images were drawn."""
        return self.table[self.table["seed"] == seed].sort_values("sample", kind="stable")

    def _take(self, rows: pd.DataFrame) -> Synthetic:
        """The first `wanted` rows of each class."""
        place = rows.groupby("label").cumcount().to_numpy()
        rows = rows[place < self.wanted[rows["label"].to_numpy(int)]]
        first = self.table["sample"].min() if len(self.table) else 0
        index = rows["sample"].to_numpy(int) - first
        return Synthetic(View([self.images], index), rows["label"].to_numpy(np.int64))

    def kept(self, seed: int) -> Synthetic:
        """What this judge accepted, up to what each class was short of: what a person kept first."""
        rows = self.verdicts(seed)
        rows = rows[rows["accepted"].astype(bool)]
        by_person = (rows["reason"] == samples.KEPT).to_numpy()
        return self._take(pd.concat([rows[by_person], rows[~by_person]]))

    def first_drawn(self) -> Synthetic:
        """The first draws of each class, whatever a judge said: the ablation's images. None of a part that
        nothing may be trained on."""
        rows = self.table[~self.table["reason"].isin(samples.HELD_OUT)]
        return self._take(rows.drop_duplicates("sample").sort_values("sample", kind="stable"))

    def account(self, seed: int, budget: NDArray[np.int64]) -> dict[str, Any]:
        """What this judge did with it, as parts.synthetic.Step. budget: int [classes], the most draws
        of each class."""
        rows = self.verdicts(seed)
        labels = rows.loc[rows["accepted"].astype(bool), "label"].to_numpy(int)
        accepted = np.bincount(labels, minlength=len(self.wanted))
        short = {
            name: int(w - a)
            for name, w, a in zip(self.class_names, self.wanted, accepted, strict=True)
            if a < w
        }
        numbers = {"wanted": int(self.wanted.sum()), "drawn": len(rows), "accepted": int(accepted.sum())}
        rate = numbers["accepted"] / len(rows) if len(rows) else None
        drawn = np.bincount(rows["label"].to_numpy(int), minlength=len(self.wanted))
        saved = {name: int(b - d) for name, b, d in zip(self.class_names, budget, drawn, strict=True)}
        return {
            "seed": seed,
            "step": self.step,
            **numbers,
            "accepted_per_draw": rate,
            "short": short,
            # drawing ended before the budget although images are missing: it could not have brought enough
            "hopeless": {name: saved[name] for name in short if saved[name] > 0},
        }
