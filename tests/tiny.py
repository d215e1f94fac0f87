"""A dataset and settings so small that a whole augmentation run takes seconds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from gmaug_core import intake
from gmaug_core.config import (
    AugmentationConfig,
    EquivalenceConfig,
    augmentation_config,
    equivalence_config,
)
from gmaug_core.data import dataset, splits

COUNTS = {"across": 16, "down": 9, "slant": 5}
SETTINGS = {
    "seeds": 2,
    "generator": {"kimg": 0.32, "batch": 16, "channels": 8, "snapshot_kimg": 0.16, "sampling_steps": 3},
    "classifier": {"width": 4, "blocks": [1], "steps": 30, "batch": 16, "checkpoint_steps": 10},
    "selection": {"mode": "probability", "threshold": 0.34},
    "tolerance": 0.0,
    "amounts": [1.0],
    "draw_budget": 2.0,
}
GENERATORS = {  # what is tiny for each
    "edm": SETTINGS["generator"],
    "stylegan2": {
        "kimg": 0.32,
        "batch": 16,
        "channel_base": 64,
        "channel_max": 8,
        "z_dim": 8,
        "w_dim": 8,
        "snapshot_kimg": 0.16,
    },
    "guided_diffusion": {
        "kimg": 0.32,
        "batch": 16,
        "channels": 8,
        "channel_mult": [1, 2],
        "attention_resolutions": [8],
        "classifier_channels": 8,
        "snapshot_kimg": 0.16,
        "sampling_steps": 3,
    },
}


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A 16 px image with one bright bar."""
    image = rng.integers(0, 70, (16, 16)).astype(np.uint8)
    place = rng.integers(4, 12)
    if kind == "across":
        image[place : place + 2] = 240
    elif kind == "down":
        image[:, place : place + 2] = 240
    else:
        np.fill_diagonal(image, 240)
        np.fill_diagonal(image[1:], 240)
    return image


def write_folder(folder: Path, held=("val", "test"), counts=COUNTS) -> Path:
    """Class folders below train and the parts of `held`; without any, class folders alone."""
    rng = np.random.default_rng(0)
    parts = {"train": counts, "val": dict.fromkeys(counts, 8), "test": dict.fromkeys(counts, 12)}
    for split, images in parts.items():
        if split != "train" and split not in held:
            continue
        for kind, n in images.items():
            place = folder / split / kind if held else folder / kind
            place.mkdir(parents=True)
            for number in range(n):
                Image.fromarray(draw(kind, rng)).save(place / f"{number}.png")
    return folder


def make_dataset(folder: Path, **parts) -> dataset.Dataset:
    """Import the bars into the current workspace."""
    return dataset.load(intake.import_path(write_folder(folder, **parts), name="bars").dataset_id)


def config(data: dataset.Dataset, generator: str = "edm", **overrides) -> AugmentationConfig:
    """The quick preset, made tiny."""
    settings = SETTINGS | {"generator": GENERATORS[generator]}
    return augmentation_config(
        data.id,
        image_size=16,
        colour="grey",
        generator=generator,
        symmetric=False,
        overrides=settings | overrides,
    )


def equivalence(data: dataset.Dataset, **overrides) -> EquivalenceConfig:
    """The small preset, made tiny: one base, two seeds, one generator."""
    settings = {
        "generator": GENERATORS["edm"],
        "classifier": {"width": 4, "blocks": [1], "steps": 12, "batch": 16, "checkpoint_steps": 5},
        "selection": SETTINGS["selection"],
        "draw_budget": 2.0,
        "base_sizes": [3],
        "real": [1, 2, 3],
        "synthetic": [1, 2],
        "substituted": [0.5],
        "seeds": 2,
        "generator_seeds": 1,
    }
    return equivalence_config(
        data.id,
        partial(splits.training_counts, data),
        image_size=16,
        colour="grey",
        symmetric=False,
        overrides=settings | overrides,
    )


def comparable(result) -> dict:
    """A result document without what may differ between two runs of the same seed: times, ids, and who
    trained a classifier."""

    def strip(value):
        if isinstance(value, dict):
            return {
                k: strip(v)
                for k, v in value.items()
                if k not in ("run", "shared", "seconds", "img_per_s", "pairs_per_s")
                and not k.endswith("_seconds")
            }
        return [strip(v) for v in value] if isinstance(value, list) else value

    return strip(result if isinstance(result, dict) else result.to_dict())
