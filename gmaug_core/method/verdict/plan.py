"""Which trainings fit into the minutes: planned once, from a measured pace, and kept by every attempt."""

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


def kept(path: Path, plan: Callable[[], Plan]) -> Plan:
    """The plan in a file; made and written at the first attempt."""
    if not path.exists():
        made = plan()
        write_json(
            path,
            {
                "trainings": [vars(one) for one in made.trainings],
                "used": made.used,
                "skipped": list(made.skipped),
            },
        )
    given = read_json(path)
    return Plan(tuple(Training(**one) for one in given["trainings"]), given["used"], tuple(given["skipped"]))
