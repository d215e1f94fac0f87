"""One way of training, done with every seed: ordered, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.runs import SecondStage
from gmaug_core.method.recipes import RECIPES, Recipe, TrainingSet
from gmaug_core.method.ways import Way
from gmaug_core.models.classifiers import Classifier

PLAIN = RECIPES["plain"]


@dataclass(frozen=True)
class Arm:
    """One way of training, done with every seed, and what came of it on validation.

    value: of the recipe's parameter; way, step: how synthetic images joined the real ones, and of which step
    (None and 0: real images alone); correct: bool [seeds, images of the validation part].
    """

    recipe: Recipe
    value: float
    way: Way | None
    step: int
    classifiers: Mapping[int, Classifier]
    correct: NDArray[np.bool_]

    @property
    def validation(self) -> float:
        """Accuracy on the validation part, mean over seeds: what chooses between arms."""
        return float(self.correct.mean())


@dataclass(frozen=True)
class Order:
    """An arm that is to be trained.

    name: of the images and the recipe, for files; training_set: by seed; plain: the arm on the same sets by
    the plain recipe, for recipes that start from it; seeds: of its classifiers, where they are not the run's;
    held: the part of the real images, by material.judge_fold, that its classifiers are not trained on; the
    rest: as in Arm.
    """

    name: str
    training_set: Callable[[int], TrainingSet]
    recipe: Recipe = PLAIN
    value: float = 1.0
    plain: Arm | None = None
    way: Way | None = None
    step: int = 0
    seeds: tuple[int, ...] | None = None
    held: int | None = None

    @property
    def title(self) -> str:
        """Its name with the way in which synthetic images are used."""
        return f"{self.name}-{self.way.key}" if self.way else self.name

    def unit(self, seed: int) -> str:
        """The name of its classifier of one seed."""
        return f"{self.title}-{seed}"

    @property
    def second(self) -> SecondStage:
        """What is trained again on real images alone, when the training on all is over; a recipe that starts
        from a plain classifier starts from one that has been through this."""
        return self.way.second if self.way and not self.recipe.starts_from_plain else "none"

    def first_stage(self) -> Order:
        """The same without a second stage."""
        return replace(self, way=replace(self.way, second="none")) if self.way else self


def best(arms: Iterable[Arm]) -> Arm:
    """The best on validation, the first of equals."""
    return max(arms, key=lambda arm: arm.validation)
