"""The training loop of all generators: steps, reports, snapshots, checkpoints, collapse.

Training is reproducible without saving random states: before each step the random generator is seeded from
(seed, step), so the step counter is all that a checkpoint has to know.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gmaug_core.data.views import Images
from gmaug_core.errors import Diverged, InputError, Stopped
from gmaug_core.files import write_bytes
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.models.generators.group import Group
from gmaug_core.models.generators.snapshots import Assess, Watch
from gmaug_core.models.generators.tensors import class_weights, draw_batch
from gmaug_core.models.losses import Losses
from gmaug_core.seeds import derive

if TYPE_CHECKING:
    from gmaug_core.models.generators.contract import Generator

CHECKPOINT_FILE = "training.safetensors"
BEST_FILE = "best.safetensors"  # the weights of the best snapshot so far
REPORT_SECONDS = 1.0
FIGURES_ALONE = ("penalties",)  # parts that the checkpoints of earlier versions lack, and go on without
STREAMS = 2  # which random numbers a seed gives; a checkpoint of other ones is not gone on with
LOOK_IMAGES = {"cpu": 256, "cuda": 1024}  # drawn at a snapshot, at most


class Training(ABC):
    """The moving parts of one training: networks, optimisers, counters. Lives as long as the loop."""

    period: int = 1  # steps after which their costs repeat
    group: Group = Group()  # of the processes that take each step together

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor, step: int) -> dict[str, Tensor | float]:
        """One update from real images [b, c, h, w] in [-1, 1] and labels [b]. Returns figures to report.

        Where several processes train together each has the whole batch, and computes `group.rows` of it.
        """

    @abstractmethod
    def average(self) -> nn.Module:
        """The network to sample from."""

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """Everything with state_dict/load_state_dict that a resumed training needs, by name."""

    def losses(self) -> Losses:
        """By which a divergence is known: of a diffusion, whose loss is 1 before it has learnt anything."""
        return Losses(1.0, exploded=2.0, back=0.9)

    def conditional(self, steps: int) -> bool:
        """Whether the network to sample from knows its classes after this many steps."""
        return True


class Loop:
    """One training of a generator, from its start or its checkpoint in out_dir to its end. See
    Generator.train.
    """

    def __init__(
        self,
        generator: Generator,
        images: Images,
        labels: NDArray[np.int64],
        out_dir: Path,
        seed: int,
        report: Report,
        assess: Assess | None,
    ) -> None:
        """Raises InputError where the checkpoint is of another training."""
        self.generator, self.images, self.labels = generator, images, labels
        self.out_dir, self.seed, self.report = out_dir, seed, report
        config, device = generator.config, generator.device
        self.steps = max(1, math.ceil(config.kimg * 1000 / config.batch))
        snapshots = math.ceil(config.kimg / config.snapshot_kimg)
        self.snapshot_steps = math.ceil(self.steps / snapshots)  # evenly apart, the last one at the end
        self.origin = generator.origin()
        self.identity = {
            "generator": config.model_dump(mode="json"),
            "class_names": list(generator.class_names),
            "counts": generator.counts.tolist(),
            "seed": seed,
            "streams": STREAMS,
            **self.origin,
        }
        torch.manual_seed(derive(seed, "start"))
        self.training = generator.start(images, len(generator.class_names), self.steps)
        self.group = self.training.group = generator.group
        self.first = self.group.rank == 0  # who writes, reports and looks at snapshots
        self.watch = Watch(
            images,
            labels,
            generator.class_names,
            snapshot_images=self.snapshot_steps * config.batch,
            evaluations=generator.evaluations,
            most=LOOK_IMAGES["cuda" if device.type == "cuda" else "cpu"],
            assess=assess,
        )
        self.losses = self.training.losses()
        self.done, self.figures = self._resumed()
        generator.network = self.training.average()
        self.weights = class_weights(labels, len(generator.class_names), config.class_power)
        self.spent = float(self.figures.get("seconds", 0.0))  # in all, in seconds
        self.reported = time.monotonic()
        self.seen = 0  # images since then

    @property
    def seen_in_all(self) -> int:
        """Images."""
        return self.done * self.generator.config.batch

    def run(self, should_stop: ShouldStop, until: float) -> dict[str, Any]:
        """Train this share of the steps, 1 for all. Returns the figures then; raises Stopped, or Diverged."""
        device, end = self.generator.device, math.ceil(until * self.steps)
        while self.done < end and not self.watch.collapse:
            if self.group.agreed(should_stop()):
                self._save()
                raise Stopped(f"{self.generator.name} training stopped after {self.seen_in_all} images")
            values = self._step()
            snapshot = self.done % self.snapshot_steps == 0 or self.done == self.steps
            elapsed = time.monotonic() - self.reported
            due = elapsed >= REPORT_SECONDS or snapshot
            if due or device.type == "cpu":  # on a GPU, reading a value waits for it
                latest = {name: float(value) for name, value in values.items()}
                if not all(math.isfinite(value) for value in latest.values()):
                    self._diverged("its loss is not a finite number")
                if why := self.losses.add(latest["loss"]):
                    self._diverged(why)
            if due:
                self._tell(latest, elapsed)
            if snapshot and self.first:
                self._snapshot()
        if end < self.steps:
            self._save()
        elif not self.watch.collapse and (why := self.losses.ended()):
            self._diverged(why)
        return self._finished()

    def _step(self) -> dict[str, Tensor | float]:
        config, device = self.generator.config, self.generator.device
        torch.manual_seed(derive(self.seed, "step", self.done))
        batch, labels = draw_batch(self.images, self.labels, self.weights, config.batch, mirror=config.mirror)
        values = self.training.step(batch.to(device), labels.to(device), self.done)
        self.done += 1
        self.seen += config.batch
        return values

    def _tell(self, latest: dict[str, float], elapsed: float) -> None:
        self.spent += elapsed
        self.figures = {
            "kimg": self.seen_in_all / 1000,
            **latest,
            "img_per_s": self.seen / max(elapsed, 1e-9),
            "seconds": self.spent,
        }
        self._report()
        self.reported, self.seen = time.monotonic(), 0

    def _report(self, **more: Any) -> None:
        total = self.steps * self.generator.config.batch
        self.report("generator", self.seen_in_all, total, **self.figures, **more)

    def _snapshot(self) -> None:
        """Look at some images; keep them, the checkpoint, and the weights where they are the best so far."""
        generator, watch, kimg = self.generator, self.watch, self.seen_in_all / 1000
        drawn = np.concatenate(list(generator.sample(watch.labels, watch.seeds, 128)))
        if watch.see(drawn, kimg=kimg, conditional=self.training.conditional(self.done)):
            best = {"identity": self.identity, "kimg": kimg, "network": generator.network.state_dict()}
            save_state(self.out_dir / BEST_FILE, best)
        write_bytes(self.out_dir / f"grid-{kimg:07.1f}.png", watch.sheet(drawn))
        self._save()
        self._report(quality=watch.rows[-1])
        self.reported = time.monotonic()

    def _finished(self) -> dict[str, Any]:
        network, images = self.generator.network, self.seen_in_all
        metrics = {
            **self.figures,
            "images": images,
            "parameters": sum(p.numel() for p in network.parameters()),
            "img_per_s": images / max(self.spent, 1e-9),
            **self.origin,
            "quality": self.watch.rows,
        }
        if self.watch.collapse:
            best = load_state(self.out_dir / BEST_FILE, self.generator.device)
            network.load_state_dict(best["network"])
            metrics["collapse"] = self.watch.collapse
        return metrics

    def _save(self) -> None:
        if not self.first:
            return
        state = {
            "identity": self.identity,
            "step": self.done,
            "figures": self.figures,
            "watch": self.watch.state(),
            "losses": self.losses.state(),
            "parts": {name: part.state_dict() for name, part in self.training.parts().items()},
        }
        save_state(self.out_dir / CHECKPOINT_FILE, state)

    def _resumed(self) -> tuple[int, dict[str, Any]]:
        """Takes training and watch from the checkpoint, if there is one. Returns steps done and the last
        figures.
        """
        path = self.out_dir / CHECKPOINT_FILE
        if not path.exists():
            return 0, {}
        state = load_state(path, self.generator.device)
        different = [key for key, value in self.identity.items() if state["identity"].get(key) != value]
        if different:
            raise InputError(
                f"the checkpoint here is of another training (different: {', '.join(different)})",
                expected="the same settings, classes and seed as when it was started",
                todo="resume with the settings of the run, or start a new run",
            )
        for name, part in self.training.parts().items():
            if name in FIGURES_ALONE and name not in state["parts"]:
                continue
            if isinstance(part, torch.optim.Optimizer):
                load_optimizer(part, state["parts"][name])
            else:
                part.load_state_dict(state["parts"][name])
        self.watch.load(state["watch"])
        self.losses.load(state.get("losses"))
        return state["step"], state["figures"]

    def _diverged(self, why: str) -> None:
        generator, images = self.generator, self.seen_in_all
        kept, _ = self._resumed()
        todo = f"lower generator.lr (now {generator.config.lr:g}) and start again"
        if kept:
            todo += f"; the snapshot at {kept * generator.config.batch} images is kept"
        raise Diverged(
            f"{generator.name} training diverged after {images} images: {why}",
            expected="a loss that falls",
            todo=todo,
        )
