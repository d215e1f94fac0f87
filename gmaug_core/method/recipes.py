"""What one can do about imbalance WITHOUT a generator: one record a recipe, all that the program must know of
it. A new recipe is one more record.

A recipe works on any training set: real images alone, or real and synthetic ones together (then the synthetic
ones count, too). Without torch: pages and reports read this table; method.training trains by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.treatment import Strong, Treatment
from gmaug_core.data.views import View

HEAD_SHARE = 0.1  # of the steps, again, for a retrained head: 10 after 90 epochs (Kang 2020, section 5.1)


@dataclass(frozen=True)
class TrainingSet(Treatment):
    """What a classifier is trained on, and how. labels: int64 [n]."""

    images: View
    labels: NDArray[np.int64]

    def only(self, rows: NDArray[np.bool_]) -> TrainingSet:
        """Some of its images, treated as before. rows: bool [n]."""

        def some(given: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if given is None else given[rows]

        return replace(
            self,
            images=self.images.take(np.flatnonzero(rows)),
            labels=self.labels[rows],
            draw_weights=some(self.draw_weights),
            image_weights=some(self.image_weights),
            apart=some(self.apart),
        )

    def counts(self, classes: int) -> NDArray[np.float64]:
        """How many images each class stands for while it is trained on: float [classes], the sum of its
        images' draw weights times their factors in the loss, at least a trace."""
        weights = [each for each in (self.draw_weights, self.image_weights) if each is not None]
        product = np.prod(weights, axis=0) if weights else None
        found = np.bincount(self.labels, weights=product, minlength=classes)
        return np.asarray(np.maximum(found, 1e-9), np.float64)

    def priors(self, classes: int) -> NDArray[np.float64]:
        """The share of the draws that each class has: float [classes], > 0, sums to 1."""
        counts = self.counts(classes)
        return np.asarray(counts / counts.sum(), np.float64)


@dataclass(frozen=True)
class Recipe:
    """One way of training on any training set without a generator.

    Exactly one of three: `change` alone (one training), `change` with second_stage (the plain classifier,
    then its head again on the changed set), or `offsets` (the plain classifier, nothing is trained).
    """

    key: str  # in results, file names and metrics
    label: str  # what a result says of it
    short: str  # what charts and tables say
    parameter: str = ""  # what `values` are values of; empty: there is nothing to choose
    values: tuple[float, ...] = (1.0,)  # candidates, the usual one first; validation chooses
    change: Callable[[TrainingSet, int, float], TrainingSet] | None = None
    second_stage: bool = False
    offsets: Callable[[TrainingSet, int, float], NDArray[np.float64]] | None = None

    @property
    def starts_from_plain(self) -> bool:
        """Whether it needs the plain recipe's classifier of the same training set and seed."""
        return self.second_stage or self.offsets is not None

    @property
    def trains(self) -> bool:
        """Whether anything is trained for it: without, its candidates cost nothing."""
        return self.offsets is None

    def candidates(self, most: int) -> tuple[float, ...]:
        """The values that are tried where every arm that is trained may have `most` candidates."""
        return self.values[:most] if self.trains else self.values


def _as_it_is(training: TrainingSet, _: int, __: float) -> TrainingSet:
    return training


def _oversampled(training: TrainingSet, classes: int, strength: float) -> TrainingSet:
    """Class c is drawn in proportion to n_c^(1 - strength): 1 all classes alike, 0.5 the square root."""
    counts = training.counts(classes)
    factor = counts**-strength
    before = np.ones(len(training.labels)) if training.draw_weights is None else training.draw_weights
    return replace(training, draw_weights=before * factor[training.labels])


def _class_balanced(training: TrainingSet, classes: int, beta: float) -> TrainingSet:
    """Rare classes weigh more in the loss, by their effective number of images."""
    from gmaug_core.models.classifiers import class_balanced_weights

    counts = np.rint(training.counts(classes)).astype(np.int64)
    return replace(training, class_weights=class_balanced_weights(counts, beta))


def _logit_adjusted(training: TrainingSet, classes: int, tau: float) -> TrainingSet:
    """A rare class has to win by more: f_y + tau log pi_y inside the loss."""
    return replace(training, logit_offsets=tau * np.log(training.priors(classes)))


def _afterwards(training: TrainingSet, classes: int, tau: float) -> NDArray[np.float64]:
    """f_y - tau log pi_y of the trained classifier."""
    return np.asarray(-tau * np.log(training.priors(classes)), np.float64)


def _in_features(training: TrainingSet, classes: int, step: float) -> TrainingSet:
    """All classes alike, with features that no image has: between two images of a class, or beyond."""
    return replace(_oversampled(training, classes, 1.0), feature_step=step)


def _strong(kind: Strong) -> Callable[[TrainingSet, int, float], TrainingSet]:
    return lambda training, _, __: replace(training, strong=kind)


RECIPES: dict[str, Recipe] = {
    recipe.key: recipe
    for recipe in (
        Recipe("plain", "Real images only, same augmentation", "Plain", change=_as_it_is),
        Recipe(
            "oversampling",
            "Oversampling of rare classes",
            "Oversampling",
            parameter="strength",
            values=(1.0, 0.5),
            change=_oversampled,
        ),
        Recipe(
            "class_balanced_loss",
            "Class-balanced loss (Cui 2019)",
            "Class-balanced loss",
            parameter="beta",
            values=(0.9999, 0.99, 0.9),
            change=_class_balanced,
        ),
        Recipe(
            "logit_adjusted_loss",
            "Logit adjustment in the loss (Menon 2021)",
            "Logit-adjusted loss",
            parameter="tau",
            values=(1.0, 0.5, 1.5),
            change=_logit_adjusted,
        ),
        Recipe(
            "posthoc_logit_adjustment",
            "Logit adjustment after training (Menon 2021)",
            "Post-hoc logit adjustment",
            parameter="tau",
            values=(1.0, 0.5, 1.5),
            offsets=_afterwards,
        ),
        Recipe(
            "crt",
            "Last layer trained again, all classes alike (cRT, Kang 2020)",
            "Retrained last layer",
            change=_oversampled,
            second_stage=True,
        ),
        Recipe(
            "feature_space",
            "Last layer trained again on features between and beyond images of a class (DeVries 2017)",
            "New features",
            parameter="step",
            values=(1.0, -0.5),
            change=_in_features,
            second_stage=True,
        ),
        Recipe(
            "trivial_augment",
            "TrivialAugment (Mueller 2021)",
            "TrivialAugment",
            change=_strong("trivial_augment"),
        ),
        Recipe("mixup", "Mixup (Zhang 2018)", "Mixup", change=_strong("mixup")),
        Recipe("cutmix", "CutMix (Yun 2019)", "CutMix", change=_strong("cutmix")),
    )
}
