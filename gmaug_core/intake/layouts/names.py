"""Which file a list means: by its path, by the end of it, by its name, with or without an ending."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

ELSEWHERE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:|/|\.\./)")  # begins where no import lies
ENDINGS = ("", ".jpg", ".png", ".jpeg")


class Names:
    """The images below one import, to be found by what a list calls them."""

    def __init__(self, images: Iterable[str]) -> None:
        self._paths: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._by_core: dict[str, list[str]] = defaultdict(list)
        for file in images:
            plain = _plain(file)
            name = plain.rpartition("/")[2]
            self._paths[plain] = file
            self._by_name[name].append(file)
            self._by_stem[name.rpartition(".")[0] or name].append(file)
            self._by_core[_core(name)].append(file)

    def find(self, text: str, folder: str, *, loose: bool = False) -> list[str]:
        """The images that `text` may mean in a list that lies in `folder`: one where it is clear, none where
        there is none. loose: upper and lower case, the ending, leading zeros, and folders of another machine
        do not count.
        """
        plain = _plain(text).strip()
        away = ELSEWHERE.match(plain) is not None
        wanted = re.sub(r"^\w+://|[?#][^/]*$", "", plain) if "://" in plain else plain
        wanted = "/".join(part for part in wanted.split("/") if part not in ("", ".", ".."))
        for base in _above(folder):
            for ending in ENDINGS:
                if (path := f"{base}{wanted}{ending}") in self._paths:
                    return [self._paths[path]]
        name = wanted.rpartition("/")[2]
        if not name:
            return []
        found = self._by_name.get(name) or self._by_stem.get(name, [])
        if loose and not found:
            found = self._by_core.get(_core(name), [])
        if "/" in wanted:
            found = _nearest(found, wanted.split("/")[:-1], any_folder=loose and away)
        near = [file for file in found if _plain(file).startswith(f"{_plain(folder)}/")] if folder else []
        return near or found


def _nearest(files: Sequence[str], above: Sequence[str], *, any_folder: bool) -> list[str]:
    """Those whose folders agree longest with the end of `above`, to the end of one of the two at least."""
    agree = {}
    for file in files:
        own = _plain(file).split("/")[:-1]
        same = 0
        for one, other in zip(reversed(own), reversed(above), strict=False):
            if one != other:
                break
            same += 1
        if any_folder or same in (len(own), len(above)):
            agree[file] = same
    return [file for file, same in agree.items() if same == max(agree.values())]


def _core(name: str) -> str:
    """A name without case, ending and leading zeros."""
    stem = re.sub(r"\.[A-Za-z]\w{0,4}$", "", name).casefold()
    stem = re.sub(r"^(\d+)\.0+$", r"\1", stem)
    return str(int(stem)) if stem.isdecimal() and stem.isascii() else stem.lstrip("0") or stem


def _above(folder: str) -> list[str]:
    """The folder itself and those around it, each with a / at the end, innermost first."""
    parts = _plain(folder).split("/") if folder else []
    return ["".join(part + "/" for part in parts[:k]) for k in range(len(parts), -1, -1)]


def _plain(text: str) -> str:
    safe = text.encode("utf-8", "backslashreplace").decode()
    return unicodedata.normalize("NFC", safe).replace("\\", "/")
