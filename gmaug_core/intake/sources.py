"""Where imported files come from: a zip archive or a folder, scanned for hostile or useless entries
before any is read.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from gmaug_core.data.folders import KNOWN
from gmaug_core.data.manifest import Refused
from gmaug_core.errors import InputError
from gmaug_core.intake import tars
from gmaug_core.intake.spelling import entry_name, readable

MAX_FILE = 64 * 2**20  # bytes of one image file
MAX_LIST = 2**30  # bytes of one list of labels; the largest published ones have about 600 MB
LISTS = (".json", ".jsonl", ".csv", ".tsv", ".txt")
MAX_ENTRY_RATIO = 200  # inflated / stored of an entry over 1 MiB; photographs are near 1, flat BMPs reach 100
MAX_TOTAL_RATIO = 100  # of a whole archive that inflates to more than 1 GiB
MAX_DIRECTORY = 256 * 2**20  # bytes of a zip's central directory: about 2 million entries
MAX_NAME = 1000  # characters
LEAST_HEADER = 30  # bytes that a local header takes at least
JUNK = {"__macosx", "thumbs.db", "desktop.ini", "ehthumbs.db"}
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".jar")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIGNATURES = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"<!doctype html", "a web page: the download needs a login or another link"),
    (b"<html", "a web page: the download needs a login or another link"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with 'git lfs pull'"),
    (b"\x89PNG", "a single PNG image"),
    (b"\xff\xd8\xff", "a single JPEG image"),
)


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


class Source(Protocol):
    """listing: what is there; size(handle): bytes of a file; read(handle) -> bytes, raises Unreadable, where
    there are more than `limit`, too; safe from several threads."""

    listing: Listing

    def size(self, handle: Any) -> int: ...

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes: ...


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """A zip or tar file or a folder, scanned.

    Raises InputError when it is neither, or when the archive as a whole is hostile.
    """
    if path.is_dir():
        yield FolderSource(path)
    elif path.is_file() and tars.is_tar(path):
        with tars.unpacked(path) as file:
            yield TarSource(file, path)
    elif path.is_file():
        archive = _open_zip(path)
        try:
            yield ZipSource(archive, path)
        finally:
            archive.close()
    else:
        raise InputError(f"'{path.name}' is not there", expected=KNOWN, todo="check the path")


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
        return "an archive inside: unpack it first"
    return None


class FolderSource:
    """A folder. Links are followed to files of the same folder only."""

    def __init__(self, folder: Path) -> None:
        self.listing = Listing()
        self._root = folder.resolve()
        self._targets: set[str] = set()
        self._links: set[str] = set()
        waiting = [(folder, "")]
        while waiting:  # no recursion: folders may lie deeper than Python can call
            waiting += self._walk(*waiting.pop())
        kept = []
        for name, handle in self.listing.files:
            if handle in self._targets and name not in self._links:
                self.listing.refused.append(Refused(file=name, reason="a link beside it stands for it"))
            else:
                kept.append((name, handle))
        self.listing.files = sorted(kept, key=lambda item: item[0])

    def _walk(self, folder: Path, prefix: str) -> list[tuple[Path, str]]:
        """List one folder; the folders in it are returned."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            reason = f"cannot be listed ({error.strerror})"
            self.listing.refused.append(Refused(file=(prefix or folder.name)[:MAX_NAME], reason=reason))
            return []
        inner = []
        for entry in entries:
            text, letters = readable(os.fsencode(entry.name))
            self.listing.note(letters)
            name = prefix + text
            if entry.is_symlink():
                self._add_link(name, entry)
            elif entry.is_dir(follow_symlinks=False):
                self.listing.add(name + "/", None, None)
                inner.append((Path(entry.path), name + "/"))
            elif not entry.is_file(follow_symlinks=False):
                self.listing.add(name, None, "not an ordinary file")
            else:
                self.listing.add(name, os.path.realpath(entry.path), None)
        return inner

    def _add_link(self, name: str, entry: os.DirEntry[str]) -> None:
        """A link to a file of the same import is that file; any other is refused."""
        target = os.path.realpath(entry.path)
        if Path(target).is_relative_to(self._root) and Path(target).is_file():
            self._targets.add(target)
            self._links.add(name)
            self.listing.add(name, target, None)
        else:
            self.listing.add(name, None, "a symbolic link")

    def size(self, handle: Any) -> int:
        try:
            return Path(handle).stat().st_size
        except OSError:
            return 0

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes:
        try:
            # a file swapped for a link after the scan is not followed
            descriptor = os.open(handle, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from error
        if len(data) > limit:
            raise Unreadable(f"larger than {limit // 2**20} MiB")
        return data


class ZipSource:
    """A zip archive; entries are inflated one by one and never further than the size that was checked
    here.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self.listing = Listing()
        infos = archive.infolist()
        _refuse_bomb(archive, infos, path)
        encrypted = 0
        names = self._names(infos)
        last = {name: i for i, name in enumerate(names)}
        for i, (name, info) in enumerate(zip(names, infos, strict=True)):
            encrypted += info.flag_bits & 1
            problem = _entry_problem(info)
            if last[name] != i:
                problem = "an entry of the same name comes later in the archive"
            self.listing.add(name, info, problem)
        if encrypted and not self.listing.files:
            raise InputError(
                f"'{path.name}' is encrypted",
                expected="an archive without a password",
                todo="unpack it, import the folder",
            )

    def _names(self, infos: list[zipfile.ZipInfo]) -> list[str]:
        """The name of each entry: in its letters, and with / where the whole archive has backslashes."""
        names = []
        for info in infos:
            name, letters = entry_name(info)
            self.listing.note(letters)
            names.append(name)
        if not any("/" in name for name in names) and any("\\" in name for name in names):
            self.listing.warnings.append("folders are separated by backslashes, and were read as if by /")
            names = [name.replace("\\", "/") for name in names]
        return names

    def size(self, handle: Any) -> int:
        return int(handle.file_size)

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes:
        try:
            with self._archive.open(handle) as file:
                return file.read(limit)  # zipfile itself stops at the size that the directory states
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ) as error:
            raise Unreadable("damaged in the archive") from error


class TarSource:
    """A tar archive, already unpacked into `file`."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.listing = Listing()
        found = tars.members(file, path)
        last = {name: i for i, (name, _, _) in enumerate(found)}
        for i, (name, letters, member) in enumerate(found):
            self.listing.note(letters)
            problem = tars.problem_of(member, _most(name))
            if last[name] != i and not member.isdir():
                problem = "an entry of the same name comes later in the archive"
            self.listing.add(name, member, problem)

    def size(self, handle: Any) -> int:
        return int(handle.size)

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes:
        if handle.size > limit:
            raise Unreadable(f"larger than {limit // 2**20} MiB")
        data = tars.content(self._file, handle)
        if len(data) < handle.size:
            raise Unreadable("damaged in the archive")
        return data


def _most(name: str) -> int:
    """Bytes that a file of this name may have."""
    return MAX_LIST if name.lower().endswith(LISTS) else MAX_FILE


def _entry_problem(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "not an ordinary file"
    if info.flag_bits & 1:
        return "encrypted"
    if info.compress_type not in _METHODS:
        return f"compression method {info.compress_type} is not accepted (use deflate)"
    most = _most(info.filename)
    if info.file_size > most:
        return f"larger than {most // 2**20} MiB"
    if info.file_size > 2**20 and info.file_size > MAX_ENTRY_RATIO * max(info.compress_size, 1):
        return f"inflates more than {MAX_ENTRY_RATIO} times"
    return None


def _refuse_bomb(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], path: Path) -> None:
    """From the central directory alone: entries may not share bytes, nor inflate to an absurd total or
    more than the disk.
    """
    problem = None
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset + LEAST_HEADER + info.compress_size for info in ordered]
    starts = [info.header_offset for info in ordered[1:]] + [archive.start_dir]
    total = sum(info.file_size for info in infos)
    if any(end > start for end, start in zip(ends, starts, strict=False)):
        problem = "has entries that overlap: a zip bomb or a damaged archive"
    elif total > 2**30 and total > MAX_TOTAL_RATIO * path.stat().st_size:
        problem = f"inflates {total // max(path.stat().st_size, 1):,} times: a zip bomb"
    if problem:
        raise InputError(
            f"'{path.name}' {problem}", expected=KNOWN, todo="make the archive again from the images"
        )


