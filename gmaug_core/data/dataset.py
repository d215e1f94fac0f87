"""Datasets of the workspace: labels, splits, counts, and uint8 images in any format, decoded once and
memory-mapped.
"""

from __future__ import annotations

import difflib
import hashlib
import logging
import math
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmaug_core import disk
from gmaug_core.config import Colour, Profile, image_format
from gmaug_core.data import decoded_cache, store
from gmaug_core.data.decode import Decoded, canonical, decode
from gmaug_core.data.folders import SPLITS, Groupings
from gmaug_core.data.manifest import MANIFEST, SUMMARY, Manifest, Summary, read_summary
from gmaug_core.errors import GMAugError, InputError, Stopped
from gmaug_core.files import sync_folder, write_json
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.locks import locked

log = logging.getLogger("gmaug")
SIZES = range(8, 1025)  # of a cached image, in pixels
NAME_LENGTH = 100  # characters of a dataset's name


@dataclass(frozen=True)
class Provenance:
    """Where an image comes from."""

    file: str  # its path as given
    sha256: str  # of the file
    sub_class: str
    split: str
    size: tuple[int, int]  # width, height
    conversions: tuple[str, ...]  # what was done to it on the way in, in words


class Dataset:
    """One imported dataset, read-only.

    Opening reads the summary; rows and images are read when first asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary: Summary = read_summary(folder)
        self.id: str = folder.name
        self.name: str = self.summary.name
        self.version: str = self.summary.version
        self.class_names: tuple[str, ...] = self.summary.classes
        self.counts: dict[str, int] = dict(self.summary.counts)  # training images a class
        self.imbalance_ratio: float = self.summary.imbalance_ratio  # largest / smallest training class
        self.colour: Colour = self.summary.colour
        self.image_size: int = self.summary.image_size  # median short side in pixels
        self.symmetric: bool = self.summary.symmetric  # a mirrored image is a valid one
        self.hierarchy: dict[str, tuple[str, ...]] = dict(self.summary.hierarchy)
        self.suggested_groupings: Groupings = list(self.summary.suggested_groupings)

    def __len__(self) -> int:
        return self.summary.n_images

    @cached_property
    def manifest(self) -> Manifest:
        """Everything known of the dataset, a row an image: most of a second for a quarter of a million."""
        self.require_whole()
        return Manifest.read(self.folder / MANIFEST)

    def require_whole(self) -> None:
        """Raises InputError where the files of the dataset were taken away since it was opened."""
        if not (self.folder / MANIFEST).exists():
            raise InputError(
                f"the dataset '{self.id}' is not whole: its {MANIFEST} is gone",
                expected="a dataset as it was imported",
                todo="restore the file, or import the images again",
            )

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """int64 [n]: positions in class_names, ascending."""
        return np.array(self.manifest.images.label, np.int64)

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """[n]: "train", "val" or "test"."""
        return np.array(self.manifest.images.split, dtype="<U5")

    def split(self, name: str) -> npt.NDArray[np.int64]:
        """Indices of "train", "val" or "test", int64, ascending. Raises InputError for another name."""
        if name not in SPLITS:
            raise InputError(f"'{name}' is not a split", expected="one of " + ", ".join(SPLITS))
        return np.flatnonzero(self.splits == name)

    @cached_property
    def content(self) -> npt.NDArray[np.int64]:
        """int64 [n]: the index of the first image with the same bytes.

        Images that share it must never be split apart.
        """
        first: dict[str, int] = {}
        return np.array(
            [first.setdefault(digest, i) for i, digest in enumerate(self.manifest.images.sha256)],
            np.int64,
        )

    @cached_property
    def groups(self) -> npt.NDArray[np.int64] | None:
        """int64 [n], equal for images of one source; an image without a source is one of its own. None where
        the import was told of no sources.
        """
        names = self.manifest.images.group
        if not names:
            return None
        first: dict[str, int] = {}
        return np.array([first.setdefault(name, i) if name else i for i, name in enumerate(names)], np.int64)

    @cached_property
    def near(self) -> npt.NDArray[np.int64] | None:
        """int64 [n]: the first image of each one's group of near copies, its own number where it has
        none. None where no image has one, or the import did not look for them.
        """
        rows = np.array(self.manifest.images.near, np.int64)
        return rows if len(rows) and (rows != np.arange(len(rows))).any() else None

    def original(self, i: int) -> bytes:
        """The file as it was given. Raises GMAugError when its bytes have changed since."""
        digest = self.manifest.images.sha256[i]
        try:
            data = (self.folder / "originals" / digest[:2] / digest).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != digest:
            raise GMAugError(
                f"image '{self.manifest.images.file[i]}' of {self.id} is missing or damaged on disk",
                expected="the bytes that were imported",
                todo="delete the dataset and import it again",
            )
        return data

    def decoded(self, i: int) -> Decoded:
        """Image i, upright, 8-bit grey or RGB, at its own size."""
        return decode(self.original(i), self.manifest.depth)

    def images(
        self,
        format_or_profile: str,
        *,
        report: Report = no_report,
        should_stop: ShouldStop = never,
    ) -> npt.NDArray[np.uint8]:
        """All images, square: read-only uint8 memmap [n, h, h] (grey) or [n, h, h, 3], in the order of
        labels.

        format_or_profile: "32-rgb", "128-grey", or a profile such as "paper". Decoded on all cores at the
        first call and cached; an interrupted call goes on where it was. Raises InputError for an unknown
        format, Stopped when asked to.
        """
        size, colour = parse_format(format_or_profile)
        path = self.folder / "cache" / f"{image_format(size, colour)}.npy"
        if not path.exists() or not decoded_cache.intact(path, self._shape(size, colour)):
            self._build_cache(path, size, colour, report, should_stop)
        images: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
        return images

    def _build_cache(
        self, path: Path, size: int, colour: Colour, report: Report, should_stop: ShouldStop
    ) -> None:
        path.parent.mkdir(exist_ok=True)
        part, mark = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.done")
        shape = self._shape(size, colour)
        threads = os.cpu_count() or 1
        own = path.with_name(f".{path.name}.lock")
        with locked(own, wait=True), ThreadPoolExecutor(threads) as pool:
            if path.exists():
                if decoded_cache.intact(path, shape):  # somebody else built it while this one waited
                    return
                log.warning("%s of %s is damaged on disk: its images are decoded again", path.name, self.id)
                path.unlink()
            sums = decoded_cache.begun(part, mark)
            done = min(len(sums) * decoded_cache.CHUNK, len(self))
            if not done:
                disk.reserve(part, len(decoded_cache.header(shape)) + math.prod(shape))
                with part.open("rb+") as file:
                    file.write(decoded_cache.header(shape))

            def fill(array: npt.NDArray[np.uint8], rows: range) -> None:
                for i in rows:
                    array[i] = canonical(self.decoded(i).image, size, colour)

            while done < len(self):
                if should_stop():
                    raise Stopped("images")
                first, stop = done, min(done + decoded_cache.CHUNK, len(self))
                array = np.lib.format.open_memmap(
                    part, mode="r+"
                )  # mapped anew for each chunk, so that written pages leave memory
                list(pool.map(partial(fill, array), [range(done + k, stop, threads) for k in range(threads)]))
                done = stop
                array.flush()  # the images are on disk before the mark says so
                sums.append(decoded_cache.digest(array[first:done]))
                del array
                write_json(mark, {"sha256": sums})
                report("images", done, len(self))
            write_json(decoded_cache.sums_of(path), {"sha256": sums})
            part.replace(path)
            sync_folder(path.parent)
            mark.unlink(missing_ok=True)

    def _shape(self, size: int, colour: Colour) -> tuple[int, ...]:
        return (len(self), size, size) if colour == "grey" else (len(self), size, size, 3)

    def provenance(self, i: int) -> Provenance:
        """Where image i comes from."""
        rows = self.manifest.images
        return Provenance(
            file=rows.file[i],
            sha256=rows.sha256[i],
            sub_class=self.class_names[rows.label[i]],
            split=rows.split[i],
            size=rows.size[i],
            conversions=self.manifest.conversions.get(str(int(i)), ()),
        )


def parse_format(text: str) -> tuple[int, Colour]:
    """'32-rgb' or a profile name -> (size, colour). Raises InputError."""
    match = re.fullmatch(r"(\d{1,4})-(grey|rgb)", text)
    if not match:
        match = re.fullmatch(r"(\d+)-(grey|rgb)", Profile.parse(text).images)
    assert match  # Profile.images has this form
    if int(match[1]) not in SIZES:
        raise InputError(
            f"'{text}' is not an image format",
            expected=f"SIZE-grey or SIZE-rgb, SIZE from {SIZES[0]} to {SIZES[-1]}",
        )
    return int(match[1]), "grey" if match[2] == "grey" else "rgb"


def load(dataset_id: str) -> Dataset:
    """Open a dataset. Raises InputError that names near ids when it is unknown."""
    known = [folder.name for folder in _dataset_folders()]
    if dataset_id in known:
        with suppress(FileNotFoundError):  # it was taken away this moment
            return Dataset(store.datasets_folder() / dataset_id)
    near = difflib.get_close_matches(dataset_id, known, n=3, cutoff=0.4)
    raise InputError(
        f"there is no dataset '{dataset_id}'",
        expected="one of " + ", ".join(near or known[:5]) if known else "a dataset that was imported",
        todo="list them with: python -m gmaug_core datasets"
        if known
        else "import one, or make the demo dataset",
    )


def rename(dataset_id: str, name: str) -> Summary:
    """Give a dataset another name, as people see it; its id and its content stay. Raises InputError for an
    unknown dataset, and for an empty name."""
    data = load(dataset_id)
    clean = " ".join(name.split())[:NAME_LENGTH]
    if not clean:
        raise InputError("a dataset needs a name", expected=f"1 to {NAME_LENGTH} characters")
    manifest = data.manifest.model_copy(update={"name": clean})
    manifest.write(data.folder / MANIFEST)
    summary = manifest.summary()
    summary.write(data.folder / SUMMARY)
    return summary


def list_datasets() -> list[Summary]:
    """One summary a dataset that can be read, newest first; the others are in `damaged` alone."""
    summaries = [summary for _, summary in _summaries() if isinstance(summary, Summary)]
    return sorted(summaries, key=lambda summary: (summary.created, summary.id), reverse=True)


def damaged() -> list[tuple[str, GMAugError]]:
    """The ids of the datasets that cannot be read, each with the reason in words."""
    return sorted(
        ((dataset_id, found) for dataset_id, found in _summaries() if isinstance(found, GMAugError)),
        key=lambda item: item[0],
    )


def _summaries() -> Iterator[tuple[str, Summary | GMAugError]]:
    """Every dataset's id with its summary, or with why there is none."""
    for folder in _dataset_folders():
        try:
            yield folder.name, read_summary(folder)
        except FileNotFoundError:
            yield (
                folder.name,
                GMAugError(f"its {MANIFEST} is gone", todo="restore the file, or import the images again"),
            )
        except GMAugError as error:
            yield folder.name, error


def _dataset_folders() -> list[Path]:
    return [
        folder
        for folder in store.datasets_folder().iterdir()
        if not folder.name.startswith(".") and ((folder / SUMMARY).exists() or (folder / MANIFEST).exists())
    ]
