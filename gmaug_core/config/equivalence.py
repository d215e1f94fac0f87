"""Presets of an equivalence run: many short trainings, so generator and classifier are smaller than in an
augmentation run of the same name, and base sizes follow from the images that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.base import validate
from gmaug_core.config.presets import augmentation_config
from gmaug_core.config.profiles import Colour
from gmaug_core.config.records import Settings
from gmaug_core.config.runs import EquivalenceConfig
from gmaug_core.errors import InputError

HALVINGS = 3  # base sizes by default: the largest that the images allow, half and a quarter of it
LEAST = 3  # images a class of a base, by default, unless there are fewer: no generator learns from one


@dataclass(frozen=True)
class EquivalencePreset:
    """A preset of an equivalence run; everything that is not named keeps EquivalenceConfig's default."""

    words: str  # what a person needs to choose, in Markdown
    parts: str  # the preset of an augmentation run whose generator, classifier and rule are taken
    most_base: int  # images a class of the largest base, by default
    settings: Settings  # of the run
    own: Mapping[str, Settings]  # "generator", "classifier": what differs from that preset, by name


EQUIVALENCE_PRESETS: dict[str, EquivalencePreset] = {
    "small": EquivalencePreset(
        words="**Small**: 16 px, short trainings, for two CPU cores and some tens of minutes.",
        parts="quick",
        most_base=50,
        settings={
            "real": (0.5, 1.0, 2.0, 4.0),
            "synthetic": (1.0, 2.0, 4.0),
            "substituted": (0.5,),
            "seeds": 3,
            # so that every class reaches its amounts: the limits of hard classes are lower
            "selection": {"mode": "real_share", "threshold": 0.9},
        },
        # measured on one core with fashion-mnist at 16 px: 10 s a training of 800 steps; half the channels
        # draw three times as fast. Flips and crops as in an augmentation run: without them the curve of the
        # real images is steeper (500 -> 10,000 images 79.0 -> 85.2 %, with them 78.0 -> 81.0), and synthetic
        # ones are paid for what flips give anyway (2,000 beside 250 flowers: +7.6 points, with them +3.0)
        own={
            "resnet18": {
                "width": 16,
                "blocks": (1, 1),
                "stem": "strided",
                "batch": 32,
                "epochs": 30,
                "least_steps": 200,
                "most_steps": 800,
            },
            "edm": {
                "resolution": 16,
                "channels": 16,
                "attention_resolutions": (4,),
                "kimg": 40.0,
                "label_drop": 0.0,
                "guidance": 1.0,
                "snapshot_kimg": 20.0,
            },
        },
    ),
    "standard": EquivalencePreset(
        words="**Standard**: larger networks at up to 64 px, every amount, five seeds. Hours on one GPU.",
        parts="standard",
        most_base=500,
        settings={"selection": {"mode": "real_share", "threshold": 0.9}},
        own={},
    ),
}


def equivalence_config(
    dataset: str,
    counts: Callable[[int], NDArray[np.int64]],
    *,
    image_size: int,
    colour: Colour,
    preset: str = "small",
    symmetric: bool = True,
    overrides: Settings | None = None,
) -> EquivalenceConfig:
    """Resolve a preset for a dataset.

    counts: of a seed, int [classes], the images of each class that such a run trains on; the rest: see
    augmentation_config. Base sizes that are not given are the largest that leaves as many real images as the
    run adds, half and a quarter of it. Raises InputError for an unknown preset or setting.
    """
    if preset not in EQUIVALENCE_PRESETS:
        raise InputError(f"unknown preset '{preset}'", expected="one of " + ", ".join(EQUIVALENCE_PRESETS))
    chosen, wanted = EQUIVALENCE_PRESETS[preset], dict(overrides or {})
    given = {key: chosen.settings[key] for key in PARTS if key in chosen.settings}
    given |= {key: wanted.pop(key) for key in PARTS if key in wanted}
    parts = augmentation_config(
        dataset,
        image_size=image_size,
        colour=colour,
        preset=chosen.parts,
        symmetric=symmetric,
        overrides=_with_own(chosen, given),
    )
    settings = {"dataset": dataset, "preset": preset, **chosen.settings, **wanted}
    if parts.generator.stock:  # images made elsewhere: there is one set of them
        settings["generator_seeds"] = 1
    for key in PARTS:
        settings[key] = getattr(parts, key)
    if "base_sizes" not in settings:
        probe = validate(EquivalenceConfig, settings | {"base_sizes": (1,)})
        settings["base_sizes"] = base_sizes(probe, counts(probe.seed), chosen.most_base)
    return validate(EquivalenceConfig, settings)


PARTS = ("generator", "classifier", "selection")


def _with_own(chosen: EquivalencePreset, given: Settings) -> dict[str, Any]:
    """What a person gave, over what the preset has of its own for this generator and classifier."""
    found = dict(given)
    for part, default in (("generator", "edm"), ("classifier", "resnet18")):
        asked = given.get(part, {})
        if isinstance(asked, Mapping):
            own = chosen.own.get(str(asked.get("name", default)), {})
            found[part] = {**own, **asked}
    return found


def base_sizes(config: EquivalenceConfig, counts: NDArray[np.int64], most: int) -> tuple[int, ...]:
    """The largest base a class that leaves what is added, at most `most`, with a half and a quarter of it."""
    room = counts.min() if config.proportions == "balanced" else counts.mean()
    largest = max(1, min(int(room / (1 + max(config.real))), most))
    return tuple(sorted({largest} | {largest >> k for k in range(HALVINGS) if largest >> k >= LEAST}))
