"""Images that another program made, in place of a generator: taken in once, given once each, in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gmaug_core.config import FolderConfig, image_format
from gmaug_core.data import elsewhere
from gmaug_core.data.views import Images
from gmaug_core.errors import InputError
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.models.generators.contract import Generator
from gmaug_core.models.generators.snapshots import Assess
from gmaug_core.models.generators.training import Training


class Stock(nn.Module):
    """Images and their classes. pixels: uint8 [n, h, w] or [n, h, w, 3]; labels: int64 [n]."""

    pixels: Tensor
    labels: Tensor

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        super().__init__()
        self.register_buffer("pixels", torch.from_numpy(np.array(pixels)))
        self.register_buffer("labels", torch.from_numpy(np.array(labels)))


class Folder(Generator):
    """A folder of images as a generator: image k of a class is the k-th file of it, whatever the run's seed.
    What made them is not known, so they are never closed-set.
    """

    name = "folder"
    config_type = FolderConfig
    config: FolderConfig

    @property
    def closed_set(self) -> bool:
        return False

    @property
    def stock(self) -> tuple[NDArray[np.int64], ...]:
        labels = self.network.labels.numpy()
        return tuple(np.flatnonzero(labels == label) for label in range(len(self.class_names)))

    def build(self, n_classes: int) -> nn.Module:
        side = self.config.resolution
        shape = (0, side, side, 3)[: 3 if self.channels == 1 else 4]
        return Stock(np.zeros(shape, np.uint8), np.zeros(0, np.int64))

    def start(self, images: Images, n_classes: int, steps: int) -> Training:
        raise InputError(
            "images made elsewhere are not trained",
            expected="a generator that learns",
            todo="choose another generator, or measure these images as they are",
        )

    def train(
        self,
        images: Images,
        labels: NDArray[np.int64],
        class_names: Sequence[str],
        out_dir: Path,
        *,
        seed: int = 0,
        device: str = "auto",
        report: Report = no_report,
        should_stop: ShouldStop = never,
        assess: Assess | None = None,
        until: float = 1.0,
        processes: int = 1,
    ) -> dict[str, Any]:
        """Decode the files as the real images were, at the run's size and colour. The real images and their
        labels are only checked. Nothing is trained, so there is no share of it (until) to end at, and nothing
        for several processes to do. Raises
        InputError where the files are no longer there, or are not those that were offered.
        """
        self._check(images, labels, class_names)
        started = time.perf_counter()
        self.class_names, self.counts = tuple(class_names), np.bincount(labels, minlength=len(class_names))
        given = elsewhere.load(self.config.images)
        own = elsewhere.labels_in(given, class_names)
        found = tuple(np.bincount(own, minlength=len(class_names)).tolist())
        if found != self.config.offered:
            raise InputError(
                f"there are {found} images made elsewhere",
                expected=f"the {self.config.offered} of each class that the run was started with",
                todo="take them in again, and start a new run",
            )
        shape = image_format(self.config.resolution, self.config.colour)
        pixels = given.images(shape, report=under(report, "generator"), should_stop=should_stop)
        self.network = Stock(pixels, own)
        self.metrics = {"images": 0, "seconds": time.perf_counter() - started}
        return self.metrics

    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        rows = torch.tensor(seeds)
        if not bool(((rows >= 0) & (rows < len(self.network.labels))).all()) or not torch.equal(
            self.network.labels[rows], labels.cpu()
        ):
            raise InputError(
                "no such image of this class was made elsewhere", expected="the seeds that stock gives"
            )
        pixels = self.network.pixels[rows].float()
        planes = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
        return planes / 127.5 - 1

    def load_network(self, path: Path, class_names: tuple[str, ...], device: str) -> None:
        try:
            tensors = load_file(path)
            pixels, labels = tensors["pixels"].numpy(), tensors["labels"].numpy()
        except (KeyError, SafetensorError) as error:
            raise InputError(
                f"'{path.name}' holds no images made elsewhere", todo="start a new run"
            ) from error
        self.network, self.class_names = Stock(pixels, labels).eval(), class_names
