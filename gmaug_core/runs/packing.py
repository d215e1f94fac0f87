"""A whole run as one file, for another workspace: a tar whose last entry lists every file with its SHA-256.

Nothing in it is code, and nothing of it is taken for true unseen: only kinds of files that a run has, each as
its list and its own checksum say, and settings that name no file of this workspace. A run at work can be
packed: what comes out is what a kill at that moment would have left.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gmaug_core import __version__
from gmaug_core.config import EquivalenceConfig, RunConfig, VerdictConfig
from gmaug_core.config.documents import Document
from gmaug_core.config.runs import AugmentationConfig
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import sync_folder
from gmaug_core.home import home, room
from gmaug_core.hooks import Report, no_report
from gmaug_core.locks import locked
from gmaug_core.runs import backup, folder, mending, restoring
from gmaug_core.runs.backup import BackedUp
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import RunPaths
from gmaug_core.runs.status import known_status
from gmaug_core.workspace import audit, roles

LIST = "packed.json"
# of what a run leaves behind; nothing else is packed or taken in
ENDINGS = frozenset(
    (".json", ".jsonl", ".txt", ".npy", ".bits", ".safetensors", ".training", ".parquet", ".png")
)
LEFT_OUT = ("stop", "place.json")  # what holds in its own workspace alone: a wish, the address of a cluster
NAMED = 3  # damaged files that a refusal names


class Packed(Document):
    """What a packed run holds."""

    TITLE = "list of a packed run"
    FILE = LIST
    SCHEMA = 1
    INDENT = None

    version: str
    """Of the program that wrote it."""
    made: float
    """When, in seconds since 1970."""
    run: str
    """The run's id where it was packed."""
    kind: str
    """The kind of run: a key of runs.kinds."""
    dataset: str
    """The id of its dataset, which is not in it: the same images have the same id everywhere."""
    dataset_name: str
    """The dataset's name, as people saw it."""
    files: tuple[BackedUp, ...]
    """Every file of its folder, in the order in which they lie in the archive."""


@dataclass(frozen=True)
class Unpacked:
    """What became of a packed run here."""

    run: str  # its id here
    renamed: bool  # whether its own id belonged to another run already
    dataset: str  # the id of its dataset
    dataset_name: str  # as people saw it where it was packed
    dataset_here: bool  # whether it is in this workspace, so that pages show the run and it can go on

    @property
    def words(self) -> str:
        """For the person."""
        said = f"The run is here as '{self.run}'."
        if self.renamed:
            said += " Its own id belongs to another run already."
        if not self.dataset_here:
            said += (
                f" Its dataset '{self.dataset_name}' ({self.dataset}) is not here: until the same images are "
                "imported, 'gmaug status' tells of the run, but no page shows it, and it cannot go on."
            )
        return said


@roles.guarded("export run")
def pack(run_id: str, out: Path, *, report: Report = no_report) -> Packed:
    """Write a run into a new file `out`, for its owner alone; there whole or not at all. Raises InputError
    where there is no such run, or `out` is there already, lies in the workspace or is no .tar."""
    backup.check_target(out)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            made = _written(folder.find(run_id), file, report)
            file.flush()
            os.fsync(file.fileno())
        backup.check_target(out)  # that may be there by now
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)
    return made


@roles.guarded("export run")
def pack_into(run_id: str, file: BinaryIO) -> Packed:
    """The same, into an open file: for a browser."""
    return _written(folder.find(run_id), file, no_report)


def _written(paths: RunPaths, file: BinaryIO, report: Report) -> Packed:
    config = RunConfigFile.read(paths.config)

    def listed(files: tuple[BackedUp, ...]) -> Packed:
        return Packed.new(
            version=__version__,
            made=time.time(),
            run=paths.id,
            kind=config.kind,
            dataset=config.settings.dataset,
            dataset_name=config.dataset_name,
            files=files,
        )

    with locked(room("bin") / ".lock", wait=True), backup.staged(home()) as staging:
        backup.link_run(paths.folder, staging / paths.id)
        sources = [
            (path, PurePosixPath(path.relative_to(staging / paths.id).as_posix()))
            for path in backup.files_of(staging / paths.id)
            if path.name not in LEFT_OUT and path.suffix in ENDINGS
        ]
        made = backup.archive(file, sources, report, listed)
    audit.record("run packed", paths.id)
    return made


