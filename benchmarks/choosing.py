"""How often a run says "better" where synthetic images add nothing to the best recipe without a generator,
because validation chose a weaker recipe by luck. In simulated runs whose truth is known.

    python -m benchmarks.choosing [--trials N]

A simulated run has four recipes on real images and the same four with synthetic ones, trained with the same
seeds; whether an image is put in its class is as in intervals.py. Validation chooses the recipe; test images
compare it with and without synthetic ones. `lifted`: synthetic images bring every recipe to the accuracy of
the best one, so that they are worth a recipe and no more; `nothing`: they change no recipe; `gain`: they add
to every recipe so many points over the best one. `endpoint alone`: the share of runs whose interval over the
chosen recipe lies above 0; `with rivals`: in which that is so, too, over every recipe that validation could
not tell from the chosen one, as method.experiment.endpoint_of has it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.about import machine
from benchmarks.intervals import answers
from gmaug_core.files import write_json
from gmaug_core.method import experiment
from gmaug_core.method.arms import Arm, best
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.statistics import difference

RESULTS = Path(__file__).parent / "results" / "choosing.json"
NAMES = ("plain", "oversampling", "class_balanced_loss", "posthoc_logit_adjustment")
OWN = 0.06  # what a seed does to one arm alone
TEST = 1267  # images, as digits_100_r20 has


@dataclass(frozen=True)
class World:
    """alone, augmented: true accuracy of each recipe without and with synthetic images."""

    name: str
    alone: tuple[float, ...]
    augmented: tuple[float, ...]


UNLIKE, ALIKE = (0.945, 0.955, 0.959, 0.960), (0.960,) * 4
WORLDS = (
    World("lifted, recipes 1.5 points apart", UNLIKE, (0.960,) * 4),
    World("lifted, recipes 5 points apart", (0.70, 0.73, 0.74, 0.75), (0.75,) * 4),
    World("nothing, recipes 1.5 points apart", UNLIKE, UNLIKE),
    World("nothing, recipes alike", ALIKE, ALIKE),
    World("gain of 1 point", UNLIKE, (0.970,) * 4),
    World("gain of 2 points", (0.70, 0.73, 0.74, 0.75), (0.77,) * 4),
    World("gain of 5 points", (0.70, 0.73, 0.74, 0.75), (0.80,) * 4),
)


def right(random: np.random.Generator, p: NDArray[np.float64], seeds: int, images: int) -> NDArray[np.bool_]:
    """Which images each arm puts in their class: bool [arms, seeds, images]. p: true accuracy of each."""
    return answers(random, p, np.full(len(p), OWN), (1, seeds, images))[:, 0]


def measured(world: World, *, validated: int, seeds: int, trials: int) -> dict[str, object]:
    """What so many simulated runs say."""
    random = np.random.default_rng(0)
    count = len(world.alone)
    p = np.array([*world.alone, *world.augmented])
    luck, alone, ruled, rivals = 0, 0, 0, 0
    for _ in range(trials):
        validation = right(random, p[:count], seeds, validated)
        test = right(random, p, seeds, TEST).astype(float)
        arms = {
            name: Arm(RECIPES[name], 1.0, None, 0, {}, correct)
            for name, correct in zip(NAMES, validation, strict=True)
        }
        strongest = best(arms.values())
        chosen = NAMES.index(strongest.recipe.key)
        names = experiment.endpoint_of(strongest, arms).rivals
        after = test[count + chosen]
        better = difference(after, test[chosen]).low > 0
        luck += world.alone[chosen] < max(world.alone)
        rivals += len(names)
        alone += better
        ruled += better and all(difference(after, test[NAMES.index(name)]).low > 0 for name in names)
    return {
        "world": world.name,
        "validation_images": validated,
        "test_images": TEST,
        "seeds": seeds,
        "a weaker recipe was chosen": round(luck / trials, 4),
        "rivals, mean": round(rivals / trials, 2),
        "better, endpoint alone": round(alone / trials, 4),
        "better, with rivals": round(ruled / trials, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    began, rows = time.perf_counter(), []
    for world in WORLDS:
        for validated in (190, 1000):
            rows.append(measured(world, validated=validated, seeds=5, trials=trials))
            print(rows[-1], flush=True)
    write_json(
        RESULTS,
        {
            "trials": trials,
            "rows": rows,
            "seconds": round(time.perf_counter() - began, 1),
            "machine": machine(),
        },
    )


if __name__ == "__main__":
    main()
