"""How often the interval of a gain over K folds holds the truth, in simulated runs whose truth is known.

    python benchmarks/folds.py [--trials N]

Every image is tested once, in its fold, by classifiers of several seeds and with a generator of that fold's
own. Whether an image is put in its class is the sign of a sum of normal effects: the image, the gain, the
fold's generator, seed and fold (of each side), and noise. `seeds and images`: the interval of one split;
`folds`: the wider of it and of that over folds, which a run with folds uses.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.method.statistics import difference  # noqa: E402

IMAGE, GAIN, NOISE = 0.8, 0.1, 0.5
MANY = 2_000_000  # images from which the truth is counted


@dataclass(frozen=True)
class Case:
    """generator, seed: how far their effects scatter; .1 moves the accuracy by about 2.5 points."""

    images: int
    folds: int
    seeds: int
    generator: float
    seed: float


CASES = [
    Case(images, folds, seeds, generator, seed)
    for images, folds, seeds in ((600, 5, 3), (600, 5, 2), (600, 3, 3), (4000, 10, 3))
    for generator, seed in ((0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.2, 0.05))
]


def world(
    random: np.random.Generator, case: Case
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Right or not, with and without synthetic images, float [seeds, images]; the fold of each image."""
    fold = np.arange(case.images) % case.folds
    shape, of_fold = (case.seeds, case.images), (case.seeds, case.folds)
    image = random.normal(IMAGE, 1, case.images)
    generator = random.normal(0, case.generator, case.folds)[fold]
    with_them, without = (
        image + random.normal(0, case.seed, of_fold)[:, fold] + random.normal(0, NOISE, shape)
        for _ in range(2)
    )
    return (with_them + GAIN + generator > 0).astype(float), (without > 0).astype(float), fold


def truth(case: Case) -> float:
    """The gain over all images, generators and seeds."""
    random = np.random.default_rng(1)
    noise = np.hypot(case.seed, NOISE)
    image = random.normal(IMAGE, 1, MANY)
    with_them = image + GAIN + random.normal(0, np.hypot(case.generator, noise), MANY) > 0
    return float(with_them.mean() - (image + random.normal(0, noise, MANY) > 0).mean())


def measured(case: Case, trials: int) -> dict[str, object]:
    """How often each interval holds it, and how wide it is in percentage points."""
    random, true = np.random.default_rng(0), truth(case)
    held, width = np.zeros(2), np.zeros(2)
    for _ in range(trials):
        a, c, fold = world(random, case)
        for k, found in enumerate((difference(a, c), difference(a, c, fold=fold))):
            held[k] += found.low <= true <= found.high
            width[k] += 100 * (found.high - found.low)
    return asdict(case) | {
        name: {"coverage": round(held[k] / trials, 3), "width_points": round(width[k] / trials, 2)}
        for k, name in enumerate(("seeds and images", "folds"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=600)
    trials = parser.parse_args().trials
    rows = [measured(case, trials) for case in CASES]
    for row in rows:
        print(row)
    write_json(ROOT / "benchmarks" / "results" / "folds.json", {"trials": trials, "rows": rows})


if __name__ == "__main__":
    main()
