"""The map of a run's images, real and synthetic, in the features of its judge: where each lies, how typical
it is of its class, what it is nearly a copy of. `work.mapping` makes it, again whenever it is asked to.

samples/map.parquet  a row an image: kind (real or sample), number (in the dataset, or sample), label, x and y
                     (0 to 1), typicality (distance to the centre of the real images of its class, 1: as the
                     median real image of the class), near_real, near_twin (nearly a training image; nearly
                     another sample)
samples/map.error    why the last attempt failed, in three parts
samples/map.lock     held while it is made; samples/map.log: what its process said
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core import locks
from gmaug_core.data import parquet
from gmaug_core.errors import Damaged, GMAugError, InputError
from gmaug_core.files import read_json, write_json

REAL, SAMPLE = "real", "sample"
OF_A_SAMPLE = ["sample", "x", "y", "typicality", "near_real", "near_twin"]
COLUMNS = {"kind", "number", "label", *OF_A_SAMPLE[1:]}
GRID = 1000  # an area's corners are whole numbers from 0 to this
MOST_CORNERS = 200


@dataclass(frozen=True)
class MapFiles:
    """The files of a map below a run's folder of samples."""

    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "map.parquet"

    @property
    def lock(self) -> Path:
        return self.folder / "map.lock"

    @property
    def log(self) -> Path:
        return self.folder / "map.log"

    @property
    def error(self) -> Path:
        return self.folder / "map.error"

    @property
    def version(self) -> int:
        """Another number when the map is another; 0 where there is none that can be read."""
        at = self._written()
        return at if at and isinstance(_read(self.table, at), pd.DataFrame) else 0

    def _written(self) -> int:
        return self.table.stat().st_mtime_ns if self.table.exists() else 0

    def at_work(self) -> bool:
        """Whether a process makes it now."""
        return locks.holder(self.lock) is not None

    def failed(self) -> GMAugError | None:
        """Why there is none although it was asked for, or made."""
        if self.error.exists():
            try:
                return GMAugError(**read_json(self.error))
            except Damaged:
                return GMAugError("the last attempt to make the map failed", todo="make it again")
        found = _read(self.table, at) if (at := self._written()) else None
        return found if isinstance(found, Damaged) else None

    def write(self, table: pd.DataFrame) -> None:
        parquet.write(self.table, table)
        self.error.unlink(missing_ok=True)

    def fail(self, error: GMAugError) -> None:
        write_json(self.error, error.to_dict())


@lru_cache(maxsize=8)
def _read(path: Path, _: int) -> pd.DataFrame | Damaged:
    """A map, or that it is damaged: read once."""
    try:
        table = parquet.read(path)
    except Damaged:
        table = pd.DataFrame()
    if COLUMNS <= set(table.columns):
        return table
    return Damaged(
        f"'{path.name}', the map of this run, is damaged",
        expected="the file as this program wrote it",
        todo="make it again",
    )


def read(folder: Path) -> pd.DataFrame | None:
    """The map of a run's folder of samples; None where none was made, or it is damaged."""
    files = MapFiles(folder)
    found = _read(files.table, files.version) if files.version else None
    return found if isinstance(found, pd.DataFrame) else None


def located(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Rows of samples.table with OF_A_SAMPLE beside them; as they are where there is no map."""
    table = read(folder)
    if table is None:
        return rows
    own = table[table["kind"] == SAMPLE].rename(columns={"number": "sample"})[OF_A_SAMPLE]
    return rows.merge(own, on="sample", how="left", validate="many_to_one")


def corners(area: str) -> NDArray[np.float64]:
    """An area as its corners, float [n, 2] in 0..1, from "x,y;x,y;..." in whole numbers 0..GRID.

    Raises InputError for what is no area.
    """
    try:
        found = np.array([[int(number) for number in corner.split(",")] for corner in area.split(";")], float)
    except ValueError:
        found = np.zeros((0, 2))
    if found.ndim != 2 or found.shape[1:] != (2,) or not 3 <= len(found) <= MOST_CORNERS:
        raise InputError(
            f"'{area[:20]}' is no area of the map", expected=f"3 to {MOST_CORNERS} corners as x,y;x,y;x,y"
        )
    return found / GRID


def inside(x: NDArray[np.float64], y: NDArray[np.float64], area: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points lie inside a polygon, bool [n]: a ray to the right crosses its border an odd number of
    times. area: float [corners, 2]; a point without a place (NaN) lies nowhere."""
    odd = np.zeros(len(x), bool)
    for (x0, y0), (x1, y1) in zip(area, np.roll(area, -1, axis=0), strict=True):
        spans = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            odd ^= spans & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return odd
