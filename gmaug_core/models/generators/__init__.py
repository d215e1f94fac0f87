"""Deep generative models behind one contract.

    generator = create(config)
    figures = generator.train(images, labels, class_names, out_dir, seed=0, device="auto")
    for batch in generator.sample(labels, seeds, batch_size): ...       # uint8, in order
    generator.save(folder);  generator = load(folder, "cpu")            # model.safetensors + config.json

Image k depends on (labels[k], seeds[k]) alone; sample(..., judge=a classifier) steers diffusion. A training
that is stopped and resumed equals one that was not, bit for bit on a CPU. Time is counted in images. A new
generator is a subclass of Generator here, and a record in config/generators that names it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gmaug_core.config import SOURCES, GeneratorConfig, validate
from gmaug_core.config.records import GeneratorRecord
from gmaug_core.errors import InputError
from gmaug_core.files import read_json
from gmaug_core.models.dotted import imported
from gmaug_core.models.generators.contract import CONFIG_FILE, MODEL_FILE, Generator
from gmaug_core.models.generators.cost import measure
from gmaug_core.models.generators.feedback import Judge

__all__ = ["Generator", "Judge", "create", "estimate", "load"]


def create(config: GeneratorConfig) -> Generator:
    """An untrained generator, the one that `config.name` says. Raises InputError where there is none of that
    name.
    """
    return _implementation(config.name)(config)


def estimate(settings: dict[str, Any], n_classes: int, device: str = "auto") -> dict[str, Any]:
    """What training with these settings (a generator config as JSON) would cost: see cost.measure. Seconds of
    measuring.
    """
    config = validate(_record(settings["name"]).config, settings)
    return measure(_implementation(config.name), config, n_classes, device)


def load(folder: Path, device: str) -> Generator:
    """A trained generator that `Generator.save` wrote, on this device: there is no default, since a run stays
    on its own. Raises InputError where the folder holds none."""
    try:
        document = read_json(folder / CONFIG_FILE)
        settings = document["generator"]
        generator = create(validate(_record(settings["name"]).config, settings))
        generator.load_network(folder / MODEL_FILE, tuple(document["class_names"]), device)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"'{folder.name}' holds no generator that can be read ({type(error).__name__})",
            expected=f"a folder with {MODEL_FILE} and {CONFIG_FILE}",
            todo="train the generator again, or choose the folder of a finished run",
        ) from error
    return generator


def _record(name: str) -> GeneratorRecord[GeneratorConfig]:
    if name not in SOURCES:
        raise InputError(f"unknown generator '{name}'", expected="one of " + ", ".join(SOURCES))
    return SOURCES[name]


def _implementation(name: str) -> type[Generator]:
    found: type[Generator] = imported(_record(name).implementation)
    return found
