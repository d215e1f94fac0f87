"""What a network sees, step after step: images drawn, sent to the device, distorted and normalised."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.treatment import ALIKE, Treatment
from gmaug_core.data.views import Images
from gmaug_core.models.classifiers.strong import (
    Targets,
    erased,
    mixed,
    mixed_by,
    of_its_class,
    rand_augment,
    trivial_augment,
)
from gmaug_core.models.classifiers.transforms import distort, to_tensor

RESIDENT = 0.5  # of a GPU's free memory: as much may the images take that stay there while it trains


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation a channel, in grey levels, each [1, c, 1, 1] and on the device."""

    mean: Tensor
    std: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Float [b, c, h, w] in grey levels 0..255 -> as a network wants it."""
        return ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)


class Batches:
    """Batches of a training, each a function of its generator alone."""

    def __init__(
        self,
        images: Images,
        labels: NDArray[np.int64],
        normalise: Normalisation,
        *,
        config: ClassifierConfig,
        treatment: Treatment = ALIKE,
    ) -> None:
        """images: as models.classifiers.train takes them; treatment: of them, but for what the loss does."""
        self.device = normalise.mean.device
        self.images, self.normalise = images, normalise
        self.labels = torch.from_numpy(np.ascontiguousarray(labels)).to(self.device)
        self.config, self.strong, self.feature_step = config, treatment.strong, treatment.feature_step
        self.classes = torch.from_numpy(np.ascontiguousarray(labels))  # on the CPU
        weights, factors, apart = treatment.draw_weights, treatment.image_weights, treatment.apart
        self.weights = None if weights is None else torch.from_numpy(np.asarray(weights, np.float64))
        self.factors = None if factors is None else torch.from_numpy(np.asarray(factors, np.float32))
        self.apart = None if apart is None else torch.from_numpy(np.ascontiguousarray(apart))
        self.resident = self._resident()

    def _resident(self) -> Tensor | None:
        """All images on the GPU, as uint8, where they fit; None where they come a batch at a time."""
        if self.device.type != "cuda":
            return None
        free, _ = torch.cuda.mem_get_info(self.device)
        if int(np.prod(self.images.shape)) > RESIDENT * free:
            return None
        chunks = range(0, len(self.images), 4096)
        return torch.cat([to_tensor(self.images[start : start + 4096]).to(self.device) for start in chunks])

    def _pixels(self, index: Tensor) -> Tensor:
        """uint8 [b, c, h, w] on the device: a quarter of what floats would be to send."""
        if self.resident is not None:
            return self.resident[index.to(self.device, non_blocking=True)]
        pixels = to_tensor(self.images[index.numpy()])
        if self.device.type == "cuda":
            pixels = pixels.pin_memory()
        return pixels.to(self.device, non_blocking=True)

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Targets]:
        """A batch: float [b, c, h, w], normalised, and what it is told to be. generator: on the CPU."""
        index = self._index(generator)
        x = self._distorted(index, generator)
        if self.strong == "trivial_augment":
            x = trivial_augment(x / 255, generator) * 255
        elif self.config.rand_augment:
            x = rand_augment(x / 255, generator) * 255
        x = self.normalise(x)
        if self.config.erase:
            x = erased(x, self.config.erase, generator)
        weight = None if self.factors is None else self.factors[index].to(self.device, non_blocking=True)
        apart = None if self.apart is None else self.apart[index]
        y = Targets(self.labels[index.to(self.device, non_blocking=True)], weight=weight, apart=apart)
        if self.feature_step:
            y = self._moved(index, y, generator)
        if self.strong in ("mixup", "cutmix"):
            return mixed(x, y, self.strong, generator)
        return mixed_by(x, y, self.config.mixup, self.config.cutmix, generator)

    def _moved(self, index: Tensor, y: Targets, generator: torch.Generator) -> Targets:
        """With another image of its class for each, and how far its features move towards it."""
        towards = of_its_class(self.classes[index], generator)
        steps = self.feature_step * torch.rand(len(index), generator=generator)
        return replace(
            y,
            towards=towards.to(self.device, non_blocking=True),
            steps=steps.to(self.device, non_blocking=True),
        )

    def plain(self, generator: torch.Generator) -> Tensor:
        """A batch without labels, cropped or turned and no more: what a network learns to fill in."""
        return self.normalise(self._distorted(self._index(generator), generator))

    def _index(self, generator: torch.Generator) -> Tensor:
        if self.weights is None:
            return torch.randint(len(self.images), (self.config.batch,), generator=generator)
        return torch.multinomial(self.weights, self.config.batch, replacement=True, generator=generator)

    def _distorted(self, index: Tensor, generator: torch.Generator) -> Tensor:
        return distort(self._pixels(index).float(), self.config.augment, generator)
