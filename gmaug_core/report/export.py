"""Real and accepted synthetic images as an ImageFolder with metadata.csv: what to train a classifier on.

OUT/train/<class>/*.png, OUT/val/..., OUT/test/...; each split has a folder for every class, so that all
number them alike, and its metadata.csv (file_name as `datasets` reads it). OUT/metadata.csv lists everything,
OUT/classes.txt the classes by number, OUT/croissant.json says so to machines. Real and synthetic images go
through one path (same size, colour and PNG encoder), because a classifier would otherwise learn to tell them
apart by their format.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core import runs, workspace
from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import balance, dataset, dividing, pictures, samples, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.pictures import Pixels
from gmaug_core.errors import InputError
from gmaug_core.files import sync_folder
from gmaug_core.hooks import Report, no_report
from gmaug_core.method.result import AugmentationResult
from gmaug_core.report import croissant, metadata
from gmaug_core.report.metadata import Row, class_folders, labels_of
from gmaug_core.runs import RunConfigFile

REAL_LICENCE = "as the imported original"
REPORT_EVERY = 100  # images
SYNTHETIC_LICENCE = "generated; the terms of the training images may apply"
Rows = Iterator[tuple[Row, Pixels]]


@dataclass(frozen=True)
class About:
    """What is exported. asked: training images of each class, real and synthetic, that were asked for; total:
    images, to show progress against; folders: class -> its folder, of every class; folds: of the run, of
    which the first is exported."""

    title: str
    subject: str
    version: str
    asked: Mapping[str, int]
    total: int
    folders: Mapping[str, str]
    folds: int = 1


def export(subject: str, out: Path, *, report: Report = no_report) -> dict[str, Any]:
    """Write a run (balanced: real + accepted synthetic) or a dataset (real only) to `out`, a new or empty
    folder.

    All or nothing. What a person decided about a sample wins over the filter. Returns images, real,
    synthetic, per_class {class: {real, synthetic}} of the training split, short {class: images missing to
    the target}. Raises InputError for an unknown subject, an unfinished run, or a folder that is not empty.
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
        staging.chmod(0o755)
        if out.exists():
            out.rmdir()  # empty, as seen above; refuses when something came meanwhile
        staging.rename(out)
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
    pixels: Callable[[int], Pixels],
) -> Rows:
    """The real images of one split."""
    numbers = labels_of(folders)
    for i in index.tolist():
        source = data.provenance(i)
        name = source.sub_class
        row = Row(
            file_name=f"{split}/{folders[name]}/real-{i:06d}.png",
            class_name=name,
            label=numbers[name],
            split=split,
            kind="real",
            licence=REAL_LICENCE,
            source_file=source.file,
            source_sha256=source.sha256,
        )
        yield row, pixels(i)


def _dataset_rows(data: Dataset) -> tuple[Rows, About]:
    folders = class_folders(data.class_names)

    def rows() -> Rows:
        for split in ("train", "val", "test"):
            yield from _real(
                data, data.split(split), split, folders, lambda i: np.asarray(data.decoded(i).image)
            )

    return rows(), About(data.name, data.id, data.version, {}, len(data), folders)


def _run_rows(run_id: str) -> tuple[Rows, About]:
    paths = runs.find(run_id)
    config = RunConfigFile.read(paths.config)
    settings = config.settings
    if not isinstance(settings, AugmentationConfig) or not paths.result.exists():
        raise InputError(
            f"run '{run_id}' cannot be exported",
            expected="a finished augmentation run",
            todo="wait, or resume the run",
        )
    generator = AugmentationResult.read(paths.result).generator
    data, parts, counts, wanted = _short_of(paths, config, settings)
    chosen = _chosen(paths, settings.seed, wanted)
    asked = dict(zip(data.class_names, (counts + wanted).tolist(), strict=True))
    folders = class_folders(data.class_names)
    numbers = labels_of(folders)
    real = data.images(image_format(settings.generator.resolution, settings.generator.colour))

    def rows() -> Rows:
        for split, index in parts.items():
            yield from _real(data, index, split, folders, lambda i: real[i])
        for verdict in chosen:
            name, sample = verdict["class"], verdict["sample"]
            row = Row(
                file_name=f"train/{folders[name]}/synthetic-{sample:06d}.png",
                class_name=name,
                label=numbers[name],
                split="train",
                kind="synthetic",
                licence=SYNTHETIC_LICENCE,
                run=run_id,
                sample=sample,
                step=verdict["step"],
                draw_seed=verdict["draw_seed"],
                judge_seed=verdict["seed"],
                logit=verdict["logit"],
                probability=verdict["probability"],
                predicted=data.class_names[verdict["predicted"]],
                reason=verdict["reason"],
                decision=verdict["decision"],
                generator=generator.name,
                generator_data=generator.origin,
            )
            yield row, samples.image(paths.samples, sample)

    total = sum(map(len, parts.values())) + len(chosen)
    return rows(), About(data.name, run_id, data.version, asked, total, folders, settings.folds)


def _short_of(
    paths: runs.RunPaths, config: RunConfigFile, settings: AugmentationConfig
) -> tuple[Dataset, dividing.Parts, NDArray[np.int64], NDArray[np.int64]]:
    """The dataset, its split, real training images a class, and synthetic ones that are exported at most."""
    choice = AugmentationResult.read(paths.result).choice
    data = dataset.load(settings.dataset)
    if data.version != config.dataset_version:
        raise InputError(
            "the dataset has changed since this run",
            expected="the images that the run was made with",
            todo="import it again",
        )
    parts = splits.read(paths.split, data, settings.seed)
    counts = np.bincount(data.labels[parts["train"]], minlength=len(data.class_names))
    wanted = balance.wanted_of(counts, settings.target, settings.added, settings.generator.stock)
    wanted = np.asarray(np.ceil((choice.amount if choice else 1.0) * wanted), np.int64)
    return data, parts, counts, wanted


