"""The quick generators on the demo digits: time, label agreement, variety, and a sheet to look at.

    python -m benchmarks.generator_quick [edm|stylegan2] [key=value ...]
                                         [--samples N] [--sheet FILE.png] [--out FILE.json]
    python -m benchmarks.generator_quick edm --dataset ID     any imported dataset: time and sheet alone

The judge is independent of the generator: a support-vector machine on all 1,797 real digits of scikit-learn
at 8 x 8 (98.9 % in cross-validation). Variety of a class: mean pairwise distance of its samples over that of
all its real digits. Novelty: median distance to the nearest training image over that of held-out real digits;
towards 0 is memorised.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances
from sklearn.svm import SVC

from gmaug_core.config import GENERATORS, augmentation_config, image_format, parse_assignments
from gmaug_core.data import dataset, pictures
from gmaug_core.data.demo import make_demo
from gmaug_core.models import generators


def at_8px(images: np.ndarray) -> np.ndarray:
    """[n, 16, 16] -> [n, 64] in 0..1."""
    small = [
        np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BOX), np.float32)
        for image in images
    ]
    return np.stack(small).reshape(len(images), 64) / 255


def digits_judged(
    samples: np.ndarray, labels: np.ndarray, train: np.ndarray, train_labels: np.ndarray
) -> dict[str, Any]:
    """Agreement with the judge, variety and novelty, overall and for each digit (rarest last in the demo)."""
    pixels, truth = load_digits(return_X_y=True)
    real = (pixels / 16).astype(np.float32)
    judge = SVC(C=10, gamma=0.02 * 16).fit(real, truth)
    made, seen = at_8px(samples), at_8px(train)
    agree = judge.predict(made) == labels
    rows = {}
    for k in range(10):
        mine, others, known = made[labels == k], real[truth == k], seen[train_labels == k]
        nearest = pairwise_distances(others, known).min(1)
        held_out = np.median(nearest[nearest > 0.25])  # the training images themselves are nearer than that
        rows[str(k)] = {
            "n_train": len(known),
            "agreement": float(agree[labels == k].mean()),
            "variety": float(pairwise_distances(mine).mean() / pairwise_distances(others).mean()),
            "novelty": float(np.median(pairwise_distances(mine, known).min(1)) / held_out),
        }
    tail = sorted(rows.values(), key=lambda row: row["n_train"])[:3]
    means = {key: float(np.mean([row[key] for row in tail])) for key in ("agreement", "variety", "novelty")}
    return {"agreement": float(agree.mean()), "three_rarest": means, "classes": rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("generator", choices=list(GENERATORS))
    parser.add_argument("settings", nargs="*", help="overrides of the quick preset, such as kimg=30")
    parser.add_argument("--dataset", help="a dataset id; default: the demo")
    parser.add_argument("--samples", type=int, default=100, help="a class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sheet", type=Path, help="write samples, one row a class, as PNG")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    data = dataset.load(arguments.dataset or make_demo())
    config = augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        symmetric=data.symmetric,
        generator=arguments.generator,
        overrides={"generator": parse_assignments(arguments.settings)},
    ).generator
    rows = data.split("train")
    images = data.images(image_format(config.resolution, config.colour))[rows]
    train_labels = data.labels[rows]
    generator = generators.create(config)
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        figures = generator.train(
            images, train_labels, data.class_names, Path(folder), seed=arguments.seed, device="cpu"
        )
        training, training_cpu = time.perf_counter() - start, time.process_time() - cpu
    labels = np.repeat(np.arange(len(data.class_names)), arguments.samples)
    start = time.perf_counter()
    samples = np.concatenate(list(generator.sample(labels, np.arange(len(labels)), 250)))
    sampling = time.perf_counter() - start
    result = {
        "what": f"{config.name}, quick preset, {data.name}",
        "training_seconds": training,
        "training_cpu_seconds_per_thread": training_cpu
        / arguments.threads,  # what it takes where nothing else runs
        "seconds_per_1000_samples": sampling / len(labels) * 1000,
        "figures": figures,
        "config": config.model_dump(mode="json"),
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "threads": arguments.threads,
            "torch": torch.__version__,
        },
    }
    if not arguments.dataset:
        result["judged"] = digits_judged(samples, labels, images, train_labels)
    if arguments.sheet:
        by_class = [samples[labels == k] for k in range(len(data.class_names))]
        arguments.sheet.write_bytes(pictures.sheet(by_class, columns=16))
    text = json.dumps(result, indent=1)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
