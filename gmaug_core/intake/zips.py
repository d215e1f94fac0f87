"""Zip archives: scanned for hostile or useless entries before any is inflated."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from gmaug_core.data.folders import KNOWN
from gmaug_core.errors import InputError
from gmaug_core.intake.listing import LINK, MAX_FILE, Listing, Unreadable, most_bytes
from gmaug_core.intake.spelling import entry_name

MAX_ENTRY_RATIO = 200  # inflated / stored of an entry over 1 MiB; photographs are near 1, flat BMPs reach 100
MAX_TOTAL_RATIO = 100  # of a whole archive that inflates to more than 1 GiB
MAX_DIRECTORY = 256 * 2**20  # bytes of a zip's central directory: about 2 million entries
LEAST_HEADER = 30  # bytes that a local header takes at least
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIGNATURES = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"<!doctype html", "a web page: the download needs a login or another link"),
    (b"<html", "a web page: the download needs a login or another link"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with 'git lfs pull'"),
    (b"PAR1", "a Parquet table: write its images out as files first"),
    (b"\x89HDF", "an HDF5 file: write its images out as files first"),
    (b"\x93NUMPY", "an array: write its images out as files first"),
    (b"\x89PNG", "a single PNG image"),
    (b"\xff\xd8\xff", "a single JPEG image"),
)


def open_zip(path: Path) -> zipfile.ZipFile:
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
            words = "a damaged or incomplete zip, or the first of several parts, which must be joined first"
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


class ZipSource:
    """A zip archive; entries are inflated one by one and never further than the size that was checked
    here.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self.listing = Listing()
        infos = archive.infolist()
        _refuse_part(infos, path)
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


def _entry_problem(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return LINK
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "not an ordinary file"
    if info.flag_bits & 1:
        return "encrypted"
    if info.compress_type not in _METHODS:
        return f"compression method {info.compress_type} is not accepted (use deflate)"
    most = most_bytes(info.filename)
    if info.file_size > most:
        return f"larger than {most // 2**20} MiB"
    if info.file_size > 2**20 and info.file_size > MAX_ENTRY_RATIO * max(info.compress_size, 1):
        return f"inflates more than {MAX_ENTRY_RATIO} times"
    return None


def _refuse_part(infos: list[zipfile.ZipInfo], path: Path) -> None:
    """The last of several parts has the directory of all, with entries that lie before its beginning."""
    if any(info.header_offset < 0 for info in infos):
        raise InputError(
            f"'{path.name}' is the last part of an archive, or lacks its beginning",
            expected=KNOWN,
            todo="join the parts first (cat x.zip.* > x.zip), or unpack them all and import the folder",
        )


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