def require_space(folder: Path, needed: int) -> None:
    """Raises InputError when the disk that holds `folder` has less than `needed` bytes and a tenth to
    spare.
    """
    free = shutil.disk_usage(folder).free
    if needed * 1.1 > free:
        raise InputError(
            f"the disk has {free / 1e9:.1f} GB free and the images need {needed / 1e9:.1f} GB",
            expected="enough space for a copy of the images",
            todo="free some space, or set GMAUG_HOME to a folder on a larger disk",
        )


def _open_zip(path: Path) -> zipfile.ZipFile:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise InputError(
            f"'{path.name}' is empty (0 bytes)", expected=KNOWN, todo="copy or download the file again"
        )
    words = next(
        (
            words
            for magic, words in _SIGNATURES
            if start.startswith(magic) or start.lstrip().lower().startswith(magic)
        ),
        None,
    )
    if start[257:262] == b"ustar":
        words = "a tar archive"
    try:
        if _directory_size(path) > MAX_DIRECTORY:
            raise InputError(
                f"'{path.name}' lists too many entries",
                expected=f"a directory of at most {MAX_DIRECTORY >> 20} MiB",
            )
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        if words is None and start.startswith(b"PK"):
            words = "a damaged or incomplete zip"
        raise InputError(
            f"'{path.name}' is not a usable zip archive" + (f": it looks like {words}" if words else ""),
            expected=KNOWN,
            todo="unpack it and import the folder, or make a zip of it",
        ) from None


def _directory_size(path: Path) -> int:
    """Bytes of the central directory as the end record states them; read before zipfile loads all of it
    into memory.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        # the end record: 22 bytes and a comment of at most 65,535; a zip64 locator: 20 before it
        file.seek(max(0, size - 65557 - 20))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("no end record")
        directory: int = struct.unpack_from("<I", tail, at + 12)[0]
        if directory == 0xFFFFFFFF and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
            directory = struct.unpack_from("<Q", file.read(56), 40)[0]
        return directory
