"""The embedded demo: a small long-tailed dataset that needs no download."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from gmaug_core.data.dataset import list_datasets
from gmaug_core.data.folders import Place
from gmaug_core.data.manifest import Findings
from gmaug_core.data.originals import store_original
from gmaug_core.data.store import Accepted, commit, staging_folder

NAME = "Digits demo"
VAL, TEST = 28, 50  # a class; with 100 training images that is all that the rarest head digit has
SHAPES = {"round": ["0", "6", "8", "9"], "straight": ["1", "4", "7"], "mixed": ["2", "3", "5"]}


def make_demo() -> str:
    """The id of the demo dataset, made at the first call: scikit-learn's handwritten digits, long-tailed.

    8 x 8 digits, bicubic to 16 x 16; 100 ... 5 training images a class in exponential steps, then 28 and 50
    of each for validation and test. No image occurs twice.
    """
    for summary in list_datasets():
        if summary.demo:
            return summary.id
    from sklearn.datasets import load_digits  # takes a second; only the first demo pays for it

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    classes = len(digits.target_names)
    train_counts = np.round(100 * (5 / 100) ** (np.arange(classes) / (classes - 1))).astype(int)
    generator = np.random.default_rng(0)
    placed = []
    with staging_folder() as staging:
        for digit in range(classes):
            rows = generator.permutation(np.flatnonzero(digits.target == digit))
            splits = ["val"] * VAL + ["test"] * TEST + ["train"] * train_counts[digit]
            for row, split in zip(rows, splits, strict=False):
                image = Image.fromarray(pixels[row]).resize((16, 16), Image.Resampling.BICUBIC)
                file = io.BytesIO()
                image.save(file, "PNG")
                digest = store_original(staging, file.getvalue())
                accepted = Accepted(f"digit-{row:04d}.png", digest, (16, 16), True, ())
                placed.append((accepted, Place(split, (str(digit),))))
        identity = {str(digit): [str(digit)] for digit in range(classes)}
        made = commit(
            staging,
            placed,
            name=NAME,
            findings=Findings(refused=(), junk=0, duplicates=(), warnings=()),
            symmetric=False,
            groupings=[("shape", SHAPES), ("identity", identity)],
            demo=True,
        )
    return made.dataset_id
