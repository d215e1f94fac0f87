"""What all generators share: the contract, the training loop, seeds, class sampling, EMA, checkpoints and
sample sheets.

Training is reproducible without saving random states: before each step the random generator is seeded from
(seed, step), so the step counter is all that a checkpoint has to know.
"""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from gmaug_core.data.views import Images
from gmaug_core.errors import Diverged, InputError, Stopped
from gmaug_core.files import write_bytes, write_json
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.models.devices import pick_device
from gmaug_core.models.generators.feedback import Judge
from gmaug_core.models.generators.snapshots import Assess, Watch

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CHECKPOINT_FILE = "training.safetensors"
BEST_FILE = "best.safetensors"  # the weights of the best snapshot so far
REPORT_SECONDS = 1.0
CPU_RENDER_BATCH = 64  # images sampled at a time on a CPU: more do not fit its caches and are slower
LOOK_IMAGES = {"cpu": 256, "cuda": 1024}  # drawn at a snapshot, at most


def derived(seed: int, *path: int | str) -> int:
    """A seed in [0, 2^63) for one purpose: derived(seed, "step", 7). Different paths give independent
    streams.
    """
    text = "/".join(str(part) for part in (seed, *path))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def seeded_normal(seeds: Sequence[int] | NDArray[np.int64], size: int) -> Tensor:
    """Standard normal [n, size] on the CPU; row k comes from seeds[k] alone, on every device and at every
    batch size.
    """
    rows = [
        torch.randn(size, generator=torch.Generator().manual_seed(derived(int(seed), "noise")))
        for seed in seeds
    ]
    return torch.stack(rows) if rows else torch.empty(0, size)


def mixed_precision(device: torch.device, *, on_cpu: bool = False) -> AbstractContextManager[Any]:
    """bfloat16 on GPUs that compute in it. On CPUs float32, which is as fast at most sizes; with `on_cpu`
    bfloat16 on those that multiply in it (AVX512-BF16, AMX): worth it for StyleGAN2's convolutions (1.6 times
    as fast), not for the diffusion lanes.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    found = torch.cpu.get_capabilities() if on_cpu and device.type == "cpu" else {}
    if found.get("avx512_bf16") or found.get("amx_bf16"):
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return nullcontext()


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move, and lay out channels last: convolutions are 10-15 % faster so on a CPU, more on a GPU."""
    return network.to(device).to(memory_format=torch.channels_last)


