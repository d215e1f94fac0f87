"""A classifier that another run of this workspace has trained already is taken from there, not trained
again.

What one run may take from another is a unit of work that depends on real images alone: the baseline, a
control, a training of a verdict. Beside its weights lies a note with a digest of everything that decides
them. Where the digests are equal the weights are, to the last bit; a name decides nothing. Without torch, as
a fast verdict is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

import gmaug_core
from gmaug_core import seals
from gmaug_core.config import ClassifierConfig
from gmaug_core.config.documents import Document
from gmaug_core.errors import GMAugError
from gmaug_core.files import write_bytes

# what computes a unit: weights of other code are other weights
CODE = ("data/decode.py", "data/views.py", "method/recipes.py", "method/training.py", "models/classifiers")
Folders = Callable[[], Iterable[Path]]


class Unit(Document):
    """Which classifier lies in a file: what decided its weights, and which run trained it."""

    TITLE = "note of a trained classifier"
    FILE = "checkpoints/unit-<digest>.json"
    SCHEMA = 1

    file: str
    """The file of its weights, beside this one."""
    run: str
    """The run that trained it; another one than this folder's where the weights were taken from there."""
    decided_by: dict[str, JsonValue]
    """Everything that decides the weights: their digest is in the name of this file."""


def digest(decided_by: Mapping[str, Any]) -> str:
    """Of everything that decides a unit: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()


def decides(
    *,
    dataset_version: str,
    image_format: str,
    index: NDArray[np.int64],
    normalise_on: NDArray[np.int64],
    config: ClassifierConfig,
    recipe: str,
    value: float,
    seed: int,
    steps: int,
    machine: str,
) -> dict[str, JsonValue]:
    """Everything that decides the weights of a classifier trained on real images.

    dataset_version: hash of all images and labels; index: int64, those trained on, in their order;
    normalise_on: those whose mean and deviation normalise the input; steps: of a whole training; machine:
    what computes (models.devices.arithmetic).
    """
    settings = config.model_dump(mode="json")
    if settings["precision"] == "auto":
        settings["precision"] = "float32"  # as models.classifiers.train reads it
    files: dict[str, JsonValue] = {
        key: hashlib.sha256(Path(value).read_bytes()).hexdigest()
        for key, value in settings.items()
        if isinstance(value, str) and Path(value).is_absolute() and Path(value).is_file()
    }
    return {
        "dataset": dataset_version,
        "images": image_format,
        "index": hashed(index),
        "normalise_on": hashed(normalise_on),
        "classifier": settings,
        "files": files,
        "recipe": recipe,
        "value": value,
        "seed": seed,
        "steps": steps,
        "machine": machine,
        "code": _code(),
    }


def hashed(index: NDArray[np.int64]) -> str:
    """Of some images, in their order."""
    return hashlib.sha256(np.ascontiguousarray(index, "<i8").tobytes()).hexdigest()


@cache
def _code() -> str:
    """Of the source that trains, since the same settings mean something else to other code."""
    home = Path(gmaug_core.__file__).parent
    found = hashlib.sha256()
    for place in CODE:
        for path in sorted((home / place).glob("*.py")) if (home / place).is_dir() else [home / place]:
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@dataclass(frozen=True)
class Shared:
    """The units of one run, and where it may take some from.

    run: its id; own: its folder of finished units; others: those of other runs, asked for when one is needed.
    """

    run: str
    own: Path
    others: Folders = tuple

    def take(self, path: Path, decided_by: Mapping[str, Any]) -> str | None:
        """Copy the unit from another run to `path`, inside `own`. Returns the run that trained it; None where
        there is none like it.
        """
        name = _note(decided_by)
        for folder in self.others():
            try:
                unit = Unit.read(folder / name)
                weights = seals.read(folder / unit.file)
            except (FileNotFoundError, GMAugError):  # never there, deleted this moment, or of another version
                continue
            if unit.decided_by == decided_by:
                self._write(path, decided_by, unit.run)
                write_bytes(path, weights)  # last: a unit is there when its weights are
                return unit.run
        return None

    def note(self, path: Path, decided_by: Mapping[str, Any], *, begun: bool) -> None:
        """Say what will be in `path`, a unit that this run trains, so that others find it.

        begun: an earlier attempt did some of its steps. If that one was of other code, the unit is of
        neither, and no note says what it is.
        """
        if not begun:
            self._write(path, decided_by, self.run)
        elif not (self.own / _note(decided_by)).exists():
            for other in self.own.glob("unit-*.json"):
                if Unit.read(other).file == path.name:
                    other.unlink()

    def _write(self, path: Path, decided_by: Mapping[str, Any], run: str) -> None:
        unit = Unit.new(file=path.name, run=run, decided_by=dict(decided_by))
        unit.write(self.own / _note(decided_by))

    def taken(self) -> dict[str, str]:
        """The finished units that another run trained: name -> that run."""
        units = (Unit.read(path) for path in sorted(self.own.glob("unit-*.json")))
        return {
            Path(unit.file).stem: unit.run
            for unit in units
            if unit.run != self.run and (self.own / unit.file).exists()
        }


def _note(decided_by: Mapping[str, Any]) -> str:
    return f"unit-{digest(decided_by)[:32]}.json"
