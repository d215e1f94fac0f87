"""Damaged files of a run, found by their checksums and put aside, so that they are made again.

Every unit of work is a file that depends on the config and its own name alone: one that is gone is done again
and comes out the same. What depends on a damaged file goes with it.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from gmaug_core import seals
from gmaug_core.data import checksums
from gmaug_core.errors import Damaged, GMAugError
from gmaug_core.files import read_json
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import RunPaths, damaged_metrics, read_result, sift_metrics

SIDE = ".damaged"  # added to the name of what was put aside
DONE = ("figures.json", "model.safetensors", "config.json")  # a generator is there when all of them are
log = logging.getLogger("gmaug")


def damaged(paths: RunPaths) -> list[str]:
    """The kept files of a run that are not what was written, relative to its folder; reads all of them.

    Raises Damaged where that is its config, without which nothing can be made again.
    """
    RunConfigFile.read(paths.config)
    found = [str(path.relative_to(paths.folder)) for path in _broken(paths.folder)]
    if damaged_metrics(paths):
        found.append(paths.metrics.name)
    try:
        read_result(paths)
    except GMAugError:
        found.append(paths.result.name)
    return found


def put_aside(paths: RunPaths) -> list[str]:
    """Put the damaged units of a run, and the result that rests on them, aside; returns their names."""
    found = damaged(paths)
    for name in found:
        path = paths.folder / name
        if path == paths.metrics:  # no result rests on it, and no training is done again for its rows
            log.warning("%s is damaged: it keeps its whole rows, and is put aside as it was", name)
            shutil.copyfile(path, path.with_name(path.name + SIDE))
            sift_metrics(paths)
            continue
        log.warning("%s is damaged: put aside, and made again", name)
        for each in _with_what_rests_on(path):
            each.replace(each.with_name(each.name + SIDE))
    if set(found) - {paths.metrics.name} and paths.result.exists():
        paths.result.replace(paths.result.with_name(paths.result.name + SIDE))
    return found


def _broken(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith((SIDE, ".tmp")) and path.parent != folder:
            try:
                _check(path)
            except FileNotFoundError:  # the run is at work, and has finished with it
                continue
            except Damaged:
                yield path


def _check(path: Path) -> None:
    if path.suffix == ".json":
        read_json(path)
    elif path.match("samples/step-*.npy") and not path.name.endswith(checksums.SUFFIX):
        if path.with_suffix(".parquet").exists():  # else it is being drawn, and its batches are checked then
            checksums.whole(path)
    elif path.suffix == ".parquet":
        from gmaug_core.data import parquet  # pandas: a third of a second

        parquet.read(path)
    elif path.suffix in (".npy", ".bits", ".safetensors", ".training"):
        seals.check(path)


def _with_what_rests_on(path: Path) -> Iterator[Path]:
    """The file, and those beside it that say that it is there."""
    beside = [path]
    if path.parent.name.startswith("generator") and path.name in DONE:
        beside = [path.with_name(name) for name in DONE]
    elif path.parent.name.startswith("generator"):  # its best weights go with the training that found them
        beside = [each for each in path.parent.glob("*.safetensors") if each.name not in DONE]
    elif path.name.endswith(".looks.npy"):  # looks of a training that would not look again
        beside = [path, path.with_name(path.name.removesuffix(".looks.npy") + ".training")]
    elif path.parent.name == "samples" and path.name.startswith("step-"):
        step = path.name.partition(".")[0]
        beside = [path.with_name(step + end) for end in (".parquet", ".npy", checksums.SUFFIX)]
    yield from (each for each in beside if each.exists())
