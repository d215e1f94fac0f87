"""A run is a folder. This module spells every file name in it, finds runs, and reads what a run leaves
behind.

config.json (once, first) · status.json · metrics.jsonl (append) · log.txt · stop (exists = please stop) ·
run.lock · split.json · checkpoints/ · samples/ · result.json (last, atomic: its presence IS success); of a
run with several folds fold-K/ with split.json, checkpoints/, samples/ and result.json of its own; of one on a
cluster place.json and heartbeat.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from gmaug_core import seals
from gmaug_core.config.documents import Document
from gmaug_core.errors import Damaged, GMAugError, InputError
from gmaug_core.files import decoded, encoded, write_bytes
from gmaug_core.home import room
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.kinds import kind_of

ID = re.compile(r"[0-9A-Za-z-]{1,90}")
TORN = b" (torn)"  # ends a line of the metrics that a killed worker left half
TAIL_BYTES = 16_384  # of the metrics, more than a row takes
log = logging.getLogger("gmaug")


@dataclass(frozen=True)
class RunPaths:
    """Every file name of a run folder."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def status(self) -> Path:
        return self.folder / "status.json"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def stop(self) -> Path:
        return self.folder / "stop"

    @property
    def lock(self) -> Path:
        return self.folder / "run.lock"

    @property
    def place(self) -> Path:
        return self.folder / "place.json"

    @property
    def heartbeat(self) -> Path:
        return self.folder / "heartbeat"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def shown(self) -> Path:
        """Where the images lie that pages and exports show: of a run with several folds the first one's, of
        which its result tells, too."""
        first = self.folder / "fold-1"
        return first if first.is_dir() else self.folder

    @property
    def samples(self) -> Path:
        return self.shown / "samples"

    @property
    def split(self) -> Path:
        return self.shown / "split.json"

    @property
    def generator(self) -> Path:
        return self.shown / "checkpoints" / "generator"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"


def root() -> Path:
    """The folder of all runs."""
    return room("runs")


def find(run_id: str) -> RunPaths:
    """The folder of a run. Raises InputError for an id that is not there."""
    if not ID.fullmatch(run_id) or not (root() / run_id / "config.json").exists():
        known = [paths.id for paths in list_runs()][:3]
        raise InputError(
            f"there is no run '{run_id}'",
            expected="the id of a run" + (f", for example {', '.join(known)}" if known else ""),
            todo="list them with 'python -m gmaug_core runs'",
        )
    return RunPaths(root() / run_id)


def checkpoints(*, but: RunPaths) -> list[Path]:
    """The folders of finished units of all other runs, of folds as well."""
    found = [*root().glob("*/checkpoints"), *root().glob("*/fold-*/checkpoints")]
    return sorted(folder for folder in found if but.folder not in folder.parents)


def list_runs(kind: str | None = None, dataset: str | None = None) -> list[RunPaths]:
    """All runs whose config can be read, newest first: one that cannot be read is in `damaged` alone."""
    found = [
        (config.created, paths)
        for paths, config in _configs()
        if isinstance(config, RunConfigFile)
        and kind in (None, config.kind)
        and dataset in (None, config.settings.dataset)
    ]
    return [paths for _, paths in sorted(found, key=lambda item: item[0], reverse=True)]


def damaged(kind: str | None = None) -> list[tuple[RunPaths, GMAugError]]:
    """The runs whose config cannot be read, by id, each with the reason in words.

    Their dataset is unknown; their kind is the one that their id begins with.
    """
    return sorted(
        (
            (paths, config)
            for paths, config in _configs()
            if isinstance(config, GMAugError) and paths.id.startswith(f"{kind}-" if kind else "")
        ),
        key=lambda item: item[0].id,
    )


def _configs() -> Iterator[tuple[RunPaths, RunConfigFile | GMAugError]]:
    """Every run folder with its config, or with why that cannot be read."""
    for folder in root().iterdir():
        paths = RunPaths(folder)
        try:
            yield paths, _looked_up(paths.config)
        except (FileNotFoundError, NotADirectoryError):
            continue


def config_of(paths: RunPaths) -> RunConfigFile:
    """The config of a run that a list has, which this process may have read already. Raises GMAugError."""
    found = _looked_up(paths.config)
    if isinstance(found, GMAugError):
        raise found.with_traceback(None)
    return found


def _looked_up(path: Path) -> RunConfigFile | GMAugError:
    about = path.stat()
    return _config(path, (about.st_ino, about.st_size, about.st_mtime_ns))


@lru_cache(maxsize=4096)
def _config(path: Path, _as_it_is: tuple[int, int, int]) -> RunConfigFile | GMAugError:
    """Read once, since it never changes: a page of 500 runs would read them all at every click."""
    try:
        return RunConfigFile.read(path)
    except GMAugError as error:
        return error


def read_result(paths: RunPaths) -> Document | None:
    """The result as its kind's document, or None while there is none. Raises GMAugError for a damaged one."""
    if not paths.result.exists():
        return None
    return kind_of(RunConfigFile.read(paths.config).kind).result.read(paths.result)


def read_metrics(paths: RunPaths, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Whole lines from byte `offset` on, and the offset to go on from.

    A line still being written is left for later; one that is not what was written is left out, with a word in
    the log.
    """
    if not paths.metrics.exists():
        return [], 0
    with paths.metrics.open("rb") as file:
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    rows, broken = _rows(data[:end])
    if broken:
        log.warning("%d of the rows of %s of %s are damaged: left out", broken, paths.metrics.name, paths.id)
    return rows, offset + end


def newest_metrics(paths: RunPaths) -> dict[str, Any]:
    """The last whole row, read from the end alone: in no time, however long the run. Empty where there is
    none, or it is damaged or longer than TAIL_BYTES."""
    try:
        with paths.metrics.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return {}
    rows = _rows(lines[-2])[0] if len(lines) > 1 else []
    return rows[0] if rows else {}


def damaged_metrics(paths: RunPaths) -> int:
    """How many lines of the metrics are not what was written."""
    try:
        about = paths.metrics.stat()
    except FileNotFoundError:
        return 0
    return _damaged_rows(paths.metrics, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _damaged_rows(path: Path, _size: int, _changed: int) -> int:
    *whole, last = path.read_bytes().split(b"\n")
    begun = len(last.partition(seals.MARK)[2]) <= seals.DIGITS  # else only its end is not what it was
    return _rows(b"\n".join(whole))[1] + (not begun)


def sift_metrics(paths: RunPaths) -> None:
    """Leave the whole rows alone in the metrics."""
    rows, _ = _rows(paths.metrics.read_bytes())
    write_bytes(paths.metrics, b"".join(encoded(row, indent=None) + b"\n" for row in rows))


def _rows(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """The rows in whole lines, each with its checksum or from before there was one, and how many others there
    are. A line that a kill tore is none of them: the next attempt ended it, and wrote its row again."""
    rows, broken = list[dict[str, Any]](), 0
    for line in data.split(b"\n"):
        if not line or line.endswith(TORN):
            continue
        try:
            row = decoded(line, "metrics.jsonl")
        except Damaged:
            broken += 1
            continue
        if isinstance(row, dict):
            rows.append(row)
        else:
            broken += 1
    return rows, broken


def read_log(paths: RunPaths, characters: int = 20_000) -> str:
    """The end of the log."""
    if not paths.log.exists():
        return ""
    with paths.log.open("rb") as file:
        file.seek(max(0, paths.log.stat().st_size - characters))
        return file.read().decode("utf-8", "replace")
