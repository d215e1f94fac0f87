"""Images made elsewhere whose worth is known: does the referee say it?

    python benchmarks/judge_images.py DATASET.zip [--size 32] [--steps 0] [--seeds 3] [--case real ...]

Half of the training images of each class are the dataset's own; the other half is held back. Offered are
real: the images held back, as a perfect generator would have drawn them; shuffled: the same under wrong
classes; noise: random pixels; copies: the dataset's own training images. Each goes through `measure` with the
gates copy and outlier. Said of each: the share accepted and why the rest was not, class by class; the gain of
what was accepted, and of all of it without the filter, over the same classifier on real images alone. For the
images held back the latter is what the learning curve promises.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.about import machine  # noqa: E402
from gmaug_core import intake  # noqa: E402
from gmaug_core.config import augmentation_config  # noqa: E402
from gmaug_core.data import dataset, splits  # noqa: E402
from gmaug_core.data.dataset import Dataset  # noqa: E402
from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.intake.elsewhere import take_in  # noqa: E402
from gmaug_core.method import experiment  # noqa: E402
from gmaug_core.method.parts.accuracy import Gain  # noqa: E402
from gmaug_core.method.result import AugmentationResult  # noqa: E402
from gmaug_core.seeds import derive  # noqa: E402

CASES = ("real", "shuffled", "noise", "copies")
Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def write(folder: Path, pixels: Pixels, labels: Labels, names: tuple[str, ...]) -> None:
    """Images as PNG files, a folder a class."""
    for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        place = folder / names[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:06d}.png")


def prepared(source: Path, size: int, work: Path) -> tuple[Dataset, dict[str, Path]]:
    """The dataset with half of its training images, and a folder of images for each case."""
    whole = dataset.load(intake.import_path(source).dataset_id)
    parts, pixels = splits.made(whole, 0), np.asarray(whole.images(f"{size}-{whole.colour}"))
    rng, names = np.random.default_rng(derive("judge_images")), whole.class_names
    own = []
    for label in range(len(names)):
        rows = rng.permutation(parts["train"][whole.labels[parts["train"]] == label])
        own.append(rows[: (len(rows) + 1) // 2])
    kept = np.sort(np.concatenate(own))
    held = np.setdiff1d(parts["train"], kept)
    labels = whole.labels
    for split, rows in (("train", kept), ("val", parts["val"]), ("test", parts["test"])):
        write(work / "given" / split, pixels[rows], labels[rows], names)
    shifted = (labels[held] + rng.integers(1, len(names), len(held))) % len(names)
    offers = {
        "real": (pixels[held], labels[held]),
        "shuffled": (pixels[held], shifted),
        "noise": (rng.integers(0, 256, pixels[held].shape).astype(np.uint8), labels[held]),
        "copies": (pixels[kept], labels[kept]),
    }
    for case, (images, own_labels) in offers.items():
        write(work / case, images, own_labels, names)
    made = intake.import_path(work / "given", name=f"{source.stem}, half")
    return dataset.load(made.dataset_id), {case: work / case for case in CASES}


def gain(found: Gain) -> dict[str, Any]:
    """In percentage points, with its interval."""
    return {"points": found.points, "low": found.points_low, "high": found.points_high, "says": found.verdict}


def judged(data: Dataset, offered: Path, out: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the referee says of a folder."""
    given, started = take_in(offered, data), time.perf_counter()
    config = augmentation_config(
        data.id,
        image_size=arguments.size,
        colour=data.colour,
        generator="folder",
        symmetric=True,
        overrides={
            "generator": given.settings,
            "seeds": arguments.seeds,
            "controls": (),
            "use": ("fill",),
            "max_steps": 1,
            "selection": {"mode": "real_share", "threshold": 0.9, "gates": ("copy", "outlier")},
            "classifier": {"steps": arguments.steps} if arguments.steps else {},
            "device": "cpu",
        },
    )
    found: AugmentationResult = experiment.run(
        config, data, {name: [name] for name in data.class_names}, out_dir=out
    )
    accepted = found.accepted.per_class
    return {
        "status": found.status,
        "offered": sum(given.offered),
        "accepted_share": found.accepted.total / max(sum(given.offered), 1),
        "accepted_share_per_class": {
            name: accepted.get(name, 0) / n
            for name, n in zip(data.class_names, given.offered, strict=True)
            if n
        },
        "real_validation_accepted_share": found.real_acceptance and found.real_acceptance.total.share,
        "rejected": found.rejected.reasons,
        "baseline_accuracy": found.baseline.accuracy.mean,
        "augmented_accuracy": found.augmented.accuracy.mean,
        "gain_of_accepted": gain(found.gains["baseline"]),
        "unfiltered_accuracy": found.controls["unfiltered"].accuracy.mean,
        "unfiltered_minus_baseline_points": 100
        * (found.controls["unfiltered"].accuracy.mean - found.baseline.accuracy.mean),
        "seconds": time.perf_counter() - started,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=0, help="of a classifier; 0: as the quick preset")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    out = arguments.out or ROOT / "benchmarks" / "results" / f"judge_images-{arguments.source.stem}.json"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["GMAUG_HOME"] = str(work / "home")
        data, offers = prepared(arguments.source, arguments.size, work)
        report: dict[str, Any] = {
            "dataset": arguments.source.stem,
            "size": arguments.size,
            "steps": arguments.steps or "quick preset",
            "seeds": arguments.seeds,
            "train": data.counts,
            "machine": machine(),
            "cases": {},
        }
        for case in arguments.case or CASES:
            report["cases"][case] = judged(data, offers[case], work / "runs" / case, arguments)
            write_json(out, report)
            print(case, report["cases"][case])


if __name__ == "__main__":
    main()
