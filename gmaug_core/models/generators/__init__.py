"""Deep generative models behind one contract.

    generator = create(config)
    figures = generator.train(images, labels, class_names, config, out_dir, seed=0, device="auto")
    for batch in generator.sample(labels, seeds, batch_size): ...       # uint8, in order
    generator.save(folder);  generator = load(folder)                   # model.safetensors + config.json

Image k depends on (labels[k], seeds[k]) alone; sample(..., judge=a classifier) steers the diffusion lanes. A training that is
stopped and resumed equals one that was not, bit for bit on a CPU. Time is counted in images. A new lane is a subclass of
Generator and a line in LANES.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gmaug_core.config import EDMConfig, GuidedDiffusionConfig, StyleGAN2Config, validate
from gmaug_core.errors import InputError
from gmaug_core.files import read_json
from gmaug_core.models.generators.cost import measure
from gmaug_core.models.generators.edm import EDM
from gmaug_core.models.generators.feedback import Judge
from gmaug_core.models.generators.guided_diffusion import GuidedDiffusion
from gmaug_core.models.generators.stylegan2 import StyleGAN2
from gmaug_core.models.generators.training import CONFIG_FILE, MODEL_FILE, Generator

__all__ = ["LANES", "Generator", "Judge", "create", "estimate", "load"]

LANES: dict[str, type[Generator]] = {lane.name: lane for lane in (EDM, GuidedDiffusion, StyleGAN2)}


def create(config: EDMConfig | GuidedDiffusionConfig | StyleGAN2Config) -> Generator:
    """An untrained generator of the lane that `config.name` says. Raises InputError for a lane that does not exist."""
    return _lane(config.name)(config)


def estimate(settings: dict[str, Any], n_classes: int, device: str = "auto") -> dict[str, Any]:
    """What training with these settings (a generator config as JSON) would cost: see cost.measure. Seconds of measuring."""
    lane = _lane(settings["name"])
    return measure(lane, validate(lane.config_type, settings), n_classes, device)


def load(folder: Path, device: str = "auto") -> Generator:
    """A trained generator that `Generator.save` wrote. Raises InputError where the folder holds none."""
    try:
        document = read_json(folder / CONFIG_FILE)
        lane = _lane(document["generator"]["name"])
        generator = lane(validate(lane.config_type, document["generator"]))
        generator.load_network(folder / MODEL_FILE, tuple(document["class_names"]), device)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f"'{folder.name}' holds no generator that can be read ({type(error).__name__})",
            expected=f"a folder with {MODEL_FILE} and {CONFIG_FILE}",
            todo="train the generator again, or choose the folder of a finished run",
        ) from error
    return generator


def _lane(name: str) -> type[Generator]:
    if name not in LANES:
        raise InputError(f"unknown generator '{name}'", expected="one of " + ", ".join(LANES))
    return LANES[name]
