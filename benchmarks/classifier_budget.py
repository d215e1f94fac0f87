"""How long the quick preset's classifier must be trained, and which network and recipe use that time best.

    python -m benchmarks.classifier_budget DATASET.zip|digits --name NAME --steps 400 --steps 1600
                                           [--arm small-16] [--seeds 2] [--share 1 --share 0.5]
                                           [--size 32] [--out FILE]

Every training is on the training split and measured on the VALIDATION split alone: settings are chosen by
this, so the test split stays unseen. share: of the training images, the same for every seed; what the other
half is worth says whether more images can show at all. One thread; seconds are those of the CPU. Rows of
other trainings that the file holds already stay, so it can also be run piece by piece.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gmaug_core import intake
from gmaug_core.config import ResNetConfig, augmentation_config, image_format, validate
from gmaug_core.data import dataset, demo, splits
from gmaug_core.data.views import View
from gmaug_core.files import write_bytes
from gmaug_core.models import classifiers
from gmaug_core.seeds import derive

QUICK = {
    "width": 16,
    "blocks": (1, 1, 1),
    "stem": "small",
    "batch": 64,
    "lr": 0.1,
    "warmup": 0.0,
    "averaging": 0.0,
}
ARMS: dict[str, dict[str, Any]] = {  # what differs from the first
    "small-16": {},
    "small-16-averaged": {"averaging": 0.3},
    "strided-16-averaged": {"stem": "strided", "averaging": 0.3},
    "strided-16-averaged-warm": {"stem": "strided", "averaging": 0.3, "lr": 0.2, "warmup": 0.15},
    "strided-24": {"width": 24, "stem": "strided"},
    "strided-24-averaged": {"width": 24, "stem": "strided", "averaging": 0.3},
}


def rows(data: dataset.Dataset, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a training, as each is finished."""
    with tempfile.TemporaryDirectory() as folder:
        split = splits.kept(Path(folder) / "split.json", data, 0)
    images = np.asarray(data.images(image_format(arguments.size, data.colour)))
    val = View([images], split["val"])
    preset = augmentation_config(
        data.id,
        image_size=arguments.size,
        colour=data.colour,
        preset="quick",
        symmetric=data.symmetric,
    ).classifier.model_dump()
    for arm, share, steps, seed in itertools.product(
        arguments.arm or ARMS, arguments.share or [1.0], arguments.steps, range(arguments.seeds)
    ):
        config = validate(ResNetConfig, preset | QUICK | ARMS[arm])
        shuffled = np.random.default_rng(derive("share", 0)).permutation(split["train"])
        index = np.sort(shuffled[: round(share * len(shuffled))])
        begin = time.process_time()
        trained = classifiers.train(
            View([images], index), data.labels[index], len(data.class_names), config, seed=seed, steps=steps
        )
        seconds = time.process_time() - begin
        found = trained.evaluate(val, data.labels[split["val"]])
        yield {
            "dataset": arguments.name,
            "arm": arm,
            "images": len(index),
            "steps": steps,
            "seed": seed,
            "val_accuracy": round(found.accuracy, 4),
            "val_balanced_accuracy": round(found.balanced_accuracy, 4),
            "val_images": len(val),
            "train_accuracy": round(trained.evaluate(View([images], index), data.labels[index]).accuracy, 4),
            "cpu_seconds": round(seconds, 1),
            "parameters": sum(p.numel() for p in trained.network.parameters()),
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="a zip, or digits for the demo dataset")
    parser.add_argument("--name", required=True, help="of the dataset, in the file")
    parser.add_argument("--steps", type=int, action="append", required=True)
    parser.add_argument("--arm", action="append", choices=ARMS)
    parser.add_argument("--share", type=float, action="append")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "classifier_budget.json"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["GMAUG_HOME"] = home
        made = (
            demo.make_demo()
            if arguments.dataset == "digits"
            else intake.import_path(Path(arguments.dataset)).dataset_id
        )
        for row in rows(dataset.load(made), arguments):
            keep(arguments.out, row)
            print(json.dumps(row), flush=True)


def keep(file: Path, row: dict[str, Any]) -> None:
    """Put a row into the file, in place of an earlier one of the same training."""
    name = ("dataset", "arm", "images", "steps", "seed")
    others = json.loads(file.read_text())["rows"] if file.exists() else []
    kept = [other for other in others if any(other[key] != row[key] for key in name)]
    document = {
        "what": "validation accuracy of the quick preset's classifier by network, averaging and steps",
        "arms": {arm: QUICK | changed for arm, changed in ARMS.items()},
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "capability": torch.backends.cpu.get_cpu_capability(),
            "threads": 1,
            "torch": torch.__version__,
        },
        "rows": sorted([*kept, row], key=lambda each: [each[key] for key in name]),
    }
    write_bytes(file, (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
