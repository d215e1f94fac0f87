"""The datasets of the evidence benchmark: real images, made long-tailed where a cell says so, and a test part
as large as what is there.

Each is written as a folder train/ val/ test/ and imported through the product's own door. Two pixel-identical
pictures of a source are one, so that none is on both sides.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import fashion
from gmaug_core import intake
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset

TEST_SHARE = 0.3  # of each class, where a source has no test part of its own
VALIDATED = 60  # validation images a class, at most
TESTED = 1000  # test images a class, at most
SPLIT_WORDS = {"train": "train", "test": "test", "val": "test"}

Picture = Callable[[], Image.Image]
Parts = dict[str, dict[str, list[Picture]]]  # train and test -> class -> pictures


@dataclass(frozen=True)
class Cell:
    """One dataset at one imbalance, and what its run is told beyond the preset.

    largest: training images of the largest class; None: as many as there are. ratio: largest over smallest
    class, exponential in between; None: as the source is. whole: the zip is imported as it is. preset: of the
    run.
    """

    name: str
    source: str
    largest: int | None = None
    ratio: float | None = None
    size: int = 16  # pixels a side
    symmetric: bool = True
    whole: bool = False
    preset: str = "quick"
    settings: Mapping[str, Any] = field(default_factory=dict)


# the standard preset cut down to some minutes of one GPU
ON_A_GPU: Mapping[str, Any] = {
    "seeds": 3,
    "generator_seeds": 1,
    "controls": ("class_balanced_loss", "posthoc_logit_adjustment"),
    "amounts": (1.0,),
    "amount_seeds": 1,
    "counting_seeds": 1,
    "max_steps": 1,
    "generator": {"channels": 96, "blocks": 1, "kimg": 100.0, "snapshot_kimg": 50.0, "sampling_steps": 12},
    "classifier": {"stem": "strided", "epochs": 40, "least_steps": 800, "most_steps": 800},
}

CELLS: tuple[Cell, ...] = (
    Cell("digits_100_r50", "digits", 100, 50, symmetric=False),
    Cell("fashion_100_r50", "fashion", 100, 50),
    Cell("weather4", "weather4_128"),
    Cell("sign_digits_100_r20", "sign_digits_100", 100, 20),
    Cell("flowers_300_r10", "flowers_128", 300, 10),
    Cell("brain_mri_200_r20", "brain_mri_128", 200, 20),
    Cell("fashion_100_r1", "fashion", 100, 1, settings={"target": 200}),
    Cell("cxr3", "cxr3_128"),
    Cell("fashion_100_r10", "fashion", 100, 10),
    Cell("fashion_200_r100", "fashion", 200, 100),
    Cell("digits_50_r10", "digits", 50, 10, symmetric=False),
    Cell("digits_100_r20", "digits", 100, 20, symmetric=False),
    Cell("cifar10_200_r20", "cifar10_lt", 200, 20),
    Cell("fashion_400_r50", "fashion", 400, 50),
    Cell("flowers_32px", "flowers_128", size=32),
    Cell("grocery", "grocery_64", whole=True, settings={"target": 60}),
    Cell("tiny_animals", "tiny_animals_64", 100, 10),
    Cell("caltech101", "caltech101_96", 100, settings={"target": 60}),
    Cell("digits_100_r1", "digits", 100, 1, symmetric=False, settings={"target": 200}),
    Cell("sign_digits_50_r10", "sign_digits_100", 50, 10),
    Cell("weather4_100_r10", "weather4_128", 100, 10),
    # as small as where an equivalence run found synthetic images to be worth real ones
    Cell(
        "flowers_50_r1",
        "flowers_128",
        50,
        1,
        settings={"target": 450, "generator": {"kimg": 60.0, "snapshot_kimg": 60.0}},
    ),
    Cell("brain_mri", "brain_mri_128"),
    Cell("cifar10_500_r50", "cifar10_lt", 500, 50),
    Cell("fashion_400_r10", "fashion", 400, 10),
    Cell("fashion_200_r10", "fashion", 200, 10),
    Cell("flowers_300_r1", "flowers_128", 300, 1, settings={"target": 600}),
    Cell("cxr3_100_r10", "cxr3_128", 100, 10),
    Cell("fashion_1000_r100", "fashion", 1000, 100, settings={"target": 500}),
    Cell("flowers_64px", "flowers_128", size=64, preset="standard", settings=ON_A_GPU),
)


def made(cell: Cell, data: Path, scratch: Path) -> Dataset | None:
    """The cell's dataset, imported once a workspace; None where its source is not on this machine.

    data: a folder of zips; scratch: where its pictures are written first.
    """
    known = {summary.name: summary.id for summary in dataset.list_datasets()}
    if cell.name in known:
        return dataset.load(known[cell.name])
    archive = data / f"{cell.source}.zip"
    if cell.whole:
        return _imported(archive, cell.name) if archive.exists() else None
    parts = source(cell.source, archive)
    if parts is None:
        return None
    folder = scratch / cell.name
    shutil.rmtree(folder, ignore_errors=True)  # of an import that was killed
    _write(cell, parts, folder)
    found = _imported(folder, cell.name)
    shutil.rmtree(folder)
    return found


def _imported(path: Path, name: str) -> Dataset:
    return dataset.load(intake.import_path(path, name=name).dataset_id)


def source(name: str, archive: Path) -> Parts | None:
    """Its pictures by part and class; None where it is not on this machine. archive: read where the source
    is neither the digits nor fashion-mnist."""
    if name == "digits":
        return _digits()
    if name == "fashion":
        return _fashion()
    return _zipped(archive) if archive.exists() else None


def _write(cell: Cell, parts: Parts, folder: Path) -> None:
    """Train, validation and test part of a cell. Without a test part every picture that training does not
    use is tested, and at least TEST_SHARE of each class."""
    rng = np.random.default_rng(0)
    names = sorted(parts["train"])
    pools = {}
    for name in names:
        pictures = shuffled(parts["train"][name], rng)
        held = 0 if parts["test"] else max(1, round(TEST_SHARE * len(pictures)))
        validated = min(VALIDATED, max(2, round(0.15 * (len(pictures) - held))))
        pools[name] = (pictures[:held], pictures[held : held + validated], pictures[held + validated :])
    largest = cell.largest or max(len(pool[2]) for pool in pools.values())
    for rank, name in enumerate(names):
        tested, validated_, pool = pools[name]
        share = (cell.ratio or 1.0) ** (-rank / max(len(names) - 1, 1))
        kept = max(2, round(largest * share))
        unused = pool[kept:] if cell.ratio else []
        published = shuffled(parts["test"].get(name, []), rng)
        groups = {
            "train": pool[:kept],
            "val": validated_,
            "test": (published or tested + unused)[:TESTED],
        }
        for part, pictures in groups.items():
            place = folder / part / name
            place.mkdir(parents=True)
            for number, picture in enumerate(pictures):
                picture().save(place / f"{number:05d}.png")


def shuffled(pictures: list[Picture], rng: np.random.Generator) -> list[Picture]:
    """The same in a random order."""
    return [pictures[index] for index in rng.permutation(len(pictures))]


def _digits() -> Parts:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    pixels = np.clip(np.asarray(images).reshape(-1, 8, 8) * 16, 0, 255).astype(np.uint8)

    def picture(index: int) -> Image.Image:
        return Image.fromarray(pixels[index]).resize((16, 16), Image.Resampling.BICUBIC)

    return {"train": _by_class(labels, picture), "test": {}}


def _fashion() -> Parts | None:
    def pictures(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, list[Picture]]:
        def picture(index: int) -> Image.Image:
            return Image.fromarray(pixels[index])

        return _by_class(labels, picture)

    given = fashion.parts()
    if given is None:
        return None
    return {part: pictures(*arrays) for part, arrays in given.items()}


def _by_class(labels: NDArray[Any], picture: Callable[[int], Image.Image]) -> dict[str, list[Picture]]:
    return {
        f"class{label}": [partial(picture, int(index)) for index in np.flatnonzero(labels == label)]
        for label in np.unique(labels)
    }


def _zipped(archive: Path) -> Parts:
    """Pictures by their last folder; those of the test part first, so that a training picture with the same
    pixels goes."""
    parts: Parts = {"train": {}, "test": {}}
    seen: set[bytes] = set()
    with zipfile.ZipFile(archive) as file:
        entries = [
            name for name in sorted(file.namelist()) if name.lower().endswith((".jpg", ".jpeg", ".png"))
        ]
        entries.sort(key=lambda name: SPLIT_WORDS.get(name.split("/")[0], "train") != "test")
        for name in entries:
            raw = file.read(name)
            digest = hashlib.sha256(_opened(raw).tobytes()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            part = parts[SPLIT_WORDS.get(name.split("/")[0], "train")]
            part.setdefault(name.split("/")[-2], []).append(partial(_opened, raw))
    return parts


def _opened(raw: bytes) -> Image.Image:
    return Image.open(io.BytesIO(raw)).convert("RGB")
