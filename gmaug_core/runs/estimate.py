"""What the generator of a run would cost here, measured by a child process before the run exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gmaug_core import children
from gmaug_core.config import AugmentationConfig, EquivalenceConfig
from gmaug_core.config.documents import Part
from gmaug_core.errors import GMAugError
from gmaug_core.runs.devices import resolve

Trains = TypeVar("Trains", AugmentationConfig, EquivalenceConfig)  # a generator
Ask = Callable[[str, object, float], Any]  # (module, question, seconds) -> what children.ask gives
MODULE = "gmaug_core.models.estimate"
ASK_S = 600.0


class Estimate(Part):
    """Measured on this machine as it is now, so other work on it counts."""

    seconds_per_kimg: float
    """Seconds of training for a thousand images."""
    sampling_img_per_s: float
    """Images a second when the trained generator draws."""
    memory_mb: float
    """Peak memory in MiB: of the GPU, else of the process."""
    training_seconds: float
    """Seconds for the whole training with its snapshots; of all folds or generators, where the run has
    several."""
    kimg: float
    """Thousand images of the whole training."""
    steps: int
    """Training steps that were measured."""
    device: str
    """The device in words."""
    classifier_steps_per_s: float | None = None
    """Training steps a second of the classifiers that train at once, together; null: not asked."""


def measure(
    config: AugmentationConfig | EquivalenceConfig, n_classes: int, ask: Ask | None = None
) -> Estimate:
    """The cost of a run's generator on a dataset of `n_classes`: see generators.cost.measure. ask: of the
    machine that is meant, in place of a child process here; config.device is then one of that machine.

    A child process trains a few steps on random images: 5 to 60 seconds. With a budget of minutes (of each
    generator), `kimg` and `training_seconds` are of that budget. Raises InputError for a device that
    is not there, GMAugError when it could not be measured.
    """
    question = {
        "settings": config.generator.model_dump(mode="json"),
        "n_classes": n_classes,
        "device": config.device if ask else resolve(config.device),
    }
    if isinstance(config, EquivalenceConfig):
        question["classifier"] = config.classifier.model_dump(mode="json")
    try:
        answer = (ask or _ask_here)(MODULE, question, ASK_S)
    except children.NoAnswer as error:
        memory = "memory" in error.said.lower()
        raise GMAugError(
            "the cost could not be measured: "
            + ("there is too little memory" if memory else "the steps did not end"),
            expected="a few training steps on this machine",
            todo="choose a smaller batch, resolution or network"
            if memory
            else "try again when the machine is less busy",
        ) from error
    found = Estimate.model_validate(answer)
    kimg, seconds, minutes = found.kimg, found.training_seconds, config.generator.minutes
    if minutes:
        kimg, seconds = round(60 * minutes * kimg / seconds, 3), 60 * minutes
    trained = config.folds * config.generator_seeds if isinstance(config, AugmentationConfig) else 1
    return found.model_copy(update={"kimg": kimg, "training_seconds": trained * seconds})


def _ask_here(module: str, question: object, seconds: float) -> Any:
    return children.ask(module, question, seconds=seconds, env=children.computing())


def with_budget(config: Trains, found: Estimate) -> Trains:
    """The same settings with a budget of minutes as kimg, by measured speed.

    Written so: a resumed run does not measure again.
    """
    kimg = max(found.kimg, config.generator.batch / 1000)
    return config.model_copy(update={"generator": config.generator.model_copy(update={"kimg": kimg})})
