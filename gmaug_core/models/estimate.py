"""`python -m gmaug_core.models.estimate` answers, to a process that has no torch, what training a
generator would cost, and classifiers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gmaug_core import children
from gmaug_core.config import CLASSIFIERS, validate
from gmaug_core.models import generators
from gmaug_core.models.classifiers.cost import steps_per_second
from gmaug_core.models.devices import pick_device


def measured(question: dict[str, Any]) -> dict[str, Any]:
    """See generators.cost.measure. question: settings (a generator's config), n_classes, device; classifier:
    its config, where its pace is asked for too (classifiers.cost)."""
    found = generators.estimate(question["settings"], question["n_classes"], question["device"])
    if settings := question.get("classifier"):
        found["classifier_steps_per_s"] = _pace(question, settings)
    return found


def _pace(question: dict[str, Any], settings: dict[str, Any]) -> float:
    side, colour = (question["settings"][name] for name in ("resolution", "colour"))
    config = validate(CLASSIFIERS[settings["name"]].config, settings)
    classes, shape = question["n_classes"], (side, side) if colour == "grey" else (side, side, 3)
    images = np.random.default_rng(0).integers(0, 256, (2 * classes, *shape), dtype=np.uint8)
    labels = np.arange(2 * classes) % classes
    return steps_per_second(images, labels, classes, config, device=pick_device(question["device"]))


if __name__ == "__main__":
    children.answer(measured)
