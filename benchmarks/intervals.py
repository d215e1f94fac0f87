"""How often the intervals of method.statistics hold the truth, in simulated runs whose truth is known.

    python benchmarks/intervals.py [--trials N]

A simulated run has 5 variants, trained with the same seeds and tested on the same images. Whether an image
is put in its class is the sign of a sum of normal effects: the variant's mean, the image, image and variant,
the seed, seed and variant, the generator (of the first variant), and noise; so the true accuracy is known.
Sizes: seeds scatter by 1.5 points and a real change moves single images, as ten trainings on flowers do.
`own`: the pair alone; `pooled`: what a run uses (seed_variance, unless the pair scatters more); `pooled
always`: what it does not use, since it covers too seldom where one variant's seeds scatter more. `better`:
share of runs that call the first variant better, 2.5 % at most where nothing differs.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.method import statistics as st  # noqa: E402

IMAGE, CHANGE, SEED, GENERATOR, NOISE = 1.2, 0.35, 0.03, 0.08, 0.6
ALIKE = (0.06,) * 5
ONE_WILD = (0.12, 0.06, 0.06, 0.06, 0.06)
PAIR_WILD = (0.12, 0.12, 0.03, 0.03, 0.03)


@dataclass(frozen=True)
class Case:
    """p: true accuracy of the first variant and of the others; own: what a seed does to each variant."""

    p: tuple[float, float]
    seeds: int
    images: int
    own: tuple[float, ...] = ALIKE
    generators: int = 1


CASES = (
    *(Case((0.7, 0.7), seeds, images) for seeds in (1, 2, 3, 5) for images in (10, 30, 100, 606)),
    Case((0.7, 0.7), 3, 2500),
    *(Case((0.7, 0.7), 3, 606, own) for own in (ONE_WILD, PAIR_WILD)),
    Case((0.6, 0.33), 3, 10),
    Case((0.6, 0.33), 3, 30),
    Case((0.75, 0.5), 3, 36),
    Case((0.8, 0.65), 3, 606),
    Case((0.98, 0.97), 3, 100),
    *(Case((0.7, 0.7), seeds, 606, generators=g) for g in (2, 3, 5) for seeds in (3, 5)),
)


def world(random: np.random.Generator, case: Case) -> NDArray[np.float64]:
    """0 or 1: float [variants, generators, seeds, images]."""
    of_generator = np.zeros(len(case.own))
    of_generator[0] = GENERATOR if case.generators > 1 else 0.0
    p = np.array([case.p[0], *(case.p[1],) * (len(case.own) - 1)])
    shape = (case.generators, case.seeds, case.images)
    return np.asarray(answers(random, p, np.array(case.own), shape, of_generator), np.float64)


def answers(
    random: np.random.Generator,
    p: NDArray[np.float64],
    own: NDArray[np.float64],
    shape: tuple[int, int, int],
    of_generator: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Which images each variant puts in their class: bool [variants, generators, seeds, images].

    p, own, of_generator: float [variants], the true accuracy, what a seed does to it alone, and what a
    generator does (None: there is none); shape: generators, seeds, images.
    """
    variants, (generators, seeds, images) = len(p), shape
    wide = np.s_[:, None, None, None]
    effects = (
        IMAGE * random.normal(size=(1, 1, 1, images))
        + CHANGE * random.normal(size=(variants, 1, 1, images))
        + SEED * random.normal(size=(1, 1, seeds, 1))
        + own[wide] * random.normal(size=(variants, 1, seeds, 1))
    )
    total = IMAGE**2 + CHANGE**2 + SEED**2 + own[wide] ** 2 + NOISE**2
    if of_generator is not None:
        effects = effects + of_generator[wide] * random.normal(size=(variants, generators, 1, 1))
        total = total + of_generator[wide] ** 2
    effects = effects + NOISE * random.normal(size=(variants, *shape))
    return np.asarray(effects + stats.norm.ppf(p)[wide] * np.sqrt(total) > 0)


def measured(case: Case, trials: int) -> dict[str, object]:
    """Coverage of every interval in so many simulated runs."""
    random = np.random.default_rng(0)
    hits: dict[str, int] = {}
    undefined = 0

    def count(name: str, yes: bool) -> None:
        hits[name] = hits.get(name, 0) + int(yes)

    gap, ratio = case.p[0] - case.p[1], case.p[0] / case.p[1] - 1
    for _ in range(trials):
        found = world(random, case)
        a, c = found[0], found[1, 0]
        pooled = st.seed_variance(found[:, 0].mean(axis=2)) if case.generators == 1 else None
        for name, known in (("own", None), ("pooled", pooled)):
            each = st.difference(a, c, known)
            count(f"difference, {name}", each.low <= gap <= each.high)
            count(f"better, {name}", each.low > 0)
            quotient = st.relative(a, c, known)
            if quotient is None:
                undefined += name == "own"
                continue
            count(f"ratio, {name}", quotient.low <= ratio <= quotient.high)
        if pooled is not None:
            always = st.spread(a - c, seeds=(pooled.of(1.0), pooled.degrees))
            each = always.interval(float(a.mean() - c.mean()))
            count("difference, pooled always", each.low <= gap <= each.high)
        if case.generators > 1:
            each = st.difference(a[:1], c)
            count("difference, one generator", each.low <= gap <= each.high)
        share = st.proportion(c)
        count("accuracy", share.low <= case.p[1] <= share.high)
    return {
        "accuracies": case.p,
        "generators": case.generators,
        "seeds": case.seeds,
        "images": case.images,
        "seed_scatter": case.own,
        "undefined_ratios": undefined,
        **{name: round(n / trials, 4) for name, n in sorted(hits.items())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    began, rows = time.perf_counter(), []
    for case in CASES:
        rows.append(measured(case, trials))
        print(rows[-1], flush=True)
    write_json(
        ROOT / "benchmarks" / "results" / "intervals.json",
        {
            "trials": trials,
            "nominal": st.LEVEL,
            "standard_error": round((0.95 * 0.05 / trials) ** 0.5, 4),
            "rows": rows,
            "seconds": round(time.perf_counter() - began, 1),
            "machine": {"processor": platform.processor(), "cores": os.cpu_count()},
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
        },
    )


if __name__ == "__main__":
    main()
