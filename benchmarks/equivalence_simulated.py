"""How often the intervals of method.equivalence hold a known exchange rate, in simulated experiments.

    python benchmarks/equivalence_simulated.py [--trials N] [--only NAME]

A simulated experiment has three base sizes, real images added (a quarter to four times the base), synthetic
images added (half to eight times) by two generators, 5 seeds each. Whether a test image is put in its class
is the sign of a sum of normal effects: the training set's worth, the image, image and kind of addition, the
seed, seed and training set (half of it shared along a curve, since larger additions contain smaller ones),
the generator (grows with the share of its images), and noise; so the true accuracy is known. It follows one
power law of the number of real images; m synthetic images count as R(m) real ones, and R is the truth.
A row says which share of the intervals held it, by the number of synthetic images.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.method.equivalence import exchange  # noqa: E402
from gmaug_core.method.equivalence.result import Answer, Cell, Constant, ExchangeRow, Shares, Source  # noqa: E402
from gmaug_core.method.verdict.curve import REACH  # noqa: E402

IMAGE, CHANGE, NOISE = 1.2, 0.25, 0.5
SEED, OWN, GENERATOR = 0.03, 0.04, 0.04  # of 1.4: 0.6, 0.8 and 0.8 points of one training
CLASSES = 10
BASES = (500, 1000, 2000)
REAL = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the base
SYNTHETIC = (0.5, 1.0, 2.0, 4.0, 8.0)
C1, C2 = 1.5, 3.0  # of the world that follows the published form, at a k of the middle base

Worth = Callable[[int, NDArray[np.float64]], NDArray[np.float64]]  # base, synthetic -> real


def _constant(rate: float) -> Worth:
    return lambda base, m: rate * m  # noqa: ARG005


def _saturating(base: int, m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.6 * base * (1 - np.exp(-m / (2 * base))), np.float64)


def _harmful(base: int, m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-0.3 * base * (1 - np.exp(-m / base)), np.float64)


def _as_published(base: int, m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(base * np.log1p(m / base * C1 ** (-base / BASES[1])) / np.log(C2), np.float64)


@dataclass(frozen=True)
class World:
    """One truth, and how much is measured of it."""

    name: str
    worth: Worth
    images: int
    source: Source = "closed"
    generators: int = 2
    seeds: int = 5
    bases: tuple[int, ...] = BASES
    generator: float = GENERATOR


def accuracy(real: NDArray[np.float64]) -> NDArray[np.float64]:
    """True share of right images of trainings on so many real ones."""
    return np.asarray(0.9 - 2.2 * real**-0.4, np.float64)


NO_SHARES = Shares(accuracy=0, balanced_accuracy=0, tail_accuracy=0)  # measure counts the rows itself


class Experiment:
    """One simulated experiment. cells, and of each the bool [images] that it got right."""

    def __init__(self, world: World, random: np.random.Generator) -> None:
        self.world, self.random = world, random
        self.image = IMAGE * random.standard_normal(world.images, np.float32)
        self.cells: list[Cell] = []
        self.rows: list[NDArray[np.bool_]] = []
        for base in world.bases:
            self.one_base(base)

    def one_base(self, base: int) -> None:
        """All trainings of a base; what a seed does is half shared along each of both curves."""
        random, world = self.random, self.world
        of_seed = SEED * random.standard_normal(world.seeds)
        changes = [CHANGE * random.standard_normal(world.images, np.float32) for _ in range(3)]
        along = OWN * 0.5**0.5 * random.standard_normal((2, world.seeds))

        def shift(kind: int, seed: int) -> float:
            own = float(along[kind, seed] + OWN * 0.5**0.5 * random.standard_normal())
            return float(of_seed[seed]) + own

        # an addition of many images changes other images than one of few
        for k, times in enumerate((0.0, *REAL)):
            change = _turned(changes[0], changes[1], k / len(REAL))
            share = float(accuracy(np.array(base * (1 + times))))
            for seed in range(world.seeds):
                source: Source = "real" if k else "none"
                self.train(base, seed, source, None, times, share, change, shift(0, seed), 0.0)
        made = [random.standard_normal() for _ in range(world.generators)]
        for k, times in enumerate(SYNTHETIC):
            change = _turned(changes[0], changes[2], (k + 1) / len(SYNTHETIC))
            share = float(accuracy(base + world.worth(base, np.array(base * times))))
            sd = world.generator * (times / (1 + times)) if world.generators > 1 else 0.0
            for generator in range(world.generators):
                name = generator if world.generators > 1 else None
                for seed in range(world.seeds):
                    moved = shift(1, seed) + sd * made[generator]
                    self.train(base, seed, world.source, name, times, share, change, moved, sd)

    def train(
        self,
        base: int,
        seed: int,
        source: Source,
        generator: int | None,
        times: float,
        share: float,
        change: NDArray[np.float32],
        shift: float,
        sd: float,
    ) -> None:
        """One cell whose true share of right images is `share`; sd: of its generator."""
        total = (IMAGE**2 + CHANGE**2 + NOISE**2 + SEED**2 + OWN**2 + sd**2) ** 0.5
        limit = np.float32(stats.norm.ppf(share) * total)
        noise = NOISE * self.random.standard_normal(self.world.images, np.float32)
        cell = Cell(
            base=base,
            seed=seed,
            source=source,
            way="none" if source == "none" else "added",
            generator=generator,
            added=round(base * times),
            steps=1,
            shares=NO_SHARES,
            answers=len(self.rows),
        )
        self.cells.append(cell)
        self.rows.append(np.asarray(self.image + (change + np.float32(shift) + noise) + limit > 0))


def _turned(one: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """A mixture of two effects of the same size."""
    return np.asarray(np.float32((1 - share) ** 0.5) * one + np.float32(share**0.5) * other, np.float32)


def simulated(world: World, random: np.random.Generator) -> tuple[list[Cell], NDArray[np.bool_]]:
    """All cells, and bool [cells, images]."""
    found = Experiment(world, random)
    return found.cells, np.stack(found.rows)


def holds(row: ExchangeRow, truth: float, reach: float) -> bool:
    """Whether the interval has the truth: less than nothing, a number, or more than may be looked at."""

    def place(answer: Answer) -> float:
        if answer.images is None:
            return -np.inf if answer.kind == "less" else np.inf
        return answer.images

    told = -np.inf if truth < 0 else np.inf if truth > reach else truth
    return place(row.low) <= told <= place(row.high)


@dataclass
class Tally:
    """What many experiments said of one multiple of the base."""

    hits: list[bool]
    widths: list[float]
    middles: list[str]

    def add(self, row: ExchangeRow, world: World) -> None:
        """One interval."""
        reach = row.base * ((1 + REAL[-1]) ** REACH - 1)
        truth = float(world.worth(row.base, np.array(float(row.synthetic))))
        self.hits.append(holds(row, truth, reach))
        self.middles.append(row.real.kind)
        if row.low.images is not None and row.high.images is not None:
            self.widths.append((row.high.images - row.low.images) / row.base)


def has(constant: Constant | None, truth: float) -> bool:
    """Whether its interval has the truth."""
    return constant is not None and (
        (constant.low is None or constant.low <= truth) and (constant.high is None or truth <= constant.high)
    )


def measured(world: World, trials: int, seed: int = 0) -> dict[str, object]:
    """Coverage in so many simulated experiments."""
    random = np.random.default_rng(seed)
    labels = np.arange(world.images) % CLASSES
    tallies = {times: Tally([], [], []) for times in SYNTHETIC}
    constants: dict[str, list[bool]] = {"c1": [], "c2": []}
    for _ in range(trials):
        cells, right = simulated(world, random)
        found = exchange.measure(cells, right, labels, np.arange(3), measures=("accuracy",))
        for row in found.exchange:
            if row.measured:
                tallies[row.synthetic / row.base].add(row, world)
        constants["c1"].append(has(found.published[0].c1, C1))
        constants["c2"].append(has(found.published[0].c2, C2))
    told: dict[str, object] = {
        "world": world.name,
        "trials": trials,
        "test_images": world.images,
        "seeds": world.seeds,
        "generators": world.generators,
        "bases": world.bases,
        "held": round(float(np.mean([hit for each in tallies.values() for hit in each.hits])), 4),
        "held_by_times": {f"{k:g}": round(float(np.mean(each.hits)), 4) for k, each in tallies.items()},
        "median_width_in_bases": {
            f"{k:g}": round(float(np.median(each.widths)), 3) if each.widths else None
            for k, each in tallies.items()
        },
        "answers": {
            f"{k:g}": {kind: each.middles.count(kind) for kind in ("less", "number", "more")}
            for k, each in tallies.items()
        },
    }
    if world.worth is _as_published:
        told |= {name: round(float(np.mean(held)), 4) for name, held in constants.items()}
    return told


WORLDS = (
    World("a tenth", _constant(0.1), 2_500),
    *(World("a half", _constant(0.5), images) for images in (1_000, 2_500, 10_000)),
    World("saturating at 0.6 bases", _saturating, 2_500),
    World("harmful", _harmful, 2_500),
    World("nothing", _constant(0.0), 2_500),
    World("noise, no generator", _constant(0.0), 2_500, source="noise", generators=1),
    World("real ones in disguise", _constant(1.0), 2_500, source="disguised", generators=1),
    World("as published", _as_published, 2_500),
    World("one base, a half", _constant(0.5), 2_500, bases=(1000,)),
    World("generators alike, a half", _constant(0.5), 2_500, generator=0.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--only", default="", help="worlds whose name contains this")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results" / "equivalence_simulated.json"
    )
    asked = parser.parse_args()
    began, rows = time.perf_counter(), []
    for world in WORLDS:
        if asked.only in f"{world.name}, {world.images}":
            rows.append(measured(world, asked.trials))
            print(rows[-1], flush=True)
    write_json(
        asked.out,
        {
            "nominal": 0.95,
            "rows": rows,
            "seconds": round(time.perf_counter() - began, 1),
            "machine": {"processor": platform.processor(), "cores": os.cpu_count()},
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
        },
    )


if __name__ == "__main__":
    main()
