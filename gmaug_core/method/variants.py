"""What is compared: one record a variant, all that the program must know of it. A new control is one more record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["baseline", "accepted", "control"]


@dataclass(frozen=True)
class Variant:
    """One way of training the classifier; every variant gets the same steps, augmentation and initial weights."""

    key: str  # in results, file names and metrics
    label: str  # what a result says of it
    short: str  # what charts and tables say
    role: Role  # which colour it has on charts
    needs_generator: bool  # False: somebody without a generator could do the same


VARIANTS: dict[str, Variant] = {
    variant.key: variant
    for variant in (
        Variant("baseline", "Real images only, same augmentation", "Baseline", "baseline", False),
        Variant("augmented", "GM-augCls", "Augmented", "accepted", True),
        Variant(
            "unfiltered",
            "Synthetic images without the filter (cGAN-aug)",
            "Unfiltered synthetic",
            "control",
            True,
        ),
        Variant("oversampling", "Oversampling of rare classes", "Oversampling", "control", False),
        Variant(
            "class_balanced_loss", "Class-balanced loss (Cui 2019)", "Class-balanced loss", "control", False
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
