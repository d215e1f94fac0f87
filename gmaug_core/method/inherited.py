"""What a run with people's decisions takes over from the run that they are about: everything up to selection.

That are the split, the score, the trained generator, the classifiers trained on real images alone and on
unfiltered ones, and the first step's draws with the judges' verdicts, in which the decisions win. Whatever is
not there any more is made again by the run itself, from the same seeds.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from gmaug_core.config.selection import Decisions
from gmaug_core.data import checksums, parquet, samples, splits
from gmaug_core.files import atomic_write
from gmaug_core.method.shared import Unit


def take_over(parent: Path, child: Path, decisions: Decisions) -> None:
    """Copy it from the folder of one run to that of another. What is there stays; a kill at any moment leaves
    whole files, and the next call goes on."""
    for source in _finished(parent):
        _copy(source, child / source.relative_to(parent))
    _first_step(parent / "samples", child / "samples", decisions)


def _finished(parent: Path) -> Iterator[Path]:
    """The files that no decision changes; of a unit the file that says it is there comes last."""
    checkpoints = parent / "checkpoints"
    yield from (parent / splits.Split.FILE, checkpoints / "score.json")
    figures = checkpoints / "generator" / "figures.json"
    if figures.exists():
        yield from sorted(path for path in figures.parent.rglob("*") if path.is_file() and path != figures)
        yield figures
    for note in sorted(checkpoints.glob("unit-*.json")):
        yield from (note, checkpoints / Unit.read(note).file)
    yield from sorted(checkpoints.glob("classifier-unfiltered-*.safetensors"))


def _copy(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        with source.open("rb") as given:
            atomic_write(target, lambda file: shutil.copyfileobj(given, file))


def _first_step(parent: Path, child: Path, decisions: Decisions) -> None:
    """The step's images, and its verdicts as they are now: the latter say that the step was drawn."""
    verdicts = parent / "step-1.parquet"
    if not verdicts.exists() or (child / verdicts.name).exists():
        return
    for name in ("real-1.parquet", "step-1.npy", f"step-1{checksums.SUFFIX}"):
        _copy(parent / name, child / name)
    rows = samples.overruled(parquet.read(verdicts), decisions.keep, decisions.reject)
    parquet.write(child / verdicts.name, rows)
