"""What is compared: one record a variant, all that the program must know of it. The recipes of method.recipes
are controls each; a new one is one more record there.

Without torch: pages and reports read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gmaug_core.config import AugmentationConfig
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.ways import study_trainings

Role = Literal["baseline", "accepted", "control"]


@dataclass(frozen=True)
class Variant:
    """One way of training the classifier; every variant gets the same steps, augmentation and initial
    weights."""

    key: str  # in results, file names and metrics
    label: str  # what a result says of it
    short: str  # what charts and tables say
    role: Role  # which colour it has on charts
    needs_generator: bool  # False: somebody without a generator could do the same


VARIANTS: Mapping[str, Variant] = {
    variant.key: variant
    for variant in (
        Variant("baseline", RECIPES["plain"].label, "Baseline", "baseline", needs_generator=False),
        Variant("augmented", "GM-augCls", "Augmented", "accepted", needs_generator=True),
        Variant(
            "best_augmented",
            "The best recipe without a generator, and accepted synthetic images",
            "Best recipe + synthetic",
            "accepted",
            needs_generator=True,
        ),
        Variant(
            "best_alone",
            "The best recipe without a generator, chosen in every fold",
            "Best recipe alone",
            "control",
            needs_generator=False,
        ),
        Variant(
            "unfiltered",
            "Synthetic images without the filter (cGAN-aug)",
            "Unfiltered synthetic",
            "control",
            needs_generator=True,
        ),
        Variant(
            "real_replay",
            "The same rare images again, as often as synthetic ones are shown (real replay)",
            "Real replay",
            "control",
            needs_generator=False,
        ),
        *(
            Variant(recipe.key, recipe.label, recipe.short, "control", needs_generator=False)
            for recipe in RECIPES.values()
            if recipe.key != "plain"
        ),
    )
}


def controls(config: AugmentationConfig) -> tuple[str, ...]:
    """The controls of a run, by key: the ablation without the filter, where there is one, copies of real
    images in place of the synthetic ones, and the recipes that its settings name."""
    return (*(("unfiltered",) if filters(config) else ()), "real_replay", *config.controls)


def filters(config: AugmentationConfig) -> bool:
    """Whether anything turns images away before a classifier is trained on them."""
    return config.selection.mode != "none" or bool(config.selection.gates) or config.decisions is not None


def trainings(config: AugmentationConfig) -> int:
    """Classifiers that a run trains at most.

    For each seed the baseline; every way of using synthetic images in every step, without the filter, with
    copies in their place, and on top of the best recipe; every candidate of every recipe that trains
    anything; what chooses the amount; what is repeated with other generators; the paper's way of counting;
    and the parts of every step's cross-fitted judge. An arm has as many candidates as there are ways of use.
    """
    ways = len(config.use)
    recipes = [RECIPES[key] for key in config.controls]
    alone = sum(len(recipe.candidates(ways)) for recipe in recipes if recipe.trains)
    on_top = ways if any(recipe.trains for recipe in recipes) else 0
    repeats = config.seeds * (config.generator_seeds - 1) * (config.max_steps + 2)
    others = repeats + study_trainings(config) + 3 * min(config.counting_seeds, config.seeds)
    if config.selection.judge == "cross_fitted":
        later = config.generator_seeds * (config.max_steps - 1)
        others += config.seeds * config.selection.judge_folds * (1 + later)
    ablations = 2 if filters(config) else 1
    return config.seeds * (1 + config.max_steps * ways + ablations * ways + alone + on_top) + others


def short(key: str) -> str:
    """What charts and tables call a variant; one that this version does not know goes by its key."""
    return VARIANTS[key].short if key in VARIANTS else key.replace("_", " ")


def role(key: str) -> Role:
    """Which colour it has on charts; one that this version does not know was a control."""
    return VARIANTS[key].role if key in VARIANTS else "control"
