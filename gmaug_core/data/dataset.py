"""Datasets of the workspace: labels, splits, counts, and uint8 images in any format, decoded once and memory-mapped."""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gmaug_core.config import Colour, Profile, image_format
from gmaug_core.data import store
from gmaug_core.data.decode import Decoded, canonical, decode
from gmaug_core.data.folders import SPLITS, Groupings, Place
from gmaug_core.errors import GMAugError, InputError, Stopped
from gmaug_core.files import read_json, sync_folder, write_bytes
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.locks import locked

CHUNK = 1024  # images between two progress marks of a cache
SIZES = range(8, 1025)  # of a cached image, in pixels
DEMO_NAME = "Digits demo"
DEMO_VAL, DEMO_TEST = 28, 50  # a class; with 100 training images that is all that the rarest head digit has
DEMO_SHAPES = {"round": ["0", "6", "8", "9"], "straight": ["1", "4", "7"], "mixed": ["2", "3", "5"]}


class Dataset:
    """One imported dataset, read-only. Everything comes from manifest.json; images are decoded when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = read_json(folder / "manifest.json")
        columns = self.manifest["images"]
        self.id: str = folder.name
        self.name: str = self.manifest["name"]
        self.version: str = self.manifest["version"]  # sha256 over classes, labels, splits and every image
        self.class_names: tuple[str, ...] = tuple(self.manifest["classes"])
        self.labels = np.array(columns["label"], np.int64)
        self.splits = np.array(columns["split"])
        self.counts: dict[str, int] = dict(self.manifest["counts"])  # training images a class
        self.imbalance_ratio: float = self.manifest["imbalance_ratio"]  # largest / smallest training class
        self.colour: Colour = self.manifest["colour"]  # grey when every image is
        self.image_size: int = self.manifest["image_size"]  # median short side in pixels
        self.symmetric: bool = self.manifest["symmetric"]  # a mirrored image is a valid one
        self.hierarchy: dict[str, tuple[str, ...]] = {
            name: tuple(above) for name, above in self.manifest["hierarchy"].items()
        }
        self.suggested_groupings: Groupings = [
            (name, groups) for name, groups in self.manifest["suggested_groupings"]
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, name: str) -> np.ndarray:
        """Indices of "train", "val" or "test", int64, ascending. Raises InputError for another name."""
        if name not in SPLITS:
            raise InputError(f"'{name}' is not a split", expected="one of " + ", ".join(SPLITS))
        return np.flatnonzero(self.splits == name)

    @cached_property
    def content(self) -> np.ndarray:
        """int64 [n]: the index of the first image with the same bytes. Images that share it must never be split apart."""
        first: dict[str, int] = {}
        return np.array(
            [first.setdefault(digest, i) for i, digest in enumerate(self.manifest["images"]["sha256"])],
            np.int64,
        )

    def original(self, i: int) -> bytes:
        """The file as it was given. Raises GMAugError when its bytes have changed since."""
        digest = self.manifest["images"]["sha256"][i]
        try:
            data = (self.folder / "originals" / digest[:2] / digest).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != digest:
            raise GMAugError(
                f"image '{self.manifest['images']['file'][i]}' of {self.id} is missing or damaged on disk",
                expected="the bytes that were imported",
                todo="delete the dataset and import it again",
            )
        return data

    def decoded(self, i: int) -> Decoded:
        """Image i, upright, 8-bit grey or RGB, at its own size."""
        return decode(self.original(i))

    def images(
        self,
        format_or_profile: str,
        *,
        report: Report = no_report,
        should_stop: ShouldStop = never,
    ) -> np.ndarray:
        """All images, square: read-only uint8 memmap [n, h, h] (grey) or [n, h, h, 3], in the order of labels.

        format_or_profile: "32-rgb", "128-grey", or a profile such as "paper". Decoded on all cores at the first call and
        cached; an interrupted call goes on where it was. Raises InputError for an unknown format, Stopped when asked to.
        """
        size, colour = parse_format(format_or_profile)
        path = self.folder / "cache" / f"{image_format(size, colour)}.npy"
        if not path.exists():
            self._build_cache(path, size, colour, report, should_stop)
        return np.load(path, mmap_mode="r")

    def _build_cache(
        self, path: Path, size: int, colour: Colour, report: Report, should_stop: ShouldStop
    ) -> None:
        path.parent.mkdir(exist_ok=True)
        part, mark = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.done")
        shape = (len(self), size, size) if colour == "grey" else (len(self), size, size, 3)
        threads = os.cpu_count() or 1
        own = path.with_name(f".{path.name}.lock")
        with locked(own, wait=True), ThreadPoolExecutor(threads) as pool:
            if path.exists():  # somebody else built it while this one waited
                return
            done = int(mark.read_text()) if mark.exists() and part.exists() else 0
            if not done:
                np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape).flush()

            def fill(array: np.ndarray, rows: range) -> None:
                for i in rows:
                    array[i] = canonical(self.decoded(i).image, size, colour)

            while done < len(self):
                if should_stop():
                    raise Stopped("images")
                stop = min(done + CHUNK, len(self))
                array = np.lib.format.open_memmap(
                    part, mode="r+"
                )  # mapped anew for each chunk, so that written pages leave memory
                list(pool.map(partial(fill, array), [range(done + k, stop, threads) for k in range(threads)]))
                done = stop
                array.flush()  # the images are on disk before the mark says so
                del array
                write_bytes(mark, str(done).encode())
                report("images", done, len(self))
            os.replace(part, path)
            sync_folder(path.parent)
            mark.unlink(missing_ok=True)

    def provenance(self, i: int) -> dict[str, Any]:
        """Where image i comes from: file (the name given), sha256, class, split, size [w, h], conversions."""
        columns = self.manifest["images"]
        return {
            "file": columns["file"][i],
            "sha256": columns["sha256"][i],
            "class": self.class_names[self.labels[i]],
            "split": str(self.splits[i]),
            "size": columns["size"][i],
            "conversions": self.manifest["conversions"].get(str(int(i)), []),
        }


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
    known = [summary["id"] for summary in list_datasets()]
    if dataset_id not in known:
        near = difflib.get_close_matches(dataset_id, known, n=3, cutoff=0.4)
        raise InputError(
            f"there is no dataset '{dataset_id}'",
            expected="one of " + ", ".join(near or known[:5]) if known else "a dataset that was imported",
            todo="list them with: python -m gmaug_core datasets"
            if known
            else "import one, or make the demo dataset",
        )
    return Dataset(store.datasets_folder() / dataset_id)


def list_datasets() -> list[dict[str, Any]]:
    """One summary a dataset, newest first: id, name, n_images, n_classes, imbalance_ratio, created, splits, colour, image_size."""
    folders = (folder for folder in store.datasets_folder().iterdir() if not folder.name.startswith("."))
    summaries = [
        read_json(folder / "summary.json") for folder in folders if (folder / "summary.json").exists()
    ]
    return sorted(summaries, key=lambda summary: (summary["created"], summary["id"]), reverse=True)


def make_demo() -> str:
    """The id of the demo dataset, made at the first call: scikit-learn's handwritten digits, long-tailed.

    8 x 8 digits, bicubic to 16 x 16; 100 ... 5 training images a class in exponential steps, then 28 and 50 of each for
    validation and test. No image occurs twice.
    """
    for summary in list_datasets():
        if summary["demo"]:
            return summary["id"]
    from sklearn.datasets import load_digits  # takes a second; only the first demo pays for it

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    classes = len(digits.target_names)
    train_counts = np.round(100 * (5 / 100) ** (np.arange(classes) / (classes - 1))).astype(int)
    generator = np.random.default_rng(0)
    placed = []
    with store.staging_folder() as staging:
        for digit in range(classes):
            rows = generator.permutation(np.flatnonzero(digits.target == digit))
            splits = ["val"] * DEMO_VAL + ["test"] * DEMO_TEST + ["train"] * train_counts[digit]
            for row, split in zip(rows, splits, strict=False):
                image = Image.fromarray(pixels[row]).resize((16, 16), Image.Resampling.BICUBIC)
                file = io.BytesIO()
                image.save(file, "PNG")
                digest = store.store_original(staging, file.getvalue())
                placed.append(
                    (
                        store.Image(f"digit-{row:04d}.png", digest, (16, 16), True, ()),
                        Place(split, (str(digit),)),
                    )
                )
        identity = {str(digit): [str(digit)] for digit in range(classes)}
        made = store.commit(
            staging,
            placed,
            name=DEMO_NAME,
            symmetric=False,
            groupings=[("shape", DEMO_SHAPES), ("identity", identity)],
            demo=True,
        )
    return made.dataset_id
