"""Real and accepted synthetic images as an ImageFolder with metadata.csv: what to train the final classifier on.

OUT/train/<class>/*.png, OUT/val/..., OUT/test/...; each split has its metadata.csv (its file_name as `datasets` reads it),
and OUT/metadata.csv lists everything. Real and synthetic images go through one identical path (same size, colour and PNG
encoder), because a classifier would otherwise learn to tell them apart by their format.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from gmaug_core import runs, workspace
from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import dataset, samples
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.splits import three_way_split
from gmaug_core.errors import InputError
from gmaug_core.files import sync_folder, write_bytes
from gmaug_core.hooks import Report, no_report
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile
from gmaug_core.workspace.grouping import guard_cell

NONE = "not applicable"  # instead of an empty cell: readers then see one type in every split
COLUMNS = (
    "file_name", "class", "split", "kind", "source_file", "source_sha256", "run", "sample", "step", "draw_seed", "judge_seed",
    "logit", "probability", "predicted", "reason", "decision", "generator", "generator_data", "licence",
)  # fmt: skip
REAL_LICENCE = "as the imported original"
SYNTHETIC_LICENCE = "generated; the terms of the training images may apply"
Row = dict[str, Any]


def export(subject: str, out: Path, *, report: Report = no_report) -> dict[str, Any]:
    """Write a run (balanced: real + accepted synthetic) or a dataset (real only) to `out`, a new or empty folder.

    All or nothing. What a person decided about a sample wins over the filter. Returns images, real, synthetic, per_class
    {class: {real, synthetic}} of the training split, short {class: images missing to the target}.
    Raises InputError for an unknown subject, an unfinished run, or a folder that is not empty.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            f"'{out.name}' is not an empty folder",
            expected="a new or empty folder",
            todo="choose another folder",
        )
    known = {summary.id for summary in dataset.list_datasets()}
    rows, about = _dataset_rows(dataset.load(subject)) if subject in known else _run_rows(subject)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".export-", dir=out.parent))
    except OSError as error:
        raise InputError(
            f"nothing can be written beside '{out.name}' ({error.strerror})",
            expected="a folder that may be written",
        ) from error
    try:
        document = _write(staging, rows, about, report)
        os.chmod(staging, 0o755)
        if out.exists():
            out.rmdir()  # empty, as seen above; refuses when something came meanwhile
        os.rename(staging, out)
        sync_folder(out.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return document


# --- what goes in ---


def _real(
    data: Dataset,
    index: NDArray[np.int64],
    split: str,
    folders: Mapping[str, str],
    pixels: Callable[[int], Any],
) -> Iterator[tuple[Row, Any]]:
    for i in index:
        source = data.provenance(int(i))
        name = source.sub_class
        row = {
            "file_name": f"{split}/{folders[name]}/real-{int(i):06d}.png",
            "class": name,
            "split": split,
            "kind": "real",
        }
        yield (
            row | {"source_file": source.file, "source_sha256": source.sha256, "licence": REAL_LICENCE},
            pixels(int(i)),
        )


def _dataset_rows(data: Dataset) -> tuple[Iterator[tuple[Row, Any]], dict[str, Any]]:
    folders = class_folders(data.class_names)

    def rows() -> Iterator[tuple[Row, Any]]:
        for split in ("train", "val", "test"):
            yield from _real(
                data, data.split(split), split, folders, lambda i: np.asarray(data.decoded(i).image)
            )

    return rows(), {
        "title": data.name,
        "subject": data.id,
        "version": data.version,
        "target": None,
        "total": len(data),
    }


def _run_rows(run_id: str) -> tuple[Iterator[tuple[Row, Any]], dict[str, Any]]:
    paths = runs.find(run_id)
    config = RunConfigFile.read(paths.config)
    settings = config.settings
    if not isinstance(settings, AugmentationConfig) or not paths.result.exists():
        raise InputError(
            f"run '{run_id}' cannot be exported",
            expected="a finished augmentation run",
            todo="wait, or resume the run",
        )
    result = AugmentationResult.read(paths.result)
    data = dataset.load(settings.dataset)
    if data.version != config.dataset_version:
        raise InputError(
            "the dataset has changed since this run",
            expected="the images that the run was made with",
            todo="import it again",
        )
    parts = three_way_split(
        data.labels, data.splits, data.class_names, content=data.content, seed=settings.seed
    )
    counts = np.bincount(data.labels[parts["train"]], minlength=len(data.class_names))
    target = settings.target or int(counts.max())
    chosen = _chosen(paths, settings.seed, np.maximum(target - counts, 0))
    folders = class_folders(data.class_names)
    real = data.images(image_format(settings.generator.resolution, settings.generator.colour))

    def rows() -> Iterator[tuple[Row, Any]]:
        for split, index in parts.items():
            yield from _real(data, index, split, folders, lambda i: real[i])
        for verdict in chosen:
            name = verdict["class"]
            row = {
                "file_name": f"train/{folders[name]}/synthetic-{verdict['sample']:06d}.png",
                "split": "train",
                "kind": "synthetic",
            }
            row |= {
                key: verdict[key]
                for key in (
                    "class",
                    "sample",
                    "step",
                    "draw_seed",
                    "logit",
                    "probability",
                    "reason",
                    "decision",
                )
            }
            row |= {
                "run": run_id,
                "judge_seed": verdict["seed"],
                "predicted": data.class_names[verdict["predicted"]],
            }
            row |= {"generator": result.generator.name, "licence": SYNTHETIC_LICENCE}
            row["generator_data"] = "closed-set" if result.generator.closed_set else "open-set"
            yield row, samples.image(paths.samples, verdict["sample"])

    about = {"title": data.name, "subject": run_id, "version": data.version, "target": target}
    return rows(), about | {"total": sum(map(len, parts.values())) + len(chosen)}


def _chosen(paths: runs.RunPaths, judge: int, wanted: NDArray[np.int64]) -> list[Row]:
    """The kept samples by the first judge in drawing order, those that a person kept first, up to what each class is short of."""
    table = samples.table(paths.samples, seed=judge)
    reviews = workspace.reviews.load(paths.id)
    # a later step may have been judged by other seeds only; a person's decision needs no judge
    if reviews:
        everything = samples.table(paths.samples).drop_duplicates("sample")
        missing = everything[everything["sample"].isin(set(reviews) - set(table["sample"]))]
        table = table if missing.empty else pd.concat([table, missing])
    rows = [
        row | {"decision": reviews.get(row["sample"], "by the filter")} for row in table.to_dict("records")
    ]
    kept = [
        row for row in rows if row["decision"] == "keep" or (row["accepted"] and row["decision"] != "reject")
    ]
    kept.sort(key=lambda row: (row["decision"] != "keep", row["sample"]))
    taken, place = [], Counter[int]()
    for row in kept:
        place[row["label"]] += 1
        if place[row["label"]] <= wanted[row["label"]]:
            taken.append(row)
    return sorted(taken, key=lambda row: row["sample"])


# --- files ---


def class_folders(names: Sequence[str]) -> dict[str, str]:
    """class -> a folder name that every system takes; different classes never share one, whatever the case of their letters."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        clean = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]+', "_", name).strip(". ")[:80] or "class"
        if clean.split(".")[0].upper() in {
            "CON",
            "PRN",
            "AUX",
            "NUL",
            *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)),
        }:
            clean = f"_{clean}"
        unique, number = clean, 1
        while unique.lower() in taken:
            number += 1
            unique = f"{clean}-{number}"
        taken.add(unique.lower())
        found[name] = unique
    return found


def _write(
    folder: Path, rows: Iterator[tuple[Row, Any]], about: dict[str, Any], report: Report
) -> dict[str, Any]:
    written: list[Row] = []
    for row, pixels in rows:
        path = folder / row["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, "PNG")
        written.append(row)
        if len(written) % 100 == 0:
            report("export", len(written), about["total"])
    _metadata(folder / "metadata.csv", written, "")
    for split in ("train", "val", "test"):
        if (folder / split).is_dir():
            _metadata(
                folder / split / "metadata.csv",
                [row for row in written if row["split"] == split],
                f"{split}/",
            )
    kinds = Counter((row["class"], row["kind"]) for row in written if row["split"] == "train")
    names = list(dict.fromkeys(row["class"] for row in written))
    per_class = {name: {"real": kinds[name, "real"], "synthetic": kinds[name, "synthetic"]} for name in names}
    short = {
        name: about["target"] - sum(n.values())
        for name, n in per_class.items()
        if about["target"] and sum(n.values()) < about["target"]
    }
    synthetic = sum(row["kind"] == "synthetic" for row in written)
    (folder / "README.md").write_text(_readme(about, len(written), synthetic), encoding="utf-8")
    report("export", len(written), len(written))
    return {
        "images": len(written),
        "real": len(written) - synthetic,
        "synthetic": synthetic,
        "per_class": per_class,
        "short": short,
    }


def _metadata(path: Path, rows: Sequence[Row], strip: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        shown = row | {"file_name": row["file_name"].removeprefix(strip)}
        writer.writerow([_cell(column, shown.get(column)) for column in COLUMNS])
    write_bytes(path, text.getvalue().encode())


def _cell(column: str, value: Any) -> Any:
    if value is None:
        return "" if column in ("sample", "step", "draw_seed", "judge_seed", "logit", "probability") else NONE
    return value if column == "file_name" or not isinstance(value, str) else guard_cell(value)


def _readme(about: Mapping[str, Any], images: int, synthetic: int) -> str:
    title = " ".join(str(about["title"]).split())
    what = f"{images:,} images, {synthetic:,} of them synthetic (training split only), from `{about['subject']}`."
    return (
        f"# {title}\n\n{what} Dataset version `{about['version']}`.\n\n"
        "`metadata.csv` says of every image what it is: `kind` real or synthetic; of a real one the imported file and its SHA-256; of a "
        "synthetic one the run, the sample number, the seed it was drawn from, the classifier's verdict, and whether a person decided. "
        "A cell that begins with an apostrophe holds text that a spreadsheet would otherwise run as a formula.\n\n"
        "Licence: real images keep the terms they came with. Synthetic images were generated by a network trained on them; check whether "
        "those terms allow passing them on. Never test on synthetic images.\n"
    )
