"""What every generator offers: train, sample, save, load. A subclass is named by a record in
config/generators.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gmaug_core.config import CHANNELS, GeneratorConfig
from gmaug_core.data.views import Images
from gmaug_core.errors import InputError
from gmaug_core.files import write_json
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.models.checkpoint import check_tensors, save_tensors
from gmaug_core.models.devices import pick_device
from gmaug_core.models.generators.feedback import Judge
from gmaug_core.models.generators.group import Group
from gmaug_core.models.generators.snapshots import Assess
from gmaug_core.models.generators.tensors import to_device, to_uint8
from gmaug_core.models.generators.training import Loop, Training

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CPU_RENDER_BATCH = 64  # images sampled at a time on a CPU: more do not fit its caches and are slower


class Generator(ABC):
    """A class-conditional image generator. Untrained until train() or load_network()."""

    name: ClassVar[str]
    config_type: ClassVar[type[GeneratorConfig]]

    def __init__(self, config: GeneratorConfig) -> None:
        """Raises InputError for the settings of another generator."""
        if config.name != self.name:
            raise InputError(
                f"settings of '{config.name}' given to {self.name}", expected=self.config_type.__name__
            )
        self.config = config
        self.class_names: tuple[str, ...] = ()
        # training images a class; none before training
        self.counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.metrics: dict[str, Any] = {}
        self.device = torch.device("cpu")
        self.group = Group()
        self._network: nn.Module | None = None

    @property
    def network(self) -> Any:
        """The network that samples. Raises InputError before training."""
        if self._network is None:
            raise InputError(
                f"this {self.name} generator is not trained", todo="call train(), or load one that is"
            )
        return self._network

    @network.setter
    def network(self, network: nn.Module) -> None:
        self._network = network

    @property
    def closed_set(self) -> bool:
        """Whether it has seen the training images alone."""
        return True

    @property
    def stock(self) -> tuple[NDArray[np.int64], ...]:
        """The seeds of each class that there are, in the order in which they are drawn; empty: any seed is
        one.
        """
        return ()

    def origin(self) -> dict[str, Any]:
        """What a training starts from other than its settings and images: part of its identity and of its
        figures.
        """
        return {}

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return CHANNELS[self.config.colour]

    @property
    def evaluations(self) -> float:
        """Evaluations of the network that one sampled image costs: how many images a snapshot can afford."""
        return 1

    @abstractmethod
    def build(self, n_classes: int) -> nn.Module:
        """A fresh network to sample from."""

    @abstractmethod
    def start(self, images: Images, n_classes: int, steps: int) -> Training:
        """The moving parts of a new training of `steps` steps on self.device."""

    @abstractmethod
    def render(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Images float [b, c, h, w] in [-1, 1] for labels [b] on self.device."""

    def render_steered(self, labels: Tensor, seeds: Sequence[int], judge: Judge) -> Tensor:
        """As render, but each image is pushed by config.feedback of the judge. Raises InputError where
        it cannot be.
        """
        raise InputError(
            f"{self.name} cannot be steered by a judge",
            expected="a diffusion generator",
            todo="sample without a judge",
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
        """Train on uint8 images [n, h, w] (grey) or [n, h, w, 3] with labels int [n]; return the final
        figures.

        The images may be a view (data.views): they are read a batch at a time. Reports ("generator", images
        seen, images in all, **figures) about every second. At least every snapshot_kimg, evenly, and at the
        end it writes out_dir/training.safetensors and a sheet grid-<kimg>.png, and looks at some images of
        fixed seeds: their figures, from `assess` (of uint8 images and their labels; "kid" and "diversity"
        mean what quality.Assessment says), are reported as quality={...} and kept in figures["quality"];
        best.safetensors holds the best snapshot. A training whose classes collapse ends early with those
        weights and figures["collapse"]. Where the checkpoint is there already, it goes on from it; until: the
        share of the training after which it ends, with its checkpoint written, to be gone on with;
        processes: how many compute each batch together, each with its own GPU or its share of the CPU
        threads; without dropout the losses are the same to the rounding of sums. Raises
        Stopped within one step of should_stop(), Diverged (and keeps the last good checkpoint) when a loss is
        not finite, InputError when the images, the settings and the checkpoint do not belong together.
        """
        self._check(images, labels, class_names)
        self.class_names, self.counts = tuple(class_names), np.bincount(labels, minlength=len(class_names))
        self.device = pick_device(device)
        cuda = [self.device] if self.device.type == "cuda" else []
        labels = np.asarray(labels, np.int64)
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=cuda))  # the caller's numbers stay the caller's
            if processes > 1:
                from gmaug_core.models.generators import ranks  # which starts trainings like this one

                self.group = stack.enter_context(
                    ranks.together(
                        self,
                        images,
                        labels,
                        class_names,
                        out_dir,
                        processes=processes,
                        seed=seed,
                        until=until,
                    )
                )
            loop = Loop(self, images, labels, out_dir, seed, report, assess)
            self.metrics = loop.run(should_stop, until)
        return self.metrics

    def _check(self, images: Images, labels: NDArray[np.int64], class_names: Sequence[str]) -> None:
        config = self.config
        shape = (config.resolution, config.resolution, 3)[: 2 if self.channels == 1 else 3]
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise InputError(
                f"images are {images.dtype} {images.shape[1:]}",
                expected=f"uint8 {shape} for {config.colour} images",
            )
        if len(images) == 0 or len(labels) != len(images):
            raise InputError(
                f"{len(images)} images and {len(labels)} labels",
                expected="at least one image, and a label for each",
            )
        if labels.min() < 0 or labels.max() >= len(class_names):
            raise InputError(
                f"a label is outside 0..{len(class_names) - 1}", expected="labels that index class_names"
            )

    def sample(
        self,
        labels: NDArray[np.int64],
        seeds: NDArray[np.int64],
        batch_size: int = 256,
        *,
        judge: Judge | None = None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield uint8 batches [b, h, w] or [b, h, w, 3] in order; image k depends on (labels[k], seeds[k])
        alone.

        judge: a classifier on this device that steers diffusion by config.feedback; then on the judge
        as well.
        """
        network = self.network
        labels = np.asarray(labels, np.int64)
        if len(labels) != len(seeds):
            raise InputError(
                f"{len(labels)} labels and {len(seeds)} seeds", expected="as many seeds as labels"
            )
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.class_names):
            raise InputError(
                f"a label is outside 0..{len(self.class_names) - 1}",
                expected="labels of the classes it was trained on",
            )
        was_training = network.training
        network.eval()
        try:
            for first in range(0, len(labels), batch_size):
                chunk = slice(first, first + batch_size)
                size = min(batch_size, CPU_RENDER_BATCH) if self.device.type == "cpu" else batch_size
                # full float32: with TF32 an image would depend on the batch it is in
                with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                    parts = [
                        self._rendered(
                            torch.from_numpy(labels[part]).to(self.device),
                            [int(seed) for seed in seeds[part]],
                            judge,
                        )
                        for part in _slices(chunk, len(labels), size)
                    ]
                yield to_uint8(torch.cat(parts))
        finally:
            network.train(was_training)

    def _rendered(self, labels: Tensor, seeds: Sequence[int], judge: Judge | None) -> Tensor:
        return self.render(labels, seeds) if judge is None else self.render_steered(labels, seeds, judge)

    def save(self, folder: Path) -> None:
        """Write model.safetensors and config.json."""
        tensors = {
            name: value.detach().cpu().contiguous() for name, value in self.network.state_dict().items()
        }
        save_tensors(folder / MODEL_FILE, tensors)
        document = {
            "generator": self.config.model_dump(mode="json"),
            "class_names": list(self.class_names),
            "closed_set": self.closed_set,
            "figures": self.metrics,
        }
        write_json(folder / CONFIG_FILE, document)

    def load_network(self, path: Path, class_names: tuple[str, ...], device: str) -> None:
        """Take the weights in `path`. Raises InputError where they do not fit the settings, errors.Damaged
        where they are not what was written."""
        self.device = pick_device(device)
        check_tensors(path)
        network = to_device(self.build(len(class_names)), self.device)
        try:
            network.load_state_dict(load_file(path, device=str(self.device)))
        except (RuntimeError, SafetensorError) as error:
            raise InputError(
                f"'{path.name}' does not fit the settings beside it", todo="train the generator again"
            ) from error
        self.network, self.class_names = network.eval(), class_names


def _slices(within: slice, end: int, size: int) -> list[slice]:
    stop = min(within.stop, end)
    return [slice(first, min(first + size, stop)) for first in range(within.start, stop, size)]