@roles.guarded("import run")
def unpack(source: Path, *, name: str = "", report: Report = no_report) -> Unpacked:
    """Take in a run that `pack` wrote. name: of the file, as the person knows it. Raises InputError where it
    is none, is not whole, holds what no run does, or is here already; then nothing was put in place."""
    if not source.is_file():
        raise InputError(f"there is no file '{name or source.name}'", expected="a file that 'pack' wrote")
    with locked(room("bin") / ".lock", wait=True), backup.staged(home()) as staging:
        place = staging / "run"
        made = restoring.extract(source, place, report, LIST, Packed.read)
        (place / LIST).unlink()
        config = _checked(RunPaths(place), made)
        run_id = _free(made)
        if run_id != made.run:
            _renamed(RunPaths(place), config, run_id)
        for part in ("checkpoints", "samples"):
            (place / part).mkdir(exist_ok=True)
        os.sync()
        place.rename(folder.root() / run_id)
        sync_folder(folder.root())
    audit.record("run unpacked", run_id, file=name or source.name)
    return Unpacked(
        run=run_id,
        renamed=run_id != made.run,
        dataset=made.dataset,
        dataset_name=made.dataset_name,
        dataset_here=any(each.id == made.dataset for each in dataset.list_datasets()),
    )


def is_packed(source: Path) -> bool:
    """Whether a file is a packed run, by the name of its last entry."""
    try:
        with tarfile.open(source, "r:") as archive:
            return bool(names := archive.getnames()) and names[-1] == LIST
    except (tarfile.TarError, OSError):
        return False


def _checked(paths: RunPaths, made: Packed) -> RunConfigFile:
    """The config of what was unpacked. Raises InputError where that is no run that could be here."""
    strange = [
        file.path for file in made.files if Path(file.path).suffix not in ENDINGS or file.path in LEFT_OUT
    ]
    if strange or not folder.ID.fullmatch(made.run):
        raise InputError(
            f"a packed run does not hold '{strange[0] if strange else made.run}'",
            expected=f"a run's own files: {', '.join(sorted(ENDINGS))}",
            todo="use another copy of it; nothing was put in place",
        )
    try:
        config = RunConfigFile.read(paths.config)
        if (config.run, config.kind, config.settings.dataset) != (made.run, made.kind, made.dataset):
            raise restoring.not_whole(Path(made.run), "its config is of another run than its list")
        known_status(paths)
        wrong = mending.damaged(paths)
    except FileNotFoundError as error:
        raise restoring.not_whole(Path(made.run), "it has no config") from error
    except InputError:
        raise
    except GMAugError as error:  # in its own words
        raise InputError(error.what, expected=error.expected, todo="use another copy of it") from error
    if wrong:
        raise restoring.not_whole(Path(made.run), f"damaged: {', '.join(wrong[:NAMED])}")
    for path in _named_files(config.settings):
        if path.resolve().is_relative_to(home()):
            raise InputError(
                f"the settings of this run name a file of this workspace: '{path.name}'",
                expected="weights that lie outside of it",
                todo="do not trust where this file came from; nothing was put in place",
            )
    return config


def _named_files(settings: RunConfig) -> Iterator[Path]:
    """The files of a machine that settings name."""
    if isinstance(settings, VerdictConfig):
        settings = settings.augmentation
    if isinstance(settings, AugmentationConfig | EquivalenceConfig):
        yield from settings.generator.files().values()
        yield from settings.classifier.files().values()
    if isinstance(settings, AugmentationConfig) and settings.inception:
        yield Path(settings.inception)


def _free(made: Packed) -> str:
    """An id for it. Raises InputError where the very same run is here."""
    own = folder.root() / made.run
    if not own.exists():
        return made.run
    same = {file.path: file.sha256 for file in made.files}.get(RunConfigFile.FILE)
    if (own / RunConfigFile.FILE).exists():
        here = hashlib.sha256((own / RunConfigFile.FILE).read_bytes()).hexdigest()
        if here == same:
            raise InputError(
                f"the run '{made.run}' is here already",
                expected="a run that is not here",
                todo="delete it first, to take this copy in its place; it stays in the bin for 30 days",
            )
    return f"{made.kind}-{made.run.removeprefix(made.kind + '-')[:50]}-{secrets.token_hex(3)}"


def _renamed(paths: RunPaths, config: RunConfigFile, run_id: str) -> None:
    """Its documents under another id."""
    result = folder.read_result(paths)
    if result is not None and getattr(result, "run", None) == config.run:
        result.model_copy(update={"run": run_id}).write(paths.result)
    config.model_copy(update={"run": run_id}).write(paths.config)
