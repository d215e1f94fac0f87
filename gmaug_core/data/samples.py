"""The synthetic images of a run: every one is kept, with what each judge said of it.

samples/step-K.npy      uint8 [m, h, w] or [m, h, w, 3], the images drawn in select-and-retrain step K
samples/step-K.parquet  one row an image and judge: sample, step, seed, label, class, draw_seed, logit,
                        probability, predicted, accepted, reason, calibrated (probability at the judge's
                        temperature); where the run has gates real_distance (root mean square difference to
                        the nearest training image, grey levels), class_distance (to the centre of its class,
                        as a share of what its gate allows), told_apart (log odds of being synthetic by its
                        pixels, above what its gate allows) and twin (the sample that it nearly repeats: the
                        first of its kind, which names itself)
samples/step-K.sums.npy a checksum an image: see data.checksums
samples/step-K/         while step K is drawn: the same rows and checksums, a file a batch
samples/real-K.parquet  what the judges of step K say of the real validation images, a row an image and judge;
                        with each judge's temperature; from a cross-fitted judge what it says of the training
                        images, too, and which part an image is of (part: val or train)
A judge is the classifier of one seed. `sample` counts through all steps, so it names one image of the run.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from numpy.typing import NDArray

from gmaug_core import seals
from gmaug_core.data import checksums, parquet
from gmaug_core.errors import Damaged

log = logging.getLogger("gmaug")
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
# not in the files of every run
OPTIONAL_COLUMNS = [
    "calibrated",
    "real_distance",
    "class_distance",
    "told_apart",
    "twin",
    "temperature",
    "part",
]
REAL_COLUMNS = [name for name in COLUMNS if name not in ("sample", "draw_seed")]
GREY = 128  # grey level of an image that cannot be shown
KEPT, TURNED_AWAY = "kept by a person", "rejected by a person"  # reasons that no filter gives
# offered as synthetic, but an image of a part that nothing may be trained on: no person can keep it
VALIDATION_IMAGE, TEST_IMAGE = "validation image", "test image"
HELD_OUT = (VALIDATION_IMAGE, TEST_IMAGE)


def _present(columns: list[str], rows: pd.DataFrame) -> list[str]:
    """The columns, and the optional ones that the rows have."""
    return [*columns, *(name for name in OPTIONAL_COLUMNS if name in rows)]


def steps(folder: Path) -> list[int]:
    """The steps that were written, in order."""
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("step-*.parquet"))


class GrowingStep:
    """A step while it is drawn. A batch that was added stays, whenever the process ends: opened again, the
    step goes on behind it. In memory is never more than a batch of images.
    """

    def __init__(self, folder: Path, step: int, shape: tuple[int, ...]) -> None:
        """shape: of one image, uint8 [h, w] or [h, w, 3]."""
        self._folder, self._step, self._shape = folder, step, shape
        self._parts = folder / f"step-{step}"
        self._parts.mkdir(parents=True, exist_ok=True)
        self._written: list[Path] = []
        self._sums: list[checksums.Sums] = []
        self.count = 0
        """Images that it has so far."""
        self._pixels = (folder / f"step-{step}.npy").open("r+b" if self._npy_exists() else "w+b")
        self._header(0)
        self._take_up()
        self._pixels.truncate(self._end)

    def _take_up(self) -> None:
        """The batches that are there as they were written; from a damaged one on they are drawn again."""
        parts = sorted(self._parts.glob("*.parquet"))
        for number, path in enumerate(parts):
            try:
                images = int(parquet.read(path)["sample"].nunique())
                found = self._sums_of(images)
                known = checksums.read(path.with_suffix(checksums.SUFFIX))
                if not np.array_equal(found, found if known is None else known):
                    raise seals.broken(path.stem, "its images are not those that were drawn")
            except Damaged as error:
                log.warning("drawn again from batch %d of step %d on: %s", number, self._step, error.what)
                for lost in parts[number:]:
                    lost.unlink()
                return
            self._written.append(path)
            self._sums.append(found)
            self.count += images

    def _sums_of(self, images: int) -> checksums.Sums:
        """Of the next images in the file, as many as it has."""
        size = math.prod(self._shape)
        self._pixels.seek(self._end)
        data = self._pixels.read(images * size)
        pixels = np.frombuffer(data[: len(data) // size * size], np.uint8)
        return checksums.of(pixels.reshape(-1, *self._shape))

    def _npy_exists(self) -> bool:
        return (self._folder / f"step-{self._step}.npy").exists()

    @property
    def _end(self) -> int:
        """Bytes of the header and of all images so far."""
        return self._start + self.count * int(np.prod(self._shape))

    def _header(self, images: int) -> None:
        """What numpy.save writes first; it leaves room for any number, so it can be written again."""
        self._pixels.seek(0)
        about = {"descr": "|u1", "fortran_order": False, "shape": (images, *self._shape)}
        npy.write_array_header_1_0(self._pixels, about)
        self._start = self._pixels.tell()

    def table(self) -> pd.DataFrame:
        """The rows of all batches so far, in the order in which they were added."""
        parts = [parquet.read(path) for path in self._written]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)

    def images(self) -> NDArray[np.uint8]:
        """Those that it has so far, mapped: uint8 [m, h, w] or [m, h, w, 3]."""
        if not self.count:
            return np.zeros((0, *self._shape), np.uint8)
        return np.memmap(self._pixels.name, np.uint8, "r", self._start, (self.count, *self._shape))

    def add(self, images: NDArray[np.uint8], rows: pd.DataFrame) -> None:
        """Store a batch, uint8 [m, h, w] or [m, h, w, 3], with its verdicts: the images first, so that a
        batch without its rows is no batch."""
        self._pixels.seek(self._end)
        self._pixels.write(np.ascontiguousarray(images).data)
        self._pixels.flush()
        os.fsync(self._pixels.fileno())
        path = self._parts / f"{len(self._written):06d}.parquet"
        self._sums.append(checksums.of(images))
        checksums.write(path.with_suffix(checksums.SUFFIX), self._sums[-1])
        parquet.write(path, rows[_present(COLUMNS, rows)])
        self._written.append(path)
        self.count += len(images)

    def finish(self) -> None:
        """Make it a step like any other."""
        self._header(self.count)
        self._pixels.flush()
        os.fsync(self._pixels.fileno())
        self.close()
        sums = np.concatenate(self._sums) if self._sums else np.zeros(0, np.uint64)
        checksums.write(self._folder / f"step-{self._step}{checksums.SUFFIX}", sums)
        parquet.write(self._folder / f"step-{self._step}.parquet", self.table())
        shutil.rmtree(self._parts)

    def close(self) -> None:
        """Let go of the file; nothing is lost."""
        self._pixels.close()


def write_step(folder: Path, step: int, images: NDArray[np.uint8], table: pd.DataFrame) -> None:
    """Store a whole step at once."""
    growing = GrowingStep(folder, step, images.shape[1:])
    growing.add(images, table)
    growing.finish()


def write_real(folder: Path, step: int, table: pd.DataFrame) -> None:
    """Store what the judges of a step say of the real validation images; REAL_COLUMNS."""
    parquet.write(folder / f"real-{step}.parquet", table[_present(REAL_COLUMNS, table)])


def real_table(folder: Path) -> pd.DataFrame:
    """The verdicts on real validation images of all steps; REAL_COLUMNS. Empty in runs from before they were
    kept."""
    parts = [parquet.read(path) for path in sorted(folder.glob("real-*.parquet"))]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=REAL_COLUMNS)


def table(folder: Path, seed: int | None = None) -> pd.DataFrame:
    """All verdicts, or those of one judge; COLUMNS as described above, ordered by sample.

    Empty while nothing was written.
    """
    parts = [parquet.read(folder / f"step-{step}.parquet") for step in steps(folder)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    if seed is not None:
        rows = rows[rows["seed"] == seed]
    return rows.sort_values(["sample", "seed"], kind="stable", ignore_index=True)


def image(folder: Path, sample: int) -> NDArray[np.uint8]:
    """One image, [h, w] or [h, w, 3]. Raises KeyError for a number that is not there, errors.Damaged where
    it is not what was drawn."""
    first = 0
    for step in steps(folder):
        path = folder / f"step-{step}.npy"
        images = checksums.length(path)
        if first <= sample < first + images:
            return checksums.one(path, sample - first)
        first += images
    raise KeyError(sample)


def some_images(folder: Path, numbers: Sequence[int]) -> NDArray[np.uint8]:
    """Some images in the order that is asked for, [n, h, w] or [n, h, w, 3]; n at least 1. One that is not
    what was drawn is grey: `image` says what is wrong. Raises KeyError for a number that is not there."""
    wanted, first = np.asarray(numbers, np.int64), 0
    found: NDArray[np.uint8] | None = None
    missing = np.ones(len(wanted), bool)
    for step in steps(folder):
        path = folder / f"step-{step}.npy"
        sums = checksums.read(path.with_suffix(checksums.SUFFIX))
        of_step = checksums.mapped(path, sums)
        own = (wanted >= first) & (wanted < first + len(of_step))
        if own.any():
            found = np.empty((len(wanted), *of_step.shape[1:]), np.uint8) if found is None else found
            rows = wanted[own] - first
            drawn = of_step[rows]
            if sums is not None:
                drawn[checksums.of(drawn) != sums[rows]] = GREY
            found[own] = drawn
            missing &= ~own
        first += len(of_step)
    if found is None or missing.any():
        raise KeyError(int(wanted[missing][0]))
    return found


def images_of(folder: Path, step: int) -> NDArray[np.uint8]:
    """The images of a step, memory-mapped: [m, h, w] or [m, h, w, 3]. Raises errors.Damaged that names those
    that are not what was drawn."""
    return checksums.whole(folder / f"step-{step}.npy")


def all_images(folder: Path) -> NDArray[np.uint8]:
    """Every image of the run, ordered by sample number: [m, h, w] or [m, h, w, 3]. Raises errors.Damaged."""
    return np.concatenate([images_of(folder, step) for step in steps(folder)])


def count(folder: Path) -> int:
    """How many images were drawn: samples are 0 to count - 1."""
    return sum(checksums.length(folder / f"step-{step}.npy") for step in steps(folder))


# --- what people decided about them ---


def overruled(table: pd.DataFrame, keep: Collection[int], reject: Collection[int]) -> pd.DataFrame:
    """The rows as people decided about them: accepted, or not, with a reason of its own. keep, reject: draw
    seeds; without any, the rows as they are. Images of held-out parts stay out."""
    if not keep and not reject:
        return table
    kept, turned_away = (table["draw_seed"].isin(list(seeds)).to_numpy() for seeds in (keep, reject))
    kept = kept & ~_held_out(table)
    return table.assign(
        accepted=(table["accepted"].to_numpy(bool) | kept) & ~turned_away,
        reason=np.select([turned_away, kept], [TURNED_AWAY, KEPT], table["reason"].to_numpy(object)),
    )


def decided(table: pd.DataFrame, decisions: Mapping[int, str]) -> NDArray[np.bool_]:
    """Kept or not, row by row: what a person decided (sample -> keep | reject) wins over the filter, but for
    images of held-out parts."""
    decision = table["sample"].map(dict(decisions))
    kept = (decision == "keep") | (table["accepted"].astype(bool) & (decision != "reject"))
    return np.asarray(kept, bool) & ~_held_out(table)


def settled(table: pd.DataFrame, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What another rule accepts, bool [rows], and what no rule decides: the decisions that the rows know of,
    and images of held-out parts."""
    if "reason" not in table:
        return accepted
    reason = table["reason"].to_numpy(object)
    return np.asarray((accepted | (reason == KEPT)) & (reason != TURNED_AWAY) & ~_held_out(table), bool)


def first_of_twins(table: pd.DataFrame, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the accepted rows those that nearly repeat no earlier accepted one: bool [rows], a judge each."""
    order = np.argsort(table["sample"].to_numpy(), kind="stable")
    mine = order[accepted[order]]
    found = np.zeros(len(table), bool)
    found[mine[~table.iloc[mine].duplicated(["step", "seed", "twin"]).to_numpy()]] = True
    return found


def _held_out(table: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(table["reason"].isin(HELD_OUT), bool)
