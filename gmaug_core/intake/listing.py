"""What may be read of an import: its files by name, those refused for their name, and what nobody wants."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from gmaug_core.data.manifest import Refused

MAX_FILE = 64 * 2**20  # bytes of one image file
MAX_LIST = 2**30  # bytes of one list of labels; the largest published ones have about 600 MB
LISTS = (".json", ".jsonl", ".csv", ".tsv", ".txt")
MAX_NAME = 1000  # characters
JUNK = frozenset(  # of macOS, Windows, Synology and QNAP, Linux, Python
    [
        "__macosx",
        "thumbs.db",
        "desktop.ini",
        "ehthumbs.db",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "lost+found",
        "__pycache__",
    ]
)
LINK, ARCHIVE = "a symbolic link", "an archive inside: unpack it first"  # reasons
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar")


class Unreadable(Exception):
    """One file cannot be read; the text is the reason."""


@dataclass
class Listing:
    """files: what may be read, with an opaque handle; refused: what may not, with the reason; folders:
    all folder names.
    """

    files: list[tuple[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    junk: int = 0
    letters: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def note(self, letters: str) -> None:
        """Say once in which letters names were read that nobody wrote down."""
        if letters and letters not in self.letters:
            self.letters.add(letters)
            self.warnings.append(
                f"names are not in UTF-8 and were read as {letters}: look at the class names"
            )

    def add(self, name: str, handle: Any, reason: str | None) -> None:
        """Sort one file into junk, refused or files. name: as given, '/'-separated; a trailing / marks a
        folder.
        """
        if is_junk(name):
            self.junk += not name.endswith("/")
        elif reason or (reason := _name_problem(name)):
            self.refused.append(Refused(file=name.replace("\0", "\\0")[:MAX_NAME], reason=reason))
        elif name.endswith("/"):
            self.folders.add(name.rstrip("/"))
        else:
            if "/" in name:
                self.folders.add(name.rpartition("/")[0])
            self.files.append((name, handle))


def is_junk(name: str) -> bool:
    """Hidden files and what operating systems leave in archives."""
    return any(
        (part.startswith(".") and part not in ("", ".", "..")) or part.casefold() in JUNK
        for part in name.split("/")
    )


def _name_problem(name: str) -> str | None:
    """Why a name is refused. Names are only ever text here, never a place to write to."""
    if "\0" in name:
        return "the name holds a NUL character"
    if "\\" in name:
        return "the name holds a backslash: make the archive again with / between folders"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in name.split("/"):
        return "the path leads outside (..)"
    if len(name) > MAX_NAME:
        return f"the name is longer than {MAX_NAME} characters"
    if name.lower().endswith(ARCHIVES):
        return ARCHIVE
    return None


def most_bytes(name: str) -> int:
    """Bytes that a file of this name may have."""
    return MAX_LIST if name.lower().endswith(LISTS) else MAX_FILE
