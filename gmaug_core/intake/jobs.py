"""Imports in a process of their own: a page switch, a closed browser or a restarted server does not lose one.

imports/<token>.json   what is known of it: state, name, progress, and in the end its report or error (one
writer: the child)
imports/<token>.lock   held by the child: alive means locked, as for runs
imports/<token>.seen   there once the person who imported has dismissed what is told of it
uploads/<token>.part   what a browser has sent so far; deleted when its import has ended
uploads/<token>.json   which file that is the beginning of
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmaug_core import children, intake
from gmaug_core.children import START_GRACE_S
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.home import room
from gmaug_core.hooks import Report
from gmaug_core.intake.layouts import Doubt
from gmaug_core.intake.layouts.contract import Options
from gmaug_core.locks import holder, locked
from gmaug_core.runs import packing
from gmaug_core.workspace import audit, people, roles

KEPT_S = 7 * 24 * 3600.0  # how long an unfinished upload, or the record of an import, is kept
WRITE_S = 0.3  # progress is written at most this often
TOKEN = re.compile(r"[0-9a-f]{24}")
ENDED = ("finished", "failed", "lost")


def new_token() -> str:
    """A name for an upload or an import; nobody can guess it."""
    return secrets.token_hex(12)


def upload_path(token: str) -> Path:
    """Where the bytes of an upload go. Raises InputError for what is not a token."""
    if not TOKEN.fullmatch(token):
        raise InputError("this is not an upload token", todo="reload the page and choose the file again")
    return room("uploads") / f"{token}.part"


@dataclass(frozen=True)
class Upload:
    """A file that a browser sends: id, a new one for every file; name, size and time of change as the
    browser says them; received: bytes that are here.
    """

    id: str
    name: str
    total: int
    modified: str
    received: int


def upload_of(token: str) -> Upload | None:
    """The upload that a token has begun; None where it has begun none."""
    path = upload_path(token)
    about = path.with_suffix(".json")
    if not about.exists():
        return None
    known: dict[str, Any] = read_json(about)
    received = path.stat().st_size if path.exists() else 0
    return Upload(received=received, **known)


def begin_upload(token: str, *, name: str, total: int, modified: str, head: bytes) -> Upload:
    """Begin an upload, or go on with the one of before where it is the same file: name, size, time of
    change and first bytes agree. What was received of another file is deleted.
    """
    path, begun, asked = upload_path(token), upload_of(token), (name, total, modified)
    if begun is not None and (begun.name, begun.total, begun.modified) == asked and begun.received:
        with path.open("rb") as file:
            received = file.read(len(head))
        if head.startswith(received):
            return begun
    path.unlink(missing_ok=True)
    fresh: dict[str, Any] = {"id": new_token(), "name": name, "total": total, "modified": modified}
    write_json(path.with_suffix(".json"), fresh)
    return Upload(received=0, **fresh)


def import_roots() -> list[Path]:
    """Folders that a page may import from: $GMAUG_IMPORT_ROOTS (separated as in PATH), else the home
    folder and this one.
    """
    given = os.environ.get("GMAUG_IMPORT_ROOTS")
    return (
        [Path(part).resolve() for part in given.split(os.pathsep) if part]
        if given
        else [Path.home(), Path.cwd()]
    )


def allowed_path(text: str) -> Path:
    """The file or folder that a person named in a page.

    Raises Forbidden unless they may read the server's disk, InputError when it is not there or outside the
    allowed folders.
    """
    roles.require("import from the server's disk")
    if not text.strip():
        raise InputError(
            "no path was given",
            expected="the path of a zip or a folder on the machine that runs the dashboard",
            todo="type or paste one, for example ~/pictures/flowers.zip",
        )
    try:
        path = Path(text.strip()).expanduser().resolve(strict=False)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            "this path cannot be read as one", expected="the path of a zip or a folder"
        ) from error
    if not any(path.is_relative_to(root) for root in import_roots()):
        raise InputError(
            f"'{path.name or text}' is not in a folder that this page may import from",
            expected="a zip or a folder under your home folder, or under one that GMAUG_IMPORT_ROOTS lists",
            todo="move it there, set GMAUG_IMPORT_ROOTS before starting, or import it on the command line",
        )
    if not path.exists():
        raise InputError(
            f"there is no '{path.name}' at that path",
            expected="a zip or a folder of class folders",
            todo="check the spelling",
        )
    return path


def start(
    source: Path, *, name: str | None = None, token: str | None = None, options: Options | None = None
) -> str:
    """Start importing an archive or folder in a child process; returns its token at once. options: what a
    person said of the labels."""
    roles.require("import dataset", name or source.name)
    token = token or new_token()
    folder = room("imports")
    now = time.time()
    state = {
        "token": token,
        "source": str(source),
        "name": name,
        "person": people.name(),
        "state": "running",
        "step": 0,
        "total": 0,
        "started": now,
        "options": asdict(options or Options()),
    }
    write_json(folder / f"{token}.json", state)
    children.start("gmaug_core.intake.jobs", token, log=folder / f"{token}.log")
    return token


def status(token: str) -> dict[str, Any] | None:
    """What is known of an import, with `lost` derived; None when there is none of that token."""
    path = room("imports") / f"{token}.json"
    if not TOKEN.fullmatch(token) or not path.exists():
        return None
    state: dict[str, Any] = read_json(path)
    young = time.time() - state["started"] < START_GRACE_S and state["step"] == 0
    if state["state"] == "running" and not young and holder(path.with_suffix(".lock")) is None:
        state = read_json(path)  # it may have ended between the two looks
        if state["state"] == "running":
            problem = GMAugError(
                "the import ended before it was done", expected="nothing was imported", todo="import it again"
            )
            state |= {"state": "lost", "error": problem.to_dict()}
    return state


def recent(limit: int = 10) -> list[dict[str, Any]]:
    """The newest imports first."""
    files = sorted(room("imports").glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)[
        :limit
    ]
    return [state for state in (status(path.stem) for path in files) if state]


@roles.guarded("dismiss notice")
def dismiss(token: str) -> None:
    """Tell no more of an import. Raises InputError for what is not a token."""
    if not TOKEN.fullmatch(token):
        raise InputError("this is not an import's token", todo="reload the page")
    (room("imports") / f"{token}.seen").touch()


def dismissed(token: str) -> bool:
    """Whether the person who imported has seen enough of it."""
    return (room("imports") / f"{token}.seen").exists()


def sweep() -> None:
    """Delete uploads that nobody went on with, and records of imports that ended long ago."""
    for folder in (room("uploads"), room("imports")):
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink(missing_ok=True)


def work(token: str) -> int:
    """Run inside the child: import, and write how it goes. Returns the exit status."""
    path = room("imports") / f"{token}.json"
    with locked(path.with_suffix(".lock")) as mine:
        if not mine:
            return 3
        state = read_json(path)
        source = Path(state["source"])
        written = 0.0

        def report(stage: str, step: int, total: int, **metrics: Any) -> None:
            nonlocal written
            if time.monotonic() - written > WRITE_S:
                written = time.monotonic()
                write_json(path, state | {"stage": stage, "step": step, "total": total, **metrics})

        try:
            with people.acting(people.Actor(state["person"], "editor")):  # `start` has asked whether they may
                state |= _taken_in(source, state, report)
            state |= {"state": "finished"}
        except Doubt as error:  # what was sent stays: a person may choose
            ways = [{"words": words, "options": asdict(each)} for words, each in error.readings]
            state |= {"state": "failed", "error": _named(error, state), "readings": ways}
        except GMAugError as error:
            state |= {"state": "failed", "error": _named(error, state)}
        except OSError as error:
            problem = GMAugError(
                f"the import met a problem with the disk: {error.strerror}",
                todo="look at free space, then import again",
            )
            state |= {"state": "failed", "error": problem.to_dict()}
        finally:
            if source.parent == room("uploads") and "readings" not in state:
                source.unlink(missing_ok=True)
                source.with_suffix(".json").unlink(missing_ok=True)
        write_json(path, state | {"ended": time.time()})
        return 0 if state["state"] == "finished" else 1


def _taken_in(source: Path, state: dict[str, Any], report: Report) -> dict[str, Any]:
    """Import a dataset, or a run that was packed; what there is to tell of it."""
    if packing.is_packed(source):
        found = packing.unpack(source, name=state["name"] or source.name)
        return {
            "dataset": found.dataset if found.dataset_here else None,
            "run": found.run,
            "words": found.words,
        }
    options = Options(**state.get("options", {}))
    imported = intake.import_path(source, name=state["name"], options=options, report=report)
    audit.record("dataset imported", imported.dataset_id, refused=len(imported.refused))
    return {"dataset": imported.dataset_id, "report": imported.to_dict()}


def _named(error: GMAugError, state: dict[str, Any]) -> dict[str, str]:
    """What went wrong: an upload lies under its token, but the person knows it by its name."""
    file = Path(state["source"]).name
    return {key: part.replace(file, state["name"] or file) for key, part in error.to_dict().items()}


def choose(token: str, reading: int) -> str:
    """Import again what was refused because its labels can be read in several ways: in this one of them.

    Returns the new import's token. Raises InputError where there is nothing to choose, or the file is gone.
    """
    state = status(token)
    ways = (state or {}).get("readings", [])
    if state is None or not 0 <= reading < len(ways) or not Path(state["source"]).exists():
        raise InputError("there is nothing to choose any more", todo="choose the file again")
    return start(Path(state["source"]), name=state["name"], options=Options(**ways[reading]["options"]))


if __name__ == "__main__":
    sys.exit(work(sys.argv[1]))
