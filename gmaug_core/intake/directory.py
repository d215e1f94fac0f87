"""A folder on this disk as the source of an import: links are followed inside it alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gmaug_core.data.manifest import Refused
from gmaug_core.intake.listing import LINK, MAX_FILE, MAX_NAME, Listing, Unreadable
from gmaug_core.intake.spelling import readable


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
            self.listing.add(name, None, LINK)

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