def to_signed(images: Tensor) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] -> float32 [n, c, h, w] in [-1, 1]."""
    images = images[..., None] if images.ndim == 3 else images
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """float [n, c, h, w] in [-1, 1] -> uint8 [n, h, w] when c is 1, else [n, h, w, 3]; values outside are
    clipped.
    """
    pixels = (images * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def class_weights(labels: NDArray[np.int64], n_classes: int, power: float) -> Tensor:
    """Weight of each image [n], such that a class of n images is drawn in proportion to n^power (1 natural, 0
    balanced).
    """
    counts = np.bincount(labels, minlength=n_classes)
    return torch.from_numpy(counts[labels].astype(np.float64) ** (power - 1.0))


def draw_batch(
    images: Images, labels: NDArray[np.int64], weights: Tensor, size: int, *, mirror: bool
) -> tuple[Tensor, Tensor]:
    """Random images float32 [size, c, h, w] in [-1, 1] and labels int64 [size]; half of them flipped when
    `mirror`.
    """
    index = torch.multinomial(weights, size, replacement=True).numpy()
    batch = to_signed(torch.from_numpy(images[index]))
    if mirror:
        batch = torch.where(torch.rand(size, 1, 1, 1) < 0.5, batch.flip(3), batch)
    return batch, torch.from_numpy(labels[index])


def update_ema(
    average: nn.Module, network: nn.Module, *, half_life_kimg: float, kimg: float, batch: int
) -> None:
    """Move `average` towards `network`. The half-life ramps up as 5 % of what was seen, so early weights are
    forgotten.
    """
    half_life = min(half_life_kimg, 0.05 * kimg)
    move_average(average, network, 0.5 ** (batch / 1000 / max(half_life, 1e-8)))


@torch.no_grad()
def move_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average = decay average + (1 - decay) network; buffers are taken over."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        mine.copy_(theirs)


class Training(ABC):
    """The moving parts of one training: networks, optimisers, counters. Lives as long as Generator.train
    does.
    """

    period: int = 1  # steps after which their costs repeat

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        """One update from real images [b, c, h, w] in [-1, 1] and labels [b]. Returns figures to report."""

    @abstractmethod
    def average(self) -> nn.Module:
        """The network to sample from."""

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """Everything with state_dict/load_state_dict that a resumed training needs, by name."""

    def conditional(self, steps: int) -> bool:
        """Whether the network to sample from knows its classes after this many steps."""
        return True


class Generator(ABC):
    """A class-conditional image generator. Untrained until train() or load_network()."""

    name: ClassVar[str]
    config_type: ClassVar[type[BaseModel]]

    def __init__(self, config: Any) -> None:
        """Raises InputError for the settings of another generator."""
        if config.name != self.name:
            raise InputError(
                f"settings of '{config.name}' given to {self.name}", expected=self.config_type.__name__
            )
        self.config = config
        self.class_names: tuple[str, ...] = ()
        self.counts: NDArray[np.int64] = np.zeros(
            0, np.int64
        )  # training images a class; none before training
        self.metrics: dict[str, Any] = {}
        self.device = torch.device("cpu")
        self._network: nn.Module | None = None

    @property
    def network(self) -> Any:
        """The network that samples. Raises InputError before training."""
        if self._network is None:
            raise InputError(
                f"this {self.name} generator is not trained", todo="call train(), or load one that is"
            )
        return self._network

    @property
    def closed_set(self) -> bool:
        """Whether it has seen the training images alone."""
        return True

    def origin(self) -> dict[str, Any]:
        """What a training starts from other than its settings and images: part of its identity and of its
        figures.
        """
        return {}

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 1 if self.config.colour == "grey" else 3

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
        """As render, but each image is pushed by config.feedback of the judge. Raises InputError in a lane
        that cannot.
        """
        raise InputError(
            f"{self.name} cannot be steered by a judge",
            expected="a diffusion lane",
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
    ) -> dict[str, Any]:
        """Train on uint8 images [n, h, w] (grey) or [n, h, w, 3] with labels int [n]; return the final
        figures.

        The images may be a view (data.views): they are read a batch at a time. Reports ("generator", images
        seen, images in all, **figures) about every second. At least every snapshot_kimg, evenly, and at the
        end it writes out_dir/training.safetensors and a sheet grid-<kimg>.png, and looks at some images of
        fixed seeds: their figures, from `assess` (of uint8 images and their labels; "kid" and "diversity"
        mean what quality.Assessment says), are reported as quality={...} and kept in figures["quality"];
        best.safetensors holds the best snapshot. A training whose classes collapse ends early with those
        weights and figures["collapse"]. Where the checkpoint is there already, it goes on from it. Raises
        Stopped within one step of should_stop(), Diverged (and keeps the last good checkpoint) when a loss is
        not finite, InputError when the images, the settings and the checkpoint do not belong together.
        """
        self._check(images, labels, class_names)
        self.class_names, self.counts = tuple(class_names), np.bincount(labels, minlength=len(class_names))
        self.device = pick_device(device)
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):  # the caller's random numbers stay the caller's
            return self._train(
                images, np.asarray(labels, np.int64), out_dir, seed, report, should_stop, assess
            )

    def _train(
        self,
        images: Images,
        labels: NDArray[np.int64],
        out_dir: Path,
        seed: int,
        report: Report,
        should_stop: ShouldStop,
        assess: Assess | None,
    ) -> dict[str, Any]:
        config = self.config
        steps = max(1, math.ceil(config.kimg * 1000 / config.batch))
        total = steps * config.batch
        snapshot_steps = math.ceil(
            steps / math.ceil(config.kimg / config.snapshot_kimg)
        )  # evenly apart, the last one at the end
        identity = {
            "generator": config.model_dump(mode="json"),
            "class_names": list(self.class_names),
            "counts": self.counts.tolist(),
            "seed": seed,
            **(origin := self.origin()),
        }
        torch.manual_seed(derived(seed, "start"))
        training = self.start(images, len(self.class_names), steps)
        watch = Watch(
            images,
            labels,
            self.class_names,
            snapshot_images=snapshot_steps * config.batch,
            evaluations=self.evaluations,
            most=LOOK_IMAGES["cuda" if self.device.type == "cuda" else "cpu"],
            assess=assess,
        )
        done, figures = self._resume(training, out_dir / CHECKPOINT_FILE, identity, watch)
        self._network = training.average()
        weights = class_weights(labels, len(self.class_names), config.class_power)

        def save_checkpoint() -> None:
            parts = {name: part.state_dict() for name, part in training.parts().items()}
            state = {
                "identity": identity,
                "step": done,
                "figures": figures,
                "watch": watch.state(),
                "parts": parts,
            }
            save_state(out_dir / CHECKPOINT_FILE, state)

        spent, reported, seen = float(figures.get("seconds", 0.0)), time.monotonic(), 0
        while done < steps and not watch.collapse:
            if should_stop():
                save_checkpoint()
                raise Stopped(f"{self.name} training stopped after {done * config.batch} images")
            torch.manual_seed(derived(seed, "step", done))
            batch, batch_labels = draw_batch(images, labels, weights, config.batch, mirror=config.mirror)
            values = training.step(batch.to(self.device), batch_labels.to(self.device), done)
            done, seen = done + 1, seen + config.batch
            last, snapshot = done == steps, done % snapshot_steps == 0
            elapsed = time.monotonic() - reported
            due = elapsed >= REPORT_SECONDS or snapshot or last
            if due or self.device.type == "cpu":  # on a GPU, reading a value waits for it
                latest = {name: float(value) for name, value in values.items()}
                if not all(math.isfinite(value) for value in latest.values()):
                    self._diverged(training, out_dir / CHECKPOINT_FILE, identity, watch, done * config.batch)
            if due:
                spent += elapsed
                kimg = done * config.batch / 1000
                figures = {"kimg": kimg, **latest, "img_per_s": seen / max(elapsed, 1e-9), "seconds": spent}
                report("generator", done * config.batch, total, **figures)
                reported, seen = time.monotonic(), 0
            if snapshot or last:
                drawn = np.concatenate(list(self.sample(watch.labels, watch.seeds, 128)))
                if watch.see(drawn, kimg=kimg, conditional=training.conditional(done)):
                    save_state(
                        out_dir / BEST_FILE,
                        {"identity": identity, "kimg": kimg, "network": self.network.state_dict()},
                    )
                png = watch.sheet(drawn)
                write_bytes(out_dir / f"grid-{kimg:07.1f}.png", png)
                save_checkpoint()
                report("generator", done * config.batch, total, **figures, quality=watch.rows[-1])
                reported = time.monotonic()
        parameters, total = sum(p.numel() for p in self.network.parameters()), done * config.batch
        self.metrics = (
            figures
            | {"images": total, "parameters": parameters, "img_per_s": total / max(spent, 1e-9)}
            | origin
        )
        self.metrics["quality"] = watch.rows
        if watch.collapse:
            self.network.load_state_dict(load_state(out_dir / BEST_FILE, self.device)["network"])
            self.metrics["collapse"] = watch.collapse
        return self.metrics

    def _check(self, images: Images, labels: NDArray[np.int64], class_names: Sequence[str]) -> None:
        config: Any = self.config
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

    def _resume(
        self, training: Training, path: Path, identity: Mapping[str, Any], watch: Watch
    ) -> tuple[int, dict[str, Any]]:
        """Load the checkpoint, if there is one, into `training` and `watch`. Returns steps done and the last
        figures.
        """
        if not path.exists():
            return 0, {}
        state = load_state(path, self.device)
        different = [key for key, value in identity.items() if state["identity"].get(key) != value]
        if different:
            raise InputError(
                f"the checkpoint here is of another training (different: {', '.join(different)})",
                expected="the same settings, classes and seed as when it was started",
                todo="resume with the settings of the run, or start a new run",
            )
        for name, part in training.parts().items():
            if isinstance(part, torch.optim.Optimizer):
                load_optimizer(part, state["parts"][name])
            else:
                part.load_state_dict(state["parts"][name])
        watch.load(state["watch"])
        return state["step"], state["figures"]

    def _diverged(
        self, training: Training, path: Path, identity: Mapping[str, Any], watch: Watch, images: int
    ) -> None:
        kept, _ = self._resume(training, path, identity, watch)
        raise Diverged(
            f"{self.name} training gave a loss that is not a finite number after {images} images",
            expected="finite losses",
            todo=f"lower generator.lr (now {self.config.lr:g}) and start again"
            + (f"; the snapshot at {kept * self.config.batch} images is kept" if kept else ""),
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

        judge: a classifier on this device that steers diffusion lanes by config.feedback; then on the judge
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
        data = save(tensors)
        write_bytes(folder / MODEL_FILE, data)
        document = {
            "generator": self.config.model_dump(mode="json"),
            "class_names": list(self.class_names),
            "closed_set": self.closed_set,
            "figures": self.metrics,
        }
        write_json(folder / CONFIG_FILE, document)

    def load_network(self, path: Path, class_names: tuple[str, ...], device: str) -> None:
        """Take the weights in `path`. Raises InputError where they do not fit the settings."""
        self.device = pick_device(device)
        network = to_device(self.build(len(class_names)), self.device)
        try:
            network.load_state_dict(load_file(path, device=str(self.device)))
        except (RuntimeError, SafetensorError) as error:
            raise InputError(
                f"'{path.name}' does not fit the settings beside it", todo="train the generator again"
            ) from error
        self._network, self.class_names = network.eval(), class_names


def _slices(within: slice, end: int, size: int) -> list[slice]:
    stop = min(within.stop, end)
    return [slice(first, min(first + size, stop)) for first in range(within.start, stop, size)]
