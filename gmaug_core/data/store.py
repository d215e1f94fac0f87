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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gmaug_core.data import folders
from gmaug_core.data.folders import SPLITS, Groupings, Place
from gmaug_core.files import read_json, sync_folder, write_bytes
from gmaug_core.home import home
from gmaug_core.locks import locked

SCHEMA = 1
STAGING = ".import-"
NAMED = 10  # items that a warning names before it says how many more


@dataclass(frozen=True)
class Imported:
    """What an import did. counts: all images of a class; splits: images a split; refused and duplicates as in the manifest."""

    dataset_id: str
    created: bool  # False: the same content was there already, nothing was written
    name: str
    accepted: int
    counts: dict[str, int]
    splits: dict[str, int]
    refused: list[dict[str, str]]
    junk: int
    duplicates: list[dict[str, Any]]
    warnings: list[str]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Image:
    """One accepted image on its way into a manifest."""

    file: str
    sha256: str
    size: tuple[int, int]  # width, height as stored in the file, upright
    grey: bool
    conversions: tuple[str, ...]


def datasets_folder() -> Path:
    """home()/datasets, created when it is not there."""
    folder = home() / "datasets"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def staging_folder() -> Iterator[Path]:
    """A folder beside the datasets that is gone at the end unless it was renamed. Sweeps those that a killed import left."""
    root = datasets_folder()
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


def store_original(staging: Path, data: bytes) -> str:
    """Write the bytes under their sha256; returns it. The same content twice is one file, and never a part of one."""
    digest = hashlib.sha256(data).hexdigest()
    path = staging / "originals" / digest[:2] / digest
    if not path.exists():
        part = part_file(staging, os.getpid())
        part.write_bytes(data)
        os.replace(part, path)
    return digest


def part_file(staging: Path, process: int) -> Path:
    """Where a process writes an original before it has its name."""
    return staging / f"part-{process}"


def commit(
    staging: Path,
    placed: Sequence[tuple[Image, Place]],
    *,
    name: str,
    refused: list[dict[str, str]] | None = None,
    junk: int = 0,
    duplicates: list[dict[str, Any]] | None = None,
    warnings: Sequence[str] = (),
    symmetric: bool = True,
    groupings: Groupings | None = None,
    demo: bool = False,
    started: float | None = None,
) -> Imported:
    """Turn a staging folder with its originals into a dataset by one rename; the same content a second time changes nothing.

    symmetric: a mirrored image is still a valid one of its class. groupings: what to
    suggest as super-classes; default: what the folders propose.
    """
    names = folders.class_names(place.path for _, place in placed)
    class_names = list(names.values())
    order = {place_path: label for label, place_path in enumerate(names)}
    rows = sorted(
        placed,
        key=lambda row: (
            order[row[1].path],
            SPLITS.index(row[1].split),
            folders.natural_key(row[0].file),
            row[0].file,
        ),
    )
    labels = [order[place.path] for _, place in rows]
    splits = [place.split for _, place in rows]
    train = Counter(
        class_names[label] for label, split in zip(labels, splits, strict=True) if split == "train"
    )
    content = hashlib.sha256(json.dumps([class_names, labels, splits], ensure_ascii=False).encode())
    for image, _ in rows:
        content.update(bytes.fromhex(image.sha256))
    version = content.hexdigest()
    hierarchy = {title: list(path[:-1]) for path, title in names.items()}
    counts = {title: train[title] for title in class_names}
    positive = [count for count in counts.values() if count]
    summary: dict[str, Any] = {
        "id": f"{_slug(name)}-{version[:8]}",
        "name": name,
        "n_images": len(rows),
        "n_classes": len(class_names),
        "imbalance_ratio": round(max(positive) / min(positive), 4),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "splits": {split: splits.count(split) for split in SPLITS},
        "colour": "grey" if all(image.grey for image, _ in rows) else "rgb",
        "image_size": int(np.median([min(image.size) for image, _ in rows])),
        "symmetric": symmetric,
        "demo": demo,
    }
    manifest = {
        "schema": SCHEMA,
        **summary,
        "version": version,
        "classes": class_names,
        "counts": counts,
        "hierarchy": hierarchy,
        "suggested_groupings": groupings
        or folders.suggested_groupings({title: tuple(above) for title, above in hierarchy.items()}),
        "refused": refused or [],
        "junk": junk,
        "duplicates": duplicates or [],
        "warnings": [*warnings, *_count_warnings(counts, rows)],
        "images": {  # one column a fact, one row an image
            "file": [image.file for image, _ in rows],
            "sha256": [image.sha256 for image, _ in rows],
            "label": labels,
            "split": splits,
            "size": [list(image.size) for image, _ in rows],
        },
        "conversions": {
            str(i): list(image.conversions) for i, (image, _) in enumerate(rows) if image.conversions
        },
    }
    dataset_id, created = _commit_folder(staging, summary, manifest)
    total = Counter(class_names[label] for label in labels)
    return Imported(
        dataset_id=dataset_id,
        created=created,
        name=name,
        accepted=len(rows),
        counts={title: total[title] for title in class_names},
        splits=summary["splits"],
        refused=manifest["refused"],
        junk=junk,
        duplicates=manifest["duplicates"],
        warnings=manifest["warnings"],
        seconds=round(time.perf_counter() - started, 3) if started is not None else 0.0,
    )


def _count_warnings(counts: dict[str, int], rows: Sequence[tuple[Image, Place]]) -> list[str]:
    warnings = []
    for n, words in ((0, "no training image"), (1, "a single training image")):
        few = [title for title, count in counts.items() if count == n]
        if few:
            warnings.append(f"classes with {words}: {listed(few)}")
    odd = Counter(split for split in (place.split for _, place in rows))
    if odd["train"] and not odd["test"] and odd["val"]:
        warnings.append("there is a val folder but no test folder")
    return warnings


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{folders.clean_name(name)}'" for name in names[:NAMED])
    return shown + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _commit_folder(staging: Path, summary: dict[str, Any], manifest: dict[str, Any]) -> tuple[str, bool]:
    root = staging.parent
    for known in root.glob(f"*-{manifest['version'][:8]}"):
        if read_json(known / "manifest.json")["version"] == manifest["version"]:
            return known.name, False
    for filename, document in (("manifest.json", manifest), ("summary.json", summary)):
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        write_bytes(staging / filename, text.encode())
    os.sync()  # the originals reach the disk before the name does; one call instead of an fsync an image
    try:
        os.rename(staging, root / summary["id"])
    except OSError:
        if (root / summary["id"] / "manifest.json").exists():  # another import of the same content was faster
            return summary["id"], False
        raise
    (root / summary["id"] / "lock").unlink()  # only now: until it had its name, no sweep could take it
    sync_folder(root)
    return summary["id"], True


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "dataset"
