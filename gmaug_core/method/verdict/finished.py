"""What the finished trainings of a full reading say: length, ceiling, what is free, how they spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.acceptance import foretold
from gmaug_core.method.lab import Lab
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.verdict import ceiling, seeing
from gmaug_core.method.verdict.counting import Counting, Right
from gmaug_core.method.verdict.curve import Of, Points
from gmaug_core.method.verdict.figures import Ceiling
from gmaug_core.method.verdict.first import First, told
from gmaug_core.method.verdict.measure import Reading
from gmaug_core.method.verdict.plan import Images, Plan, Training
from gmaug_core.method.verdict.result import Free, FreeRecipe, Length, Rung


@dataclass(frozen=True)
class Trained:
    """One finished training. logits: float [validation images, classes]; on_training: accuracy there."""

    logits: NDArray[np.float32]
    on_training: float


@dataclass(frozen=True)
class Results:
    """What the finished trainings say."""

    lab: Lab
    counting: Counting
    made: Plan
    planned: int
    trained: dict[Training, Trained]
    curve_recipe: str

    def of(self, images: Images, recipe: str, steps: int) -> dict[int, Trained]:
        """By seed."""
        return {
            one.seed: found
            for one, found in self.trained.items()
            if (one.images, one.recipe, one.steps) == (images, recipe, steps)
        }

    def right(self, found: Mapping[int, Trained], offsets: NDArray[np.float64] | float = 0.0) -> Right:
        """bool [seeds, validation images]; offsets: added to the logits."""
        each = [(one.logits + offsets).argmax(axis=1) == self.counting.labels for one in found.values()]
        return np.stack(each)

    def reading(self, first: First, wanted: list[ceiling.Amount]) -> Reading:
        """All of it."""
        used = self.made.used
        plain, half = self.of("all", "plain", used), self.of("half", "plain", used)
        paired = {seed: plain[seed] for seed in half}
        right, over = self.right(paired), self.curve_recipe
        own: dict[Of, Points] = {"everything": self._points(self.right(half), right)}
        rare = self.of("rare-half", self.curve_recipe, used)
        if rare:
            full = self.of("all", self.curve_recipe, used)
            own["rare"] = self._points(self.right(rare), self.right({seed: full[seed] for seed in rare}))
        control = self.counting.value(self.right(plain))
        curves = tuple(
            told(of, "classifier", over if of == "rare" else "plain", points, self.counting)
            for of, points in own.items()
        )
        return Reading(
            seen=seeing.seen(
                self._pairs("all"),
                self.counting.differences(right, self.right(half)),
                self.counting,
                learner="classifier",
                seeds=self.lab.config.seeds,
                test_images=len(self.lab.split["test"]),
                all_images=len(self.lab.images),
                control=control,
                drawn=[*self._pairs("half"), *self._pairs("rare-half")],
            ),
            length=self._length(plain),
            ceiling=Ceiling(
                learner="classifier",
                curves=curves,
                projections=ceiling.projections(wanted, first.points, own, seed=self.lab.config.seed),
            ),
            free=self._free(plain),
            over=over,
            control=control,
            skipped=self.made.skipped,
            own=own,
            passed=foretold(
                self.lab.config.selection, [one.logits for one in plain.values()], self.counting.labels
            ),
        )

    def _pairs(self, images: Images) -> list[Right]:
        """Every way and length of training on these images that more than one seed was trained in; a
        retrained last layer has its body from the plain one, so it says nothing more."""
        mine = [one for one in self.trained if one.images == images]
        ways = sorted({(one.recipe, one.steps) for one in mine if not RECIPES[one.recipe].second_stage})
        each = [self.of(images, *way) for way in ways]
        return [self.right(found) for found in each if len(found) > 1]

    def _points(self, half: Right, full: Right) -> Points:
        return Points((0.5, 1.0), (half, full), self.counting.labels, self.counting.weights)

    def _length(self, plain: Mapping[int, Trained]) -> Length:
        """The ladder of lengths, and what the best longer one adds over the planned one."""
        lengths = sorted({one.steps for one in self.trained if one.recipe == "plain" and one.images == "all"})
        rungs, longer, best = [], None, self.made.used
        for steps in lengths:
            found = self.of("all", "plain", steps)
            right = self.right(found)
            rungs.append(
                Rung(
                    steps=steps,
                    epochs=steps * self.lab.config.classifier.batch / float(self.lab.counts.sum()),
                    seeds=len(found),
                    accuracies=self.counting.accuracies(right),
                    training_accuracy=float(np.mean([one.on_training for one in found.values()])),
                )
            )
            if steps > self.made.used:
                gain = self.counting.gain(right, self.right({seed: plain[seed] for seed in found}))
                if longer is None or gain.value > longer.value:
                    longer = gain
                    best = steps
        if longer is not None and longer.value <= 0:
            best = self.made.used
        return Length(planned=self.planned, rungs=tuple(rungs), longer=longer, best=best, used=self.made.used)

    def _free(self, plain: Mapping[int, Trained]) -> Free:
        """Every recipe that was trained, and what needs no training at all."""
        rows, used = [self._recipe("plain", "", plain, self.right(plain))], self.made.used
        tried = sorted({one.recipe for one in self.trained if one.images == "all"} - {"plain"})
        for key in tried:
            found = self.of("all", key, used)
            value = next(one.value for one in self.trained if one.recipe == key)
            rows.append(self._recipe(key, _setting(key, value), found, self.right(found)))
        for key, recipe in RECIPES.items():
            if recipe.offsets is None:
                continue
            candidates = {
                value: self.right(plain, recipe.offsets(self.lab.real, self.lab.classes, value))
                for value in recipe.values
            }
            best = max(candidates, key=lambda value: self.counting.value(candidates[value]))
            rows.append(self._recipe(key, _setting(key, best), plain, candidates[best]))
        rows.sort(key=lambda row: -row.gain.value)
        return Free(best=rows[0].key if rows[0].gain.low > 0 else "plain", recipes=tuple(rows))

    def _recipe(self, key: str, setting: str, found: Mapping[int, Trained], right: Right) -> FreeRecipe:
        control = self.of("all", "plain", self.made.used)
        return FreeRecipe(
            key=key,
            label=RECIPES[key].label,
            setting=setting,
            learner="classifier",
            seeds=len(found),
            accuracies=self.counting.accuracies(right),
            gain=self.counting.gain(right, self.right({seed: control[seed] for seed in found})),
        )


def _setting(key: str, value: float) -> str:
    return f"{RECIPES[key].parameter} {value:g}" if RECIPES[key].parameter else ""
