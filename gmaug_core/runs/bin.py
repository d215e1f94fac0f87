"""What was deleted: a bin from which everything comes back as it was, for DAYS days.

bin/<when>-<id>/   entry.json · datasets/<id> · runs/<id> ...

The entry is written first, then one rename a folder, the dataset last: a kill on the way leaves each folder
in one of the two places, and the entry names them all.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from gmaug_core.config.documents import Document
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import sync_folder
from gmaug_core.home import home, room
from gmaug_core.locks import locked
from gmaug_core.runs import folder
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import RunPaths
from gmaug_core.runs.status import read_status
from gmaug_core.workspace import audit, people, roles

DAYS = 30  # that a deleted thing is kept
DAY_S = 86_400
FILE = "entry.json"


class Binned(Document):
    """One thing that was deleted, with everything that went with it."""

    TITLE = "entry of the bin"
    FILE = FILE
    SCHEMA = 1

    id: str
    """Its name in the bin."""
    kind: Literal["dataset", "run"]
    """What was deleted."""
    subject: str
    """The id of the dataset or run."""
    name: str
    """The dataset's name as people saw it; a run's id."""
    runs: tuple[str, ...] = ()
    """The runs on a dataset, which went with it."""
    deleted: float
    """When, in seconds since 1970."""
    person: str
    """Who deleted it."""
    size: int
    """Bytes that go free when it leaves the bin for good."""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return room("bin") / self.id

    @property
    def places(self) -> tuple[Path, ...]:
        """What belongs to it, relative to the data root; a dataset first, so that its runs find it again."""
        runs = tuple(Path("runs", run) for run in self.runs)
        return (Path(f"{self.kind}s", self.subject), *runs)

    @property
    def leaves(self) -> float:
        """When it is gone for good, in seconds since 1970."""
        return self.deleted + DAYS * DAY_S

    @property
    def days_left(self) -> float:
        """Until then, from now; 0 when it is due."""
        return max(0.0, self.leaves - time.time()) / DAY_S


@roles.guarded("delete run")
def delete_run(run_id: str, *, person: str | None = None) -> Binned:
    """Move a run to the bin. Raises InputError for an unknown one, and for one that is waiting or at work."""
    return _delete("run", run_id, run_id, [folder.find(run_id)], person)


@roles.guarded("delete dataset")
def delete_dataset(dataset_id: str, *, person: str | None = None) -> Binned:
    """Move a dataset and all runs on it to the bin; its groupings wait for it.

    Raises InputError for an unknown one, and where one of its runs is waiting or at work.
    """
    try:
        name = dataset.load(dataset_id).name
    except InputError:
        raise
    except GMAugError:  # a damaged one may be deleted all the more
        name = dataset_id
    return _delete("dataset", dataset_id, name, folder.list_runs(dataset=dataset_id), person)


def listed() -> list[Binned]:
    """What is in the bin, the newest first; an entry that cannot be read is left where it is."""
    found = []
    for path in room("bin").glob(f"*/{FILE}"):
        try:
            found.append(Binned.read(path))
        except GMAugError:
            continue
    return sorted(found, key=lambda entry: (entry.deleted, entry.id), reverse=True)


def find(name: str) -> Binned:
    """An entry by its name in the bin, or the newest one of a dataset or run. Raises InputError."""
    entries = listed()
    for entry in entries:
        if name in (entry.id, entry.subject):
            return entry
    raise InputError(
        f"there is nothing called '{name}' in the bin",
        expected="one of " + ", ".join(entry.subject for entry in entries[:5]) if entries else "",
        todo="list what is in it with: python -m gmaug_core bin",
    )


@roles.guarded("restore from bin")
def restore(name: str, *, person: str | None = None) -> Binned:
    """Put back what `find(name)` names, as it was. A dataset that was imported again meanwhile stays as it
    is: the same id is the same content. Raises InputError where there is no such entry, or the dataset of a
    run is not here."""
    with locked(room("bin") / ".lock", wait=True):
        entry = find(name)
        _check_home(entry)
        for place in entry.places:
            kept, target = entry.folder / place, home() / place
            if kept.exists() and not target.exists():
                target.parent.mkdir(mode=0o700, exist_ok=True)
                kept.rename(target)
                sync_folder(target.parent)
        shutil.rmtree(entry.folder)
    audit.record(f"{entry.kind} restored", entry.subject, person=person)
    return entry


@roles.guarded("empty bin")
def empty(entries: Sequence[Binned], *, person: str | None = None) -> int:
    """Delete entries for good. Returns the bytes that went free."""
    with locked(room("bin") / ".lock", wait=True):
        for entry in entries:
            shutil.rmtree(entry.folder, ignore_errors=True)
            audit.record(f"{entry.kind} deleted for good", entry.subject, person=person)
    return sum(entry.size for entry in entries)


def expired(now: float | None = None) -> list[Binned]:
    """What has been in the bin for DAYS days."""
    when = time.time() if now is None else now
    return [entry for entry in listed() if entry.leaves <= when]


def _delete(
    kind: Literal["dataset", "run"], subject: str, name: str, runs: Sequence[RunPaths], person: str | None
) -> Binned:
    with ExitStack() as held:
        held.enter_context(locked(room("bin") / ".lock", wait=True))
        for paths in runs:  # held while it moves, so that no worker begins on it
            if not held.enter_context(locked(paths.lock)) or _waiting(paths):
                raise InputError(
                    f"run '{paths.id}' is waiting or at work",
                    expected="a run that has ended",
                    todo="stop it first, then delete",
                )
        now = time.time()
        entry = Binned.new(
            id=_free(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{subject}"),
            kind=kind,
            subject=subject,
            name=name,
            runs=tuple(paths.id for paths in runs) if kind == "dataset" else (),
            deleted=now,
            person=person or people.name(),
            size=0,
        )
        entry = entry.model_copy(update={"size": sum(_size(home() / place) for place in entry.places)})
        entry.folder.mkdir(mode=0o700)
        entry.write(entry.folder / FILE)
        for place in reversed(entry.places):
            target = entry.folder / place
            target.parent.mkdir(mode=0o700, exist_ok=True)
            (home() / place).rename(target)
            sync_folder(target.parent)
            sync_folder((home() / place).parent)
    audit.record(f"{kind} deleted", subject, person=person, runs=len(entry.runs))
    return entry


def _check_home(entry: Binned) -> None:
    """A run needs its dataset. Raises InputError where that is not here."""
    if entry.kind == "dataset":
        return
    try:
        subject = RunConfigFile.read(entry.folder / "runs" / entry.subject / "config.json").settings.dataset
        dataset.load(subject)
    except FileNotFoundError:  # broken off after the move: there is nothing left to ask for
        return
    except InputError as error:
        raise InputError(
            f"the dataset of run '{entry.subject}' is not here: {error.what}",
            todo=f"restore '{subject}' first, if it is in the bin",
        ) from error
    except GMAugError:  # damaged, as it was when it was deleted
        return


def _waiting(paths: RunPaths) -> bool:
    """Whether a run that nobody holds was submitted this moment, and its worker is only starting."""
    try:
        return read_status(paths).active
    except (GMAugError, OSError):  # damaged: nobody can be at work on it
        return False


def _free(name: str) -> str:
    taken = {path.name for path in room("bin").iterdir()}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _size(place: Path) -> int:
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file())
