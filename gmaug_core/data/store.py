"""Writing datasets: staged beside the others, originals by their sha256, committed by one rename."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmaug_core.data import folders
from gmaug_core.data.decode import Depth
from gmaug_core.data.folders import SPLITS, ClassPath, Groupings, Place
from gmaug_core.data.manifest import MANIFEST, SUMMARY, Findings, Manifest, Rows, read_summary
from gmaug_core.errors import GMAugError
from gmaug_core.files import sync_folder
from gmaug_core.home import home
from gmaug_core.locks import locked

STAGING = ".import-"
NAMED = 10  # items that a warning names before it says how many more


class Imported(Findings):
    """What an import did, and what it noticed."""

    dataset_id: str
    """The dataset that is now there."""
    created: bool
    """False where the same content was there already: nothing was written."""
    name: str
    """As people see it."""
    accepted: int
    """Images taken."""
    counts: dict[str, int]
    """All images of each sub-class."""
    splits: dict[str, int]
    """Images of train, val and test."""
    conversions: dict[str, int]
    """What was done to images on the way in, in words, and to how many."""
    seconds: float
    """Time that it took, in seconds; 0 where nobody measured it."""


@dataclass(frozen=True)
class Accepted:
    """One accepted image on its way into a manifest."""

    file: str
    sha256: str
    size: tuple[int, int]  # width, height as stored in the file, upright
    grey: bool
    conversions: tuple[str, ...]
    group: str = ""  # its source, where the import was told of any
    remark: str = ""  # what is odd about it, in words
    deep: tuple[str, float, float] | None = None  # of more than 8 bits: kind, smallest and largest sample
    look: bytes = b""  # what it looks like in small, to be compared
    near: int | None = None  # equal for images linked by near copies; None where nobody looked for them


Placed = tuple[Accepted, Place]


def datasets_folder() -> Path:
    """home()/datasets, created when it is not there."""
    folder = home() / "datasets"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def staging_folder(root: Path | None = None) -> Iterator[Path]:
    """A folder beside the datasets, or below `root`, that is gone at the end unless it was renamed.

    Sweeps those that a killed import left.
    """
    root = datasets_folder() if root is None else root
    with ExitStack() as held:  # the folder's own lock, for the whole import
        with locked(
            root / ".lock", wait=True
        ):  # so that nobody sweeps a folder between its making and its locking
            for orphan in root.glob(STAGING + "*"):
                with suppress(FileNotFoundError), locked(orphan / "lock") as free:  # or committed meanwhile
                    if free:
                        shutil.rmtree(orphan, ignore_errors=True)
            staging = root / f"{STAGING}{os.getpid()}-{time.time_ns()}"
            staging.mkdir(mode=0o700)
            held.enter_context(locked(staging / "lock"))
        try:
            for byte in range(256):
                (staging / "originals" / f"{byte:02x}").mkdir(parents=True)
            (staging / "cache").mkdir()
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def commit(
    staging: Path,
    placed: Sequence[Placed],
    *,
    name: str,
    findings: Findings,
    symmetric: bool = True,
    groupings: Groupings | None = None,
    demo: bool = False,
    depth: Depth | None = None,
    started: float | None = None,
) -> Imported:
    """Turn a staging folder with its originals into a dataset by one rename; the same content again changes
    nothing.

    symmetric: a mirrored image is still a valid one of its class. groupings: what to suggest as
    super-classes; default: what the folders propose. depth: what is black and white in images of more than
    8 bits. started: time.perf_counter() when the import began.
    """
    names = folders.class_names(place.path for _, place in placed)
    class_names = list(names.values())
    rows = _in_order(placed, list(names))
    images = _columns(rows, list(names))
    counts = _counts(class_names, images, "train")
    positive = [count for count in counts.values() if count]
    version = _version(class_names, images, depth or {})
    hierarchy = {title: path[:-1] for path, title in names.items()}
    manifest = Manifest.new(
        id=f"{_slug(name)}-{version[:8]}",
        name=name,
        version=version,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        n_images=len(rows),
        n_classes=len(class_names),
        classes=class_names,
        counts=counts,
        splits={split: images.split.count(split) for split in SPLITS},
        imbalance_ratio=round(max(positive) / min(positive), 4),
        colour="grey" if all(image.grey for image, _ in rows) else "rgb",
        image_size=int(np.median([min(image.size) for image, _ in rows])),
        symmetric=symmetric,
        demo=demo,
        hierarchy=hierarchy,
        suggested_groupings=groupings or folders.suggested_groupings(hierarchy),
        refused=findings.refused,
        junk=findings.junk,
        duplicates=findings.duplicates,
        warnings=(*findings.warnings, *_count_warnings(class_names, counts, images)),
        layout=findings.layout,
        other_readings=findings.other_readings,
        images=images,
        depth=depth or {},
        conversions={str(i): image.conversions for i, (image, _) in enumerate(rows) if image.conversions},
    )
    dataset_id, created = _commit_folder(staging, manifest)
    seconds = round(time.perf_counter() - started, 3) if started is not None else 0.0
    return _imported(manifest, dataset_id, created, seconds)


def _imported(manifest: Manifest, dataset_id: str, created: bool, seconds: float) -> Imported:
    return Imported(
        dataset_id=dataset_id,
        created=created,
        name=manifest.name,
        accepted=manifest.n_images,
        counts=_counts(manifest.classes, manifest.images),
        splits=manifest.splits,
        refused=manifest.refused,
        junk=manifest.junk,
        duplicates=manifest.duplicates,
        warnings=manifest.warnings,
        layout=manifest.layout,
        other_readings=manifest.other_readings,
        conversions=dict(Counter(words for done in manifest.conversions.values() for words in done)),
        seconds=seconds,
    )


def _in_order(placed: Sequence[Placed], paths: Sequence[ClassPath]) -> list[Placed]:
    """By class, split and file name, numbers in names as numbers: the same content gets the same rows."""
    label = {path: k for k, path in enumerate(paths)}

    def place_of(row: Placed) -> tuple[int, int, list[tuple[int, int, str]], str]:
        image, place = row
        name = folders.natural_key(image.file)
        return label[place.path], SPLITS.index(place.split), name, image.file

    return sorted(placed, key=place_of)


def _columns(rows: Sequence[Placed], paths: Sequence[ClassPath]) -> Rows:
    label = {path: k for k, path in enumerate(paths)}
    return Rows.model_validate(
        {
            "file": [image.file for image, _ in rows],
            "sha256": [image.sha256 for image, _ in rows],
            "label": [label[place.path] for _, place in rows],
            "split": [place.split for _, place in rows],
            "size": [image.size for image, _ in rows],
            "group": [image.group for image, _ in rows] if any(image.group for image, _ in rows) else [],
            "near": _near(rows),
        }
    )


def _near(rows: Sequence[Placed]) -> list[int]:
    """The first row of each image's group of near copies, its own where it has none; [] where nobody
    looked."""
    if any(image.near is None for image, _ in rows):
        return []
    first: dict[int | None, int] = {}
    return [first.setdefault(image.near, i) for i, (image, _) in enumerate(rows)]


def _counts(class_names: Sequence[str], images: Rows, split: str | None = None) -> dict[str, int]:
    """Images of each class, of one split or of all."""
    found = Counter(
        label for label, own in zip(images.label, images.split, strict=True) if split in (None, own)
    )
    return {title: found[label] for label, title in enumerate(class_names)}


def _version(class_names: Sequence[str], images: Rows, depth: Depth) -> str:
    """sha256 over classes, labels, splits, sources where there are any, and the bytes of every image."""
    sources: list[object] = [images.group] if images.group else []
    if depth and depth != {"16-bit": (0.0, 65535.0)}:  # how they were read before: the same id as then
        sources.append(depth)
    text = json.dumps([class_names, images.label, images.split, *sources], ensure_ascii=False)
    content = hashlib.sha256(text.encode())
    for digest in images.sha256:
        content.update(bytes.fromhex(digest))
    return content.hexdigest()


def _count_warnings(class_names: Sequence[str], counts: dict[str, int], images: Rows) -> list[str]:
    warnings = []
    for n, words in ((0, "no training image"), (1, "a single training image")):
        few = [title for title, count in counts.items() if count == n]
        if few:
            warnings.append(f"classes with {words}: {listed(few)}")
    splits = set(images.split)
    if {"train", "val"} <= splits and "test" not in splits:
        warnings.append("there is a val folder but no test folder")
    for split in SPLITS[1:]:
        own = _counts(class_names, images, split)
        if split in splits and (bare := [title for title, n in own.items() if not n and counts[title]]):
            warnings.append(f"classes without an image in {split}: {listed(bare)}")
    return warnings


def listed(names: Sequence[str]) -> str:
    """Some names, quoted, and how many more there are."""
    shown = ", ".join(f"'{folders.clean_name(name)}'" for name in names[:NAMED])
    return shown + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _commit_folder(staging: Path, manifest: Manifest) -> tuple[str, bool]:
    """The id, and whether the folder is new: not where a dataset of the same content is there."""
    root = staging.parent
    for known in root.glob(f"*-{manifest.version[:8]}"):
        try:
            if read_summary(known).version == manifest.version:
                return known.name, False
        except (FileNotFoundError, GMAugError):  # damaged: this import takes its place
            if known.name == manifest.id:
                known.rename(root / f"{STAGING}damaged-{time.time_ns()}")  # the next import sweeps it
    manifest.write(staging / MANIFEST)
    manifest.summary().write(staging / SUMMARY)
    (staging / "lock").unlink()
    os.sync()  # the originals reach the disk before the name does; one call instead of an fsync an image
    try:
        staging.rename(root / manifest.id)
    except OSError:
        if (root / manifest.id / MANIFEST).exists():  # another import of the same content was faster
            return manifest.id, False
        raise
    sync_folder(root)
    return manifest.id, True


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "dataset"
