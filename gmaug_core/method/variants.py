"""What is compared: one record a variant, all that the program must know of it. A new control is one more
record.

Without torch: pages and reports read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from gmaug_core.method.lab import Lab
    from gmaug_core.method.recipes import TrainingSet

Role = Literal["baseline", "accepted", "control"]


@dataclass(frozen=True)
class Choice:
    """Which synthetic images a variant may use: those of one step as one seed's judge saw them, used one
    way."""

    seed: int
    step: int = 1
    use: str = "fill"  # how they join the real ones: see Lab.with_synthetic


@dataclass(frozen=True)
class Variant:
    """One way of training the classifier; every variant gets the same steps, augmentation and initial
    weights."""

    key: str  # in results, file names and metrics
    label: str  # what a result says of it
    short: str  # what charts and tables say
    role: Role  # which colour it has on charts
    needs_generator: bool  # False: somebody without a generator could do the same
    training_set: Callable[[Lab, Choice], TrainingSet]  # what its classifier is trained on


def _real(lab: Lab, _: Choice) -> TrainingSet:
    return lab.real


def _augmented(lab: Lab, choice: Choice) -> TrainingSet:
    """Real images and what the judge accepted."""
    return lab.with_synthetic(choice.use, lab.pool(choice.step).kept(choice.seed))


def _unfiltered(lab: Lab, choice: Choice) -> TrainingSet:
    """Real images and as many of the first ones drawn, whatever a judge said."""
    return lab.with_synthetic(choice.use, lab.pool(choice.step).first_drawn())


def _oversampled(lab: Lab, _: Choice) -> TrainingSet:
    """Rare classes drawn as often as they would be with the target number of images."""
    weights = (lab.counts + lab.wanted) / np.maximum(lab.counts, 1)
    return replace(lab.real, draw_weights=weights[lab.real.labels])


def _class_balanced(lab: Lab, _: Choice) -> TrainingSet:
    """Rare classes weigh more in the loss."""
    from gmaug_core.models.classifiers import class_balanced_weights

    return replace(lab.real, class_weights=class_balanced_weights(lab.counts))


VARIANTS: dict[str, Variant] = {
    variant.key: variant
    for variant in (
        Variant(
            key="baseline",
            label="Real images only, same augmentation",
            short="Baseline",
            role="baseline",
            needs_generator=False,
            training_set=_real,
        ),
        Variant(
            key="augmented",
            label="GM-augCls",
            short="Augmented",
            role="accepted",
            needs_generator=True,
            training_set=_augmented,
        ),
        Variant(
            key="unfiltered",
            label="Synthetic images without the filter (cGAN-aug)",
            short="Unfiltered synthetic",
            role="control",
            needs_generator=True,
            training_set=_unfiltered,
        ),
        Variant(
            key="oversampling",
            label="Oversampling of rare classes",
            short="Oversampling",
            role="control",
            needs_generator=False,
            training_set=_oversampled,
        ),
        Variant(
            key="class_balanced_loss",
            label="Class-balanced loss (Cui 2019)",
            short="Class-balanced loss",
            role="control",
            needs_generator=False,
            training_set=_class_balanced,
        ),
    )
}
CONTROLS = tuple(key for key, variant in VARIANTS.items() if variant.role == "control")


def short(key: str) -> str:
    """What charts and tables call a variant; one that this version does not know goes by its key."""
    return VARIANTS[key].short if key in VARIANTS else key.replace("_", " ")


def role(key: str) -> Role:
    """Which colour it has on charts; one that this version does not know was a control."""
    return VARIANTS[key].role if key in VARIANTS else "control"