def counted(run_id: str) -> pd.DataFrame:
    """What an export of a finished run would hold as people's decisions stand now, without writing it: a row
    a class with class, real (training images), short of (synthetic ones at most), exported (synthetic ones).
    """
    paths = runs.find(run_id)
    config = RunConfigFile.read(paths.config)
    settings = config.settings_as(AugmentationConfig)
    data, _, counts, wanted = _short_of(paths, config, settings)
    table, reviews = _judged(paths, settings.seed)
    kept = table["label"].to_numpy(np.int64)[samples.decided(table, reviews)]
    exported = np.minimum(np.bincount(kept, minlength=len(counts)), wanted)
    return pd.DataFrame({"class": data.class_names, "real": counts, "short of": wanted, "exported": exported})


def _judged(paths: runs.RunPaths, judge: int) -> tuple[pd.DataFrame, dict[int, str]]:
    """The verdicts that an export looks at, a row a sample, and what people decided. A later step may have
    been judged by other seeds only; a person's decision needs no judge."""
    table, reviews = samples.table(paths.samples, seed=judge), workspace.reviews.load(paths.id)
    if reviews:
        everything = samples.table(paths.samples).drop_duplicates("sample")
        missing = everything[everything["sample"].isin(set(reviews) - set(table["sample"]))]
        table = table if missing.empty else pd.concat([table, missing])
    return table, reviews


def _chosen(paths: runs.RunPaths, judge: int, wanted: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Rows of samples.table of what is exported, in drawing order: up to the amount that was chosen.

    Those that a person kept come first, then those that the first judge accepted. wanted: images a class.
    """
    table, reviews = _judged(paths, judge)
    rows = [
        row | {"decision": reviews.get(row["sample"], "by the filter")} for row in table.to_dict("records")
    ]
    kept = [row for row, mine in zip(rows, samples.decided(table, reviews), strict=True) if mine]
    kept.sort(key=lambda row: (row["decision"] != "keep", row["sample"]))
    taken, place = [], Counter[int]()
    for row in kept:
        place[row["label"]] += 1
        if place[row["label"]] <= wanted[row["label"]]:
            taken.append(row)
    return sorted(taken, key=lambda row: row["sample"])


# --- files ---


def _write(folder: Path, rows: Rows, about: About, report: Report) -> dict[str, Any]:
    """Write images, sheets and README; returns what `export` returns."""
    written: list[Row] = []
    for row, pixels in rows:
        path = folder / row.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.png(np.ascontiguousarray(pixels)))
        written.append(row)
        if len(written) % REPORT_EVERY == 0:
            report("export", len(written), about.total)
    metadata.write(folder / "metadata.csv", written)
    for split in ("train", "val", "test"):
        if (folder / split).is_dir():
            of_split = [row for row in written if row.split == split]
            metadata.write(folder / split / "metadata.csv", of_split, below=f"{split}/")
            for name in about.folders.values():
                (folder / split / name).mkdir(exist_ok=True)
    metadata.write_classes(folder, about.folders)
    synthetic = sum(row.is_synthetic for row in written)
    (folder / "README.md").write_text(_readme(about, len(written), synthetic), encoding="utf-8")
    croissant.write(
        folder,
        title=about.title,
        version=about.version,
        about=f"{len(written):,} images, {synthetic:,} of them synthetic, from {about.subject}",
        classes=sorted(about.folders, key=about.folders.__getitem__),
    )
    report("export", len(written), len(written))
    per_class = _per_class(written)
    missing = {name: about.asked.get(name, 0) - sum(n.values()) for name, n in per_class.items()}
    return {
        "images": len(written),
        "real": len(written) - synthetic,
        "synthetic": synthetic,
        "per_class": per_class,
        "short": {name: n for name, n in missing.items() if n > 0},
    }


def _per_class(written: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Real and synthetic training images of every exported class."""
    kinds = Counter((row.class_name, row.kind) for row in written if row.split == "train")
    names = dict.fromkeys(row.class_name for row in written)
    return {name: {"real": kinds[name, "real"], "synthetic": kinds[name, "synthetic"]} for name in names}


def _readme(about: About, images: int, synthetic: int) -> str:
    title = " ".join(about.title.split())
    what = (
        f"{images:,} images, {synthetic:,} of them synthetic (training split only), from `{about.subject}`."
    )
    if about.folds > 1:
        what += f" Split and synthetic images are those of the first of the run's {about.folds} folds."
    return (
        "---\ntask_categories:\n- image-classification\n---\n"
        f"# {title}\n\n{what} Dataset version `{about.version}`.\n\n"
        "`metadata.csv` says of every image what it is: `kind` real or synthetic; of a real one the imported "
        "file and its SHA-256; of a synthetic one the run, the sample number, its seed, the "
        "classifier's verdict, and whether a person decided. A cell that begins with an apostrophe is text "
        "that a spreadsheet would otherwise run as a formula, or a reader take for a number or for nothing: "
        "the apostrophe is no part of it.\n\n"
        "`label` is the number of the class: line `label` of `classes.txt`, the first is 0. Every split has "
        "a folder for every class, one without images is empty: "
        "`torchvision.datasets.ImageFolder(folder, allow_empty=True)` then gives all the same numbers.\n\n"
        "Licence: real images keep the terms they came with. Synthetic images were generated by a network "
        "trained on them; check whether those terms allow passing them on. Never test on synthetic images.\n"
    )
