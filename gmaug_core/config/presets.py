"""Presets: the settings of a whole augmentation run for a dataset, by how much machine there is.

PRESETS says what belongs to the run; what a generator or a classifier gets stands in its own record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gmaug_core.config.base import validate
from gmaug_core.config.classifiers import CLASSIFIERS
from gmaug_core.config.generators import SOURCES
from gmaug_core.config.profiles import Colour
from gmaug_core.config.records import Record, Settings
from gmaug_core.config.runs import USUAL_CONTROLS, AugmentationConfig, EquivalenceConfig
from gmaug_core.errors import InputError

AnyRecord = TypeVar("AnyRecord", bound=Record[Any])


@dataclass(frozen=True)
class RunPreset:
    """A preset of a run; everything that is not named keeps AugmentationConfig's default."""

    words: str  # what a person needs to choose, in Markdown
    sides: tuple[int, ...]  # resolutions that are trained, in pixels: the largest that the images have
    generator: str  # unless another is asked for
    classifier: str
    settings: Settings


PRESETS: dict[str, RunPreset] = {
    "quick": RunPreset(
        words="**Quick**: small networks at 16 to 32 px, for two CPU cores and some minutes. "
        "A first honest answer.",
        sides=(16, 32),
        generator="edm",
        classifier="resnet18",
        # a 400-step ResNet's raw logits are small: a probability means the same on every dataset
        settings={"selection": {"mode": "probability", "threshold": 0.9}, "amounts": (0.25, 1.0)},
    ),
    "standard": RunPreset(
        words="**Standard**: larger networks at up to 64 px. Some hours on one GPU; days without one.",
        sides=(16, 32, 64),
        generator="edm",
        classifier="resnet18",
        settings={
            "selection": {"mode": "probability", "threshold": 0.9},
            "use": ("fill", "mix"),
            "amounts": (0.25, 1.0, 4.0),
            "amount_seeds": 2,
            "counting_seeds": 1,
            "seeds": 3,
            "controls": USUAL_CONTROLS,
        },
    ),
    "paper": RunPreset(
        words="**Paper**: the published method's settings at up to 128 px. Days on one GPU.",
        sides=(16, 32, 64, 128),
        generator="stylegan2",
        classifier="resnet18",
        settings={
            "selection": {"mode": "logit", "threshold": 10.0},
            "use": ("fill",),
            "amounts": (0.25, 1.0),
            "counting_seeds": 3,
            "seeds": 3,
            "controls": USUAL_CONTROLS,
        },
    ),
}


def augmentation_config(
    dataset: str,
    *,
    image_size: int,
    colour: Colour,
    preset: str = "quick",
    generator: str | None = None,
    symmetric: bool = True,
    overrides: Settings | None = None,
) -> AugmentationConfig:
    """Resolve a preset for a dataset.

    image_size: the short side of a typical image in pixels; colour: of the dataset; symmetric: whether a
    mirrored image is still a valid one (False for digits and text). overrides: nested settings that win over
    the preset. Raises InputError for an unknown preset, generator, classifier or setting, and for a
    checkpoint that is not there.
    """
    if preset not in PRESETS:
        raise InputError(f"unknown preset '{preset}'", expected="one of " + ", ".join(PRESETS))
    run, wanted = PRESETS[preset], dict(overrides or {})
    for name, own in (("dataset", dataset), ("preset", preset), ("kind", "augmentation")):
        if wanted.get(name, own) != own:
            raise InputError(
                f"setting '{name}' is given twice: '{own}' and '{wanted[name]}'",
                expected=f"one {name}",
                todo=f"leave the setting out, and name the {name} where it belongs; nothing was started",
            )
    generators, classifiers = _mapping(wanted, "generator"), _mapping(wanted, "classifier")
    drawing = _record(SOURCES, "generator", generator or generators.get("name") or run.generator)
    judging = _record(CLASSIFIERS, "classifier", classifiers.get("name") or run.classifier)
    resolution = max(side for side in run.sides if side <= max(image_size, run.sides[0]))
    published = drawing.from_checkpoint if generators.get("pretrained") else {}
    drawn = published.get(preset, drawing.presets[preset])
    resolved: dict[str, Any] = {
        "dataset": dataset,
        "preset": preset,
        **run.settings,
        "generator": {
            **drawn.settings(resolution, symmetric=symmetric),
            "name": drawing.key,
            "resolution": resolution,
            "colour": colour,
            "mirror": symmetric,
        },
        "classifier": {
            **judging.presets[preset].settings(resolution, symmetric=symmetric),
            "name": judging.key,
        },
    }
    mode = resolved["selection"]["mode"]
    if _mapping(wanted, "selection").get("mode", mode) != mode:
        resolved["selection"] = {}  # a threshold belongs to its mode
    for key, value in wanted.items():
        both = isinstance(value, Mapping) and isinstance(resolved.get(key), dict)
        resolved[key] = {**resolved[key], **value} if both else value
    config = validate(AugmentationConfig, {**resolved, "dataset": dataset, "preset": preset})
    if config.generator.stock and config.generator_seeds > 1:
        raise InputError(
            "images made elsewhere are the same at every generator seed",
            expected="generator_seeds=1",
            todo="leave generator_seeds out",
        )
    require_files(config)
    return config


def require_files(config: AugmentationConfig | EquivalenceConfig) -> None:
    """Raises InputError where a file of weights that the run would start from is not there, or not any
    more."""
    files = {f"generator.{setting}": path for setting, path in config.generator.files().items()}
    files |= {f"classifier.{setting}": path for setting, path in config.classifier.files().items()}
    if isinstance(config, AugmentationConfig) and config.inception:
        files["inception"] = Path(config.inception)
    for setting, path in files.items():
        if not path.is_file():
            raise InputError(
                f"there is no checkpoint '{path.name}' to start from",
                expected="a file on this machine: your own copy of a published checkpoint",
                todo=f"correct {setting}, or leave it out",
            )


def _mapping(settings: Settings, key: str) -> Settings:
    """The nested settings under a key; none where a value stands in their place, which validation refuses."""
    value = settings.get(key)
    return value if isinstance(value, Mapping) else {}


def _record(table: Mapping[str, AnyRecord], word: str, name: object) -> AnyRecord:
    if not isinstance(name, str) or name not in table:
        raise InputError(f"unknown {word} '{name}'", expected="one of " + ", ".join(table))
    return table[name]
