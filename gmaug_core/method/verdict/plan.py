"""Which trainings fit into the minutes: planned from a measured pace, more where time is left in the end,
and kept by every attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gmaug_core.files import read_json, write_json
from gmaug_core.method.recipes import RECIPES

Images = Literal["all", "half", "rare-half"]
SHARE = 0.9  # of the time: evaluation and saving take the rest
LONGER = (2, 4)  # times the planned length
WORTH_AGAIN = 1.5  # times as long, that a training that was shortened is worth making again
SHORTEST = 100  # steps: a shorter training tells nothing


@dataclass(frozen=True)
class Training:
    """One training. images: which real ones; recipe: key in method.recipes; value: of its parameter."""

    images: Images
    recipe: str
    value: float
    steps: int
    seed: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"verdict-{self.images}-{self.recipe}-{self.value:g}-{self.steps}"


@dataclass(frozen=True)
class Plan:
    """trainings: in order; used: steps of all but the longer ones; skipped: what the time does not allow, in
    words."""

    trainings: tuple[Training, ...]
    used: int
    skipped: tuple[str, ...]


def make(
    planned: int, budget: float, recipes: list[tuple[str, float]], curve_recipe: str, *, rare: bool, seed: int
) -> Plan:
    """planned: steps of one training in the augmentation run; budget: steps that all trainings may have
    together; recipes: (key, value) to try beside plain; curve_recipe: the one that curves are measured with;
    rare: whether to measure the rare classes apart.

    First half and all images twice, then longer lengths, then recipes, then third seeds. Where not even
    the first fit, they are made shorter.
    """
    seeds = (seed, seed + 1)
    used, skipped = planned, []
    if 4 * planned > SHARE * budget:
        used = max(int(SHARE * budget / 4), min(SHORTEST, planned))
        skipped.append(
            f"trainings of {planned:,} steps, as the run would make them: the figures are of {used:,} steps; "
            "more minutes, or a GPU, would allow them"
        )

    def each(images: Images, recipe: str, value: float, steps: int, of: tuple[int, ...]) -> list[Training]:
        return [Training(images, recipe, value, steps, number) for number in of]

    first = each("all", "plain", 1.0, used, seeds) + each("half", "plain", 1.0, used, seeds)
    groups: list[tuple[str, list[Training]]] = []
    if used == planned:
        groups.append((f"{LONGER[0]} times the length", each("all", "plain", 1.0, LONGER[0] * used, seeds)))
    if rare:
        value = RECIPES[curve_recipe].values[0]  # the one that is tried beside plain, so trained once
        trained = each("all", curve_recipe, value, used, seeds) if curve_recipe != "plain" else []
        trained += each("rare-half", curve_recipe, value, used, seeds)
        groups.append(("half of the rare classes' images", trained))
    for key, value in recipes:
        groups.append((f"the recipe {key}", each("all", key, value, used, seeds)))
    if used == planned:
        groups.append((f"{LONGER[1]} times the length", each("all", "plain", 1.0, LONGER[1] * used, (seed,))))
    third = (seed + 2,)
    groups.append(
        (
            "a third seed",
            each("all", "plain", 1.0, used, third) + each("half", "plain", 1.0, used, third),
        )
    )
    chosen, left = list(first), SHARE * budget - sum(one.steps for one in first)
    for words, group in groups:
        new = [one for one in group if one not in chosen]
        cost = sum(one.steps for one in new)
        if cost <= left:
            chosen += new
            left -= cost
        else:
            skipped.append(words)
    return Plan(tuple(chosen), used, tuple(skipped))


def more(made: Plan, asked: Callable[[float], Plan], left: float) -> Plan | None:
    """What to do with the time that is left when the plan is done: a machine that was busy when its pace was
    measured is not always busy. None where it is too little for anything.

    asked: the plan of a budget; left: steps that the rest of the time allows. Trainings that had to be
    shortened are made again where they can be WORTH_AGAIN times as long.
    """
    again = asked(left)
    if again.used >= WORTH_AGAIN * made.used:
        return again
    done = sum(one.steps for one in made.trainings)
    grown = asked(done + left)
    new = [one for one in grown.trainings if one not in made.trainings]
    fits = grown.used == made.used and 0 < sum(one.steps for one in new) <= SHARE * left
    return Plan(made.trainings + tuple(new), made.used, grown.skipped) if fits else None


def kept(path: Path, plan: Callable[[], Plan]) -> Plan:
    """The plan in a file; made and written at the first attempt."""
    if not path.exists():
        keep(path, plan())
    given = read_json(path)
    return Plan(tuple(Training(**one) for one in given["trainings"]), given["used"], tuple(given["skipped"]))


def keep(path: Path, plan: Plan) -> None:
    """Write a plan for every later attempt."""
    write_json(
        path,
        {
            "trainings": [vars(one) for one in plan.trainings],
            "used": plan.used,
            "skipped": list(plan.skipped),
        },
    )
