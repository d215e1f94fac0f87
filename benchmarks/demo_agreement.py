"""Are the demo's accepted samples what their labels say? An independent judge, trained on ALL real digits, is
asked.

    PYTHONPATH=. python benchmarks/demo_agreement.py RUN [--out results.json] [--sheet sheet.png]

The judge is scikit-learn's SVC (RBF kernel) on all 1,797 digits at 16 px, a classifier that shares nothing
with the run's own; its 5-fold accuracy on real digits is stated beside the agreement. Tail: the classes with
at most 10 training images.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from gmaug_core import runs
from gmaug_core.data import dataset, samples
from gmaug_core.files import write_json
from gmaug_core.runs import RunConfigFile

TAIL = 10  # training images


def real_digits() -> tuple[np.ndarray, np.ndarray]:
    """Every digit, prepared exactly as the demo dataset prepares its own: float [n, 256] in 0..1 and
    labels.
    """
    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    resized = [
        np.asarray(Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC)) for image in pixels
    ]
    return np.stack(resized).reshape(len(resized), -1) / 255, digits.target


def contact_sheet(images: np.ndarray, labels: np.ndarray, columns: int = 24, zoom: int = 3) -> Image.Image:
    """One row a class, its first samples, enlarged."""
    size = images.shape[1]
    sheet = np.zeros((10 * size, columns * size), np.uint8)
    for digit in range(10):
        for column, image in enumerate(images[labels == digit][:columns]):
            sheet[digit * size : (digit + 1) * size, column * size : (column + 1) * size] = image
    return Image.fromarray(sheet).resize(
        (sheet.shape[1] * zoom, sheet.shape[0] * zoom), Image.Resampling.NEAREST
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    paths = runs.find(args.run)
    config = RunConfigFile.read(paths.config).to_dict()
    data = dataset.load(config["settings"]["dataset"])
    table = samples.table(paths.samples, seed=config["settings"]["seed"])
    images = samples.all_images(paths.samples)
    accepted = table[table["accepted"]]
    x, y = real_digits()
    judge = SVC(C=10, gamma="scale")
    own = cross_val_score(judge, x, y, cv=5).mean()
    said = judge.fit(x, y).predict(images[accepted["sample"]].reshape(len(accepted), -1) / 255)
    names = np.array(data.class_names).astype(int)
    agrees = said == names[accepted["label"]]
    drawn = table.drop_duplicates("sample")
    unfiltered = judge.predict(images[drawn["sample"]].reshape(len(drawn), -1) / 255) == names[drawn["label"]]
    rare = np.array([data.counts[name] <= TAIL for name in data.class_names])
    tail = rare[accepted["label"]]
    per_class = {
        name: {
            "train": data.counts[name],
            "accepted": int((accepted["label"] == k).sum()),
            "agreement": float(agrees[accepted["label"] == k].mean()),
        }
        for k, name in enumerate(data.class_names)
        if (accepted["label"] == k).any()
    }
    document = {
        "run_generator": config["settings"]["generator"]["name"],
        "judge_accuracy_on_real_digits_5_fold": float(own),
        "accepted": len(accepted),
        "agreement": float(agrees.mean()),
        "tail_accepted": int(tail.sum()),
        "tail_agreement": float(agrees[tail].mean()),
        "unfiltered_agreement": float(unfiltered.mean()),
        "unfiltered_tail_agreement": float(unfiltered[rare[drawn["label"]]].mean()),
        "per_class": per_class,
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
    }
    for key, value in document.items():
        print(f"{key}: {value}")
    if args.out:
        write_json(args.out, document)
    if args.sheet:
        contact_sheet(images[accepted["sample"]], names[accepted["label"]]).save(args.sheet)


if __name__ == "__main__":
    main()
