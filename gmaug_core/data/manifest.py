"""What a dataset's folder says of itself: a summary for lists and pages, and the manifest with a row an
image.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from gmaug_core.config import Colour
from gmaug_core.config.documents import Document, Part
from gmaug_core.errors import GMAugError, TooNew

SUMMARY, MANIFEST = "summary.json", "manifest.json"


class Refused(Part):
    """A file that was not taken."""

    file: str
    """Its path as given."""
    reason: str
    """Why, in words."""


class Duplicate(Part):
    """Files with the same bytes."""

    sha256: str
    """Of the bytes."""
    files: tuple[str, ...]
    """Their paths as given."""
    across_classes: bool
    """Whether they lie in more than one class."""
    across_splits: bool
    """Whether they lay in more than one split."""
    dropped: tuple[str, ...]
    """Those that were left out, so that no model is judged on an image it was trained on."""


class Findings(Part):
    """What an import noticed."""

    refused: tuple[Refused, ...]
    """Every file that was not taken, sorted by name."""
    junk: int
    """Hidden and system files that were ignored."""
    duplicates: tuple[Duplicate, ...]
    """Every group of files with the same bytes."""
    warnings: tuple[str, ...]
    """What a person should look at, in words."""
    layout: str = ""
    """Where the labels were found, in words; empty where nobody wrote it down."""
    other_readings: tuple[str, ...] = ()
    """What the labels could have been as well, in words: nobody chose it."""


class Summary(Document):
    """What lists and pages show of a dataset: all that needs no row.

    One without a number is completed from the manifest at the first look.
    """

    TITLE = "summary of the dataset"
    FILE = SUMMARY
    SCHEMA = 1
    INDENT = None

    id: str
    """Its name in addresses and on the command line: short, with the first 8 digits of its version."""
    name: str
    """As people see it."""
    version: str
    """sha256 over classes, labels, splits and the bytes of every image."""
    created: str
    """When it was imported, UTC."""
    n_images: int
    """All images."""
    n_classes: int
    """Sub-classes."""
    classes: tuple[str, ...]
    """Sub-classes in display order; a label is a position here."""
    counts: dict[str, int]
    """Training images of each sub-class."""
    splits: dict[str, int]
    """Images of train, val and test."""
    imbalance_ratio: float
    """The largest number of training images of a class over the smallest above 0; >= 1."""
    colour: Colour
    """grey where every image is, else rgb."""
    image_size: int
    """Median short side in pixels."""
    symmetric: bool
    """Whether a mirrored image is still a valid one of its class."""
    demo: bool
    """Whether it is the embedded demo."""
    hierarchy: dict[str, tuple[str, ...]]
    """Folders above each sub-class, outermost first."""
    suggested_groupings: tuple[tuple[str, dict[str, list[str]]], ...]
    """Groupings that the folders propose: [name, {super-class: [sub-class, ...]}]."""


class Rows(Part):
    """One column a fact, one row an image, sorted by class, split and file."""

    file: tuple[str, ...]
    """Path as given; text alone, never a place to write."""
    sha256: tuple[str, ...]
    """Of the original's bytes, which lie in originals/ under that name."""
    label: tuple[int, ...]
    """Position in `classes`."""
    split: tuple[Literal["train", "val", "test"], ...]
    """train, val or test."""
    size: tuple[tuple[int, int], ...]
    """Width and height in pixels, upright."""
    group: tuple[str, ...] = ()
    """The source of each (patient, slide, video, burst), empty text where it has none; no row at all where
    the import was told of none. Images of one source are never split apart."""
    near: tuple[int, ...] = ()
    """The first row of each image's group of near copies (they look the same though their bytes differ), its
    own number where it has none; no row at all where they were not looked for. A split made here keeps a
    group on one side."""


def _with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Form 1 knew no sources, 2 no layout, 3 no near copies: what it did not say has a default."""
    return document


class Manifest(Summary, Findings):
    """Everything that is known of a dataset: its summary, what the import noticed, and a row an image."""

    TITLE = "manifest of the dataset"
    FILE = MANIFEST
    SCHEMA = 4
    MIGRATIONS: ClassVar = {1: _with_defaults, 2: _with_defaults, 3: _with_defaults}

    images: Rows
    """The images."""
    depth: dict[str, tuple[float, float]] = {}
    """Samples that mean black and white in images of more than 8 bits, by kind (16-bit, 32-bit, float);
    empty: each image by itself."""
    conversions: dict[str, tuple[str, ...]]
    """What was done to images on the way in, by row number, in words; only those to which anything was."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in a file. Raises FileNotFoundError, or GMAugError where it is damaged or too new."""
        with _no_collection():
            return super().read(path)

    def summary(self) -> Summary:
        """The part of it without rows."""
        names = Summary.model_fields.keys() - {"schema_number"}
        return Summary.new(**{name: getattr(self, name) for name in names})


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection: a quarter of a million rows make no garbage, and looking for it doubles
    the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@lru_cache(maxsize=1024)
def _summary(path: Path, *_: int) -> Summary:
    """Every page asks for every dataset's, each time it is drawn; a file is only ever replaced."""
    return Summary.read(path)


def read_summary(folder: Path) -> Summary:
    """The summary of the dataset in `folder`; one that is damaged or gone is made again from the manifest.

    Raises FileNotFoundError, or GMAugError where the manifest is damaged as well, or too new.
    """
    path = folder / SUMMARY
    try:
        found = path.stat()
        return _summary(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except TooNew:
        raise
    except (FileNotFoundError, GMAugError):
        summary = Manifest.read(folder / MANIFEST).summary()
    with suppress(OSError):  # of a folder that may not be written: then it is made up at every look
        summary.write(path)
    return summary
