"""What a training will cost, from a few measured steps on random images."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gmaug_core.models.devices import pick_device
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.snapshots import LOOK_CLASSES, look_size
from gmaug_core.models.generators.tensors import draw_batch
from gmaug_core.models.generators.training import LOOK_IMAGES

MEASURE_S = 4.0  # of training steps, if a whole period of lazy regularisation takes no longer
PATIENCE_S = 60.0  # of training steps, at most
FEW_STEPS = 4  # sampling steps that are measured where a generator has many: the others cost the same


def measure(
    create: Callable[[Any], Generator], config: Any, n_classes: int, device: str = "auto"
) -> dict[str, Any]:
    """seconds_per_kimg, sampling_img_per_s, memory_mb (peak: of the GPU, else of this process),
    training_seconds (of the whole training with its snapshots), steps (measured), device. Measured, so other
    work on the machine counts.

    Raises InputError for a device that is not there, RuntimeError or MemoryError where the memory does not
    suffice.
    """
    place, generator = pick_device(device), create(config)
    generator.device, generator.class_names = place, tuple(map(str, range(n_classes)))
    generator.counts = np.full(n_classes, 2)
    side, random = config.resolution, np.random.default_rng(0)
    images = random.integers(
        0, 256, (2 * n_classes, side, side, *([3] if generator.channels == 3 else [])), dtype=np.uint8
    )
    labels, weights = np.arange(2 * n_classes) % n_classes, torch.ones(2 * n_classes, dtype=torch.float64)
    total = max(1, round(config.kimg * 1000 / config.batch))
    cuda = [place] if place.type == "cuda" else []

    def clock() -> float:
        if cuda:
            torch.cuda.synchronize(place)
        return time.perf_counter()

    with torch.random.fork_rng(devices=cuda):
        training = generator.start(images, n_classes, total)
        begin = total - total % training.period  # the late steps: all parts of the loss are at work
        done, spent, started = 0, 0.0, clock()

        def step(number: int) -> float:
            batch, batch_labels = draw_batch(images, labels, weights, config.batch, mirror=config.mirror)
            before = clock()
            training.step(batch.to(place), batch_labels.to(place), number)
            return clock() - before

        step(begin)  # the first one allocates
        while (done % training.period or spent < MEASURE_S) and (clock() - started < PATIENCE_S or not done):
            spent += step(begin + done)
            done += 1
    rate = sampling_rate(generator, create, config, training.average(), n_classes, clock)
    per_kimg = spent / done / config.batch * 1000
    looks = looked_at(config, n_classes, generator.evaluations, LOOK_IMAGES["cuda" if cuda else "cpu"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "seconds_per_kimg": per_kimg,
        "sampling_img_per_s": rate,
        "memory_mb": (torch.cuda.max_memory_reserved(place) if cuda else peak) / 2**20,
        "training_seconds": per_kimg * config.kimg + looks / rate,
        "kimg": config.kimg,
        "steps": done,
        "device": torch.cuda.get_device_name(place) if cuda else f"cpu, {torch.get_num_threads()} threads",
    }


def looked_at(config: Any, n_classes: int, evaluations: float, most: int) -> int:
    """Images that all snapshots of a training draw to be looked at, `most` of them at one."""
    shown, snapshots = min(n_classes, LOOK_CLASSES), math.ceil(config.kimg / config.snapshot_kimg)
    return snapshots * shown * look_size(shown, config.kimg * 1000 / snapshots, evaluations, most)


def sampling_rate(
    generator: Generator,
    create: Callable[[Any], Generator],
    config: Any,
    network: Any,
    n_classes: int,
    clock: Callable[[], float],
) -> float:
    """Images a second, measured with few sampling steps and scaled to all of them."""
    steps = getattr(config, "sampling_steps", None)
    fewer = create(config.model_copy(update={"sampling_steps": min(steps, FEW_STEPS)}) if steps else config)
    fewer.device, fewer.class_names, fewer.network = generator.device, generator.class_names, network
    n = 64 if generator.device.type == "cuda" else 16
    labels, seeds = np.arange(n) % n_classes, np.arange(n)
    for _ in fewer.sample(labels[:2], seeds[:2]):
        pass  # the first one allocates
    before = clock()
    for _ in fewer.sample(labels, seeds):
        pass
    return n / (clock() - before) * fewer.evaluations / generator.evaluations
