"""Tar archives, packed or not, with the limits of zip archives: unpacked once into a file without a name,
then read by place."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gmaug_core.data.folders import KNOWN
from gmaug_core.errors import InputError
from gmaug_core.home import room
from gmaug_core.intake.listing import MAX_FILE, Listing, Unreadable, most_bytes
from gmaug_core.intake.spelling import readable

Opener = type[gzip.GzipFile] | type[bz2.BZ2File] | type[lzma.LZMAFile]
PACKED: dict[bytes, Opener] = {  # by the first bytes
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
MAGIC, MAGIC_AT = b"ustar", 257
MAX_MEMBERS = 2_000_000
MAX_HEADER = 2**20  # bytes of one header: a name and what else is said of a member
MAX_RATIO, FREE_RATIO = 100, 2**30  # unpacked by packed, of what unpacks to more than the second
BLOCK = 2**20  # bytes unpacked at once
_DAMAGED = (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError, ValueError)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive by its content, packed or not."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
        for magic, opened in PACKED.items():
            if start.startswith(magic):
                with opened(path) as packed:
                    start = packed.read(512)
    except _DAMAGED:
        return False
    return start[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """The archive without its packing, as an open file that no folder lists.

    Raises InputError where it is damaged, inflates absurdly, or is larger than the disk.
    """
    with path.open("rb") as file:
        start = file.read(8)
    opened = next((opened for magic, opened in PACKED.items() if start.startswith(magic)), None)
    if opened is None:
        with path.open("rb") as plain:
            yield plain
        return
    folder = room("uploads")
    with tempfile.TemporaryFile(dir=folder) as whole:
        most = max(FREE_RATIO, MAX_RATIO * path.stat().st_size)
        most = min(most, int(shutil.disk_usage(folder).free * 0.8))
        try:
            with opened(path) as packed:
                while block := packed.read(BLOCK):
                    if whole.tell() + len(block) > most:
                        raise InputError(
                            f"'{path.name}' inflates to more than {most / 1e9:.1f} GB: an archive bomb, or "
                            "larger than the disk",
                            expected=KNOWN,
                            todo="make the archive again from the images, or unpack it and import the folder",
                        )
                    whole.write(block)
        except _DAMAGED as error:
            raise _damaged(path) from error
        whole.flush()
        whole.seek(0)
        yield whole


class Headers:
    """A tar as tarfile reads it: headers alone, none of them larger than MAX_HEADER."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError("a header is too large")
        return self._file.read(size)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


def members(file: BinaryIO, path: Path) -> list[tuple[str, str, tarfile.TarInfo]]:
    """Each member's name (a trailing / marks a folder), the letters it was read in, and itself.

    Raises InputError where the archive is damaged or lists too many.
    """
    found = []
    try:
        with tarfile.open(fileobj=Headers(file), mode="r:", errors="surrogateescape") as archive:  # type: ignore[call-overload]
            for member in archive:
                name, letters = readable(os.fsencode(member.name))
                while name.startswith("./"):
                    name = name[2:]
                found.append((name + "/" * member.isdir(), letters, member))
                if len(found) > MAX_MEMBERS:
                    raise InputError(
                        f"'{path.name}' lists too many entries", expected=f"at most {MAX_MEMBERS:,}"
                    )
    except _DAMAGED as error:
        raise _damaged(path) from error
    return [item for item in found if item[0].strip("/.")]


def problem_of(member: tarfile.TarInfo, most: int) -> str | None:
    """Why a member is refused. most: bytes."""
    if member.issym() or member.islnk():
        return "a link"
    if member.issparse() or not (member.isreg() or member.isdir()):
        return "not an ordinary file"
    if member.size > most:
        return f"larger than {most // 2**20} MiB"
    return None


def content(file: BinaryIO, member: Any) -> bytes:
    """The bytes of a member; safe from several threads. Shorter than its size where the archive
    ends early."""
    return os.pread(file.fileno(), member.size, member.offset_data)


class TarSource:
    """A tar archive, already unpacked into `file`."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.listing = Listing()
        found = members(file, path)
        last = {name: i for i, (name, _, _) in enumerate(found)}
        for i, (name, letters, member) in enumerate(found):
            self.listing.note(letters)
            problem = problem_of(member, most_bytes(name))
            if last[name] != i and not member.isdir():
                problem = "an entry of the same name comes later in the archive"
            self.listing.add(name, member, problem)

    def size(self, handle: Any) -> int:
        return int(handle.size)

    def read(self, handle: Any, limit: int = MAX_FILE) -> bytes:
        if handle.size > limit:
            raise Unreadable(f"larger than {limit // 2**20} MiB")
        data = content(self._file, handle)
        if len(data) < handle.size:
            raise Unreadable("damaged in the archive")
        return data


def _damaged(path: Path) -> InputError:
    return InputError(
        f"'{path.name}' is a damaged or incomplete archive",
        expected=KNOWN,
        todo="copy or download the file again",
    )
