"""Which file a list means: by its path, by the end of it, by its name, with or without an ending."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable


class Names:
    """The images below one import, to be found by what a list calls them."""

    def __init__(self, images: Iterable[str]) -> None:
        self._paths: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for file in images:
            plain = _plain(file)
            name = plain.rpartition("/")[2]
            self._paths[plain] = file
            self._by_name[name].append(file)
            self._by_stem[name.rpartition(".")[0] or name].append(file)

    def find(self, text: str, folder: str) -> list[str]:
        """The images that `text` may mean in a list that lies in `folder`: one where it is clear, none where
        there is none."""
        wanted = _plain(text).removeprefix("./").lstrip("/")
        for base in _above(folder):
            for ending in ("", ".jpg", ".png", ".jpeg"):
                if (path := f"{base}{wanted}{ending}") in self._paths:
                    return [self._paths[path]]
        name = wanted.rpartition("/")[2]
        if not name:
            return []
        found = self._by_name.get(name) or self._by_stem.get(name, [])
        stem = wanted if name in self._by_name else wanted + "."
        exact = [f for f in found if ("/" + _plain(f)).rfind("/" + stem) >= 0] if "/" in wanted else found
        near = [file for file in exact if _plain(file).startswith(f"{_plain(folder)}/")] if folder else []
        return near or exact


def _above(folder: str) -> list[str]:
    """The folder itself and those around it, each with a / at the end, innermost first."""
    parts = _plain(folder).split("/") if folder else []
    return ["".join(part + "/" for part in parts[:k]) for k in range(len(parts), -1, -1)]


def _plain(text: str) -> str:
    safe = text.encode("utf-8", "backslashreplace").decode()
    return unicodedata.normalize("NFC", safe).replace("\\", "/")
