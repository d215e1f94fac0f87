"""What the augmented arm is compared with: no filter, copies of real images, what needs no generator; and the
best of these with synthetic images on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from gmaug_core.method.arms import PLAIN, Arm, Order, best
from gmaug_core.method.lab import Lab
from gmaug_core.method.recipes import RECIPES, TrainingSet
from gmaug_core.method.variants import filters
from gmaug_core.method.ways import Way, compared


def without_filter(lab: Lab, way: Way) -> list[Order]:
    """C' on real + the first images drawn, this way, once for each use. Empty where the run has no filter to
    be without."""
    if not filters(lab.config):
        return []

    def training_set(way: Way, _: int) -> TrainingSet:
        return lab.first_drawn(1, way)

    return [
        Order("unfiltered", partial(training_set, each), way=each, step=1)
        for each in compared(lab.config, way)
    ]


def replay(lab: Lab, augmented: Sequence[Arm]) -> list[Order]:
    """Real images, and copies of them wherever the augmented arms have a synthetic one: what is left of the
    gain is the classes' weight in training. Empty where nothing was kept."""
    return [
        Order("replay", partial(lab.replayed, arm.step, arm.way), way=arm.way, step=arm.step)
        for arm in augmented
        if arm.way
    ]


def without_generator(lab: Lab, key: str, baseline: Arm) -> list[Order]:
    """A recipe on real images alone, once for each of its candidates."""
    recipe = RECIPES[key]
    return [
        Order(f"{key}-{value:g}", lambda _: lab.real, recipe=recipe, value=value, plain=baseline)
        for value in recipe.candidates(len(lab.config.use))
    ]


def trained_controls(lab: Lab, orders: Mapping[str, Sequence[Order]]) -> dict[str, Arm]:
    """Of each control the candidate that is best on validation; all are trained together."""
    found = iter(lab.arms("controls", [order for each in orders.values() for order in each]))
    return {key: best([next(found) for _ in each]) for key, each in orders.items()}


def with_recipe(lab: Lab, alone: Arm, retrained: Sequence[Arm]) -> list[Arm]:
    """The recipe of an arm, at its value, on real + kept, once for each way of using them. retrained: the
    plain recipe's arms on these."""
    if alone.recipe is PLAIN:
        return list(retrained)
    orders = []
    for plain in retrained:
        way = plain.way or Way()
        # the classes as the last stage of the plain training saw them
        on_real = alone.recipe.offsets is not None and way.second != "none"
        orders.append(
            Order(
                f"{alone.recipe.key}-{alone.value:g}-step{plain.step}",
                (lambda _: lab.real) if on_real else partial(lab.kept, plain.step, way),
                recipe=alone.recipe,
                value=alone.value,
                plain=plain,
                way=way,
                step=plain.step,
            )
        )
    return lab.arms("controls", orders)
