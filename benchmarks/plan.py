"""What a dataset of iNaturalist-2021's size and a hundred people would cost, from what was measured here.

    PYTHONPATH=. python benchmarks/plan.py [--out benchmarks/results/plan.json]

A model of products: so many images, pairs, steps or draws, each at its measured rate (benchmarks/results). It
is held against measurements that it was not made from, and the waiting of people is simulated. docs/scale.md
says what follows.
"""

from __future__ import annotations

import argparse
import heapq
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gmaug_core.seeds import derive

RESULTS = Path(__file__).parent / "results"
BATCH, EPOCHS = 128, 100  # of a classifier's training in the preset `paper`
TRAININGS = 36  # of a run with 3 seeds: baseline, augmented, without the filter, and nine controls
SURPLUS = 2.5  # draws for every image wanted, of which the judges keep two in five
PAUSE_S = (5.0, 15.0)  # between two acts of a person, as in benchmarks/load_sessions.py


@dataclass(frozen=True)
class Size:
    """A dataset. short: images that its classes lack to the largest one."""

    images: int
    classes: int
    short: int


INATURALIST_2021 = Size(2_686_843, 10_000, 313_157)  # training images; 152 to 300 a class
INATURALIST_2019 = Size(265_000, 1_010, 0)  # what benchmarks/scale.py imports


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def hours(size: Size) -> dict[str, float]:
    """Of each part of an experiment at 64 px: on two cores where it is the CPU's, else on one H100."""
    at, gpu, page = read("scale"), read("gpu"), read("page_rerun")
    per_manifest = page["seconds"]["similarity"]["first"] / page["images"]
    seconds = {
        "import (two cores, stored small)": size.images / at["import"]["images_per_s"],
        "decode (two cores)": size.images / at["score_resumed"]["cached_images_per_s"],
        "score (two cores)": 4 * size.images / at["score_resumed"]["pairs_per_s"],
        "score (one GPU)": 4 * size.images / gpu["similarity"]["pairs_per_s"],
        "open a page the first time": size.images * per_manifest,
        "train one classifier (one GPU)": EPOCHS
        * size.images
        / (gpu["classifier-64"]["steps_per_s"] * BATCH),
        "train the generator, 20,000 kimg (one GPU)": 20_000 * gpu["edm-64"]["seconds_per_kimg"],
        "draw (one GPU)": SURPLUS * size.short / gpu["edm-64"]["sampling_img_per_s"],
    }
    seconds["train all classifiers (one GPU)"] = TRAININGS * seconds["train one classifier (one GPU)"]
    return {name: round(value / 3600, 3) for name, value in seconds.items()}


def gigabytes(size: Size) -> dict[str, float]:
    """On disk and in memory."""
    page = read("page_rerun")
    return {
        "images at 64 px in colour": size.images * 64 * 64 * 3 / 1e9,
        "images at 128 px in grey, for the score": size.images * 128 * 128 / 1e9,
        "draws at 64 px in colour": SURPLUS * size.short * 64 * 64 * 3 / 1e9,
        "manifest": size.images * page["manifest_mb"] / page["images"] / 1e3,
    }


def waits(sessions: int, cost: float, pause: tuple[float, float], processes: int = 1) -> tuple[float, float]:
    """Median and 95th percentile of the seconds from an act to its answer: `sessions` people, each bound to a
    process that answers one at a time in `cost` seconds."""
    rng = np.random.default_rng(derive("plan", sessions))
    free = [0.0] * processes
    acts = [(float(rng.uniform(*pause)), k) for k in range(sessions)]
    heapq.heapify(acts)
    took = []
    for _ in range(60 * sessions):
        came, who = heapq.heappop(acts)
        done = max(came, free[who % processes]) + cost
        free[who % processes] = done
        took.append(done - came)
        heapq.heappush(acts, (done + float(rng.uniform(*pause)), who))
    late = np.array(took[10 * sessions :])
    return float(np.median(late)), float(np.quantile(late, 0.95))


def checks() -> dict[str, dict[str, float]]:
    """The model against what was measured and is not in it: seconds."""
    at = read("scale")
    half = Size(INATURALIST_2019.images, 1010, 0)
    model = hours(half)
    return {
        "score again, decoded before": {
            "model": model["score (two cores)"] * 3600,
            "measured": at["score_again"]["seconds"],
        },
        "10 sessions without a pause, .11 s each": {"model": waits(10, 0.11, (0, 0))[1], "measured": 1.0},
        "25 sessions without a pause, .11 s each": {"model": waits(25, 0.11, (0, 0))[1], "measured": 2.7},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    costs = {"light page, .035 s": 0.035, "usual page, .11 s": 0.11, "page with a finished run, .19 s": 0.19}
    people = {
        f"{name}, {processes} process{'es' * (processes > 1)}": dict(
            zip(
                ("median_s", "p95_s"), np.round(waits(100, cost, PAUSE_S, processes), 3).tolist(), strict=True
            )
        )
        for name, cost in costs.items()
        for processes in (1, 2, 4)
    }
    document = {
        "hours": hours(INATURALIST_2021),
        "gigabytes": {name: round(value, 2) for name, value in gigabytes(INATURALIST_2021).items()},
        "waits_of_100_people": people,
        "checks_s": {name: {k: round(v, 2) for k, v in row.items()} for name, row in checks().items()},
    }
    text = json.dumps(document, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
