"""What a layout is: a way in which people write down which image is of which class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from gmaug_core.data.folders import Place, clean_name
from gmaug_core.data.manifest import Refused
from gmaug_core.errors import InputError
from gmaug_core.intake.listing import MAX_LIST, Unreadable
from gmaug_core.intake.sources import Source

FOLDERS = "folders"  # what --labels says for: the folders, and no list
NOT_IMAGES = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".jsonl",
        ".ndjson",
        ".md",
        ".rst",
        ".xml",
        ".html",
        ".htm",
        ".pdf",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".py",
        ".ipynb",
        ".mat",
        ".npy",
        ".npz",
        ".parquet",
        ".arrow",
        ".tfrecord",
        ".h5",
        ".hdf5",
        ".pkl",
        ".cls",
        ".xls",
        ".xlsx",
        ".doc",
        ".docx",
        ".log",
        ".db",
        ".sh",
        ".names",
        ".cfg",
        ".lock",
        ".sql",
    ]
)


@dataclass(frozen=True)
class Options:
    """What a person says of the labels; None and empty: not said.

    labels: "folders", or a list's path below what is imported, with :COLUMN where it has several, and
    several lists with + between. pattern: a
    regular expression for paths; its group `label`, else its first, is the class, its groups `split` and
    `source` say those. level: which folder is the class, 1 the outermost, or "all" of them together. splits:
    folder name -> train, val, test, skip (leave it out) or class (it is no split).
    """

    labels: str | None = None
    pattern: str | None = None
    level: str | None = None
    splits: Mapping[str, str] = field(default_factory=dict)

    def said(self) -> str:
        """The same as typed on the command line."""
        words = [
            f"--{key} '{value}'" for key in ("labels", "pattern", "level") if (value := getattr(self, key))
        ]
        return " ".join([*words, *(f"--split '{key}={role}'" for key, role in self.splits.items())])


@dataclass(frozen=True)
class Reading:
    """One way to read the labels.

    key: of the layout. where: what says the class, in words. places: image file -> its place, or the reason
    in words why it has none. options: what a person says to get this reading and no other. sure: False where
    it is never taken unless a person says so. strong: a form made for labels alone, so it goes before the
    folders. groups: file -> its source (patient, slide). missing: listed, but not there. lists: files that
    hold the labels.
    """

    key: str
    where: str
    places: Mapping[str, Place | str]
    options: Options
    sure: bool = True
    strong: bool = False
    groups: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[Refused, ...] = ()
    warnings: tuple[str, ...] = ()
    lists: frozenset[str] = frozenset()

    @property
    def placed(self) -> dict[str, Place]:
        """The images that have a place."""
        return {file: place for file, place in self.places.items() if isinstance(place, Place)}

    def partition(self, files: Set[str]) -> frozenset[frozenset[str]]:
        """Which of these images are of one class, whatever it is called."""
        members: dict[tuple[str, ...], set[str]] = {}
        for file, place in self.placed.items():
            if file in files:
                members.setdefault(place.path, set()).add(file)
        return frozenset(frozenset(own) for own in members.values())


class Tree:
    """The files of an import as names, and the text of its lists.

    images: those that may be images, in order; every other file is in `others`.
    """

    def __init__(self, source: Source, images: Iterable[str] | None = None) -> None:
        self.handles = dict(source.listing.files)
        self.folders = source.listing.folders
        self.images = [f for f in self.handles if _may_be_image(f)] if images is None else list(images)
        known = set(self.images)
        self.others = [file for file in self.handles if file not in known]
        self._source = source
        self._read: dict[str, bytes] = {}

    def only(self, images: Iterable[str]) -> Tree:
        """The same with these images alone; lists that were read are not read again."""
        narrowed = Tree(self._source, images)
        narrowed._read = self._read
        return narrowed

    def data(self, file: str) -> bytes:
        """The bytes of a list. Raises InputError where it cannot be read."""
        if file not in self._read:
            try:
                self._read[file] = self._source.read(self.handles[file], MAX_LIST)
            except Unreadable as error:
                raise InputError(
                    f"'{clean_name(file)}' {error}",
                    expected=f"a list of images and labels of at most {MAX_LIST >> 20} MiB",
                    todo="split the list into several files, or put the images into a folder a class",
                ) from error
        return self._read[file]

    def alike(self, file: str, other: str) -> bool:
        """Whether two files hold the same bytes."""
        one, two = self.handles[file], self.handles[other]
        try:
            return self._source.size(one) == self._source.size(two) and (
                self._source.read(one) == self._source.read(two)
            )
        except Unreadable:
            return False

    def lists(self, *endings: str) -> list[str]:
        """Files that may be lists, those further out first; none where there is one beside every image."""
        found = [file for file in self.others if file.lower().endswith(endings)]
        return sorted(found, key=lambda file: (file.count("/"), file))[:MANY]


MANY = 40  # lists that are looked into: more are notes beside single images


@dataclass(frozen=True)
class Layout:
    """A layout: key as --labels and JSON say it, title in words, and the readings that it finds in a tree.

    read: raises InputError where the options ask for this layout and it cannot be read; else an empty list.
    """

    key: str
    title: str
    read: Callable[[Tree, Options], list[Reading]]


def asked(reading: Reading, options: Options) -> Reading:
    """The reading, sure because a person asked for it."""
    return replace(reading, sure=True, options=options)


def _may_be_image(file: str) -> bool:
    name = file.rpartition("/")[2].lower()
    return not any(name.endswith(ending) for ending in NOT_IMAGES)
