"""Training by a recipe: where method.recipes meets models.classifiers."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.views import Images
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method.recipes import HEAD_SHARE, Recipe, TrainingSet
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Again, Classifier


def head_steps(steps: int) -> int:
    """Steps of a second stage after a training of so many."""
    return math.ceil(steps * HEAD_SHARE)


def trained(
    recipe: Recipe,
    value: float,
    training: TrainingSet,
    classes: int,
    config: ClassifierConfig,
    *,
    seed: int,
    steps: int,
    plain: Classifier | None = None,
    again: Again = "head",
    normalise_on: Images | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Classifier:
    """A recipe's classifier on a training set.

    value: one of the recipe's candidates; plain: the plain recipe's classifier on the same set with the same
    seed, where the recipe starts from it; again: what a second stage trains; steps: of a whole training, the
    same for all recipes; the rest: see classifiers.train. Raises what that raises, and ValueError without the
    plain classifier that is needed.
    """
    if recipe.starts_from_plain and plain is None:
        raise ValueError(f"recipe '{recipe.key}' starts from the plain classifier")
    if recipe.offsets is not None and plain is not None:
        return plain.with_offsets(recipe.offsets(training, classes, value))
    changed = training if recipe.change is None else recipe.change(training, classes, value)
    return classifiers.train(
        changed.images,
        changed.labels,
        classes,
        config,
        seed=seed,
        steps=head_steps(steps) if recipe.second_stage else steps,
        treatment=changed,
        body=plain if recipe.second_stage else None,
        again=again,
        normalise_on=normalise_on,
        checkpoint=checkpoint,
        device=device,
        report=report,
        should_stop=should_stop,
    )
