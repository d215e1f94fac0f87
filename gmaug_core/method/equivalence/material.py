"""The material of an equivalence run: a dataset prepared for one config, its bases, and what each cell trains
on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core.config import EquivalenceConfig, image_format
from gmaug_core.data import dividing, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.views import View
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.equivalence import plan
from gmaug_core.method.equivalence.plan import Base, Counts, Drawn, Plan, Training
from gmaug_core.method.lab import Lab
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.shared import Folders
from gmaug_core.models.devices import pick_device
from gmaug_core.seeds import derive

MORE = 1.1  # an amount that brings less than this of the one before it is left out


@dataclass
class BaseLab(Lab):
    """One base with one generator: its training part is the base, and so many synthetic images are wanted."""

    most: Counts = field(kw_only=True)

    @cached_property
    def wanted(self) -> Counts:
        """What the largest amount needs."""
        return self.most


@dataclass
class Material:
    """The dataset prepared for one config. images: uint8, all of them; split: indices of train, val, test."""

    config: EquivalenceConfig
    data: Dataset
    out_dir: Path
    report: Report
    should_stop: ShouldStop
    images: NDArray[np.uint8]
    split: dividing.Parts
    device: torch.device
    plan: Plan
    others: Folders = tuple

    @classmethod
    def prepare(
        cls,
        config: EquivalenceConfig,
        data: Dataset,
        out_dir: Path,
        report: Report = no_report,
        should_stop: ShouldStop = never,
        others: Folders = tuple,
    ) -> Self:
        """Split the dataset, or read how the run split it, and decode its images. Raises InputError where it
        cannot be split, its real images do not suffice, or the device is not there; Stopped."""
        report("decode", 0, len(data))
        split = splits.kept(out_dir / splits.Split.FILE, data, config.seed)
        counts = np.bincount(data.labels[split["train"]], minlength=len(data.class_names))
        made = plan.make(config, counts, data.class_names)
        device = pick_device(config.device)
        shape = image_format(config.generator.resolution, config.generator.colour)
        images = data.images(shape, report=under(report, "decode"), should_stop=should_stop)
        report("decode", len(data), len(data))
        return cls(
            config, data, out_dir, report, should_stop, np.asarray(images), split, device, made, others
        )

    def __getstate__(self) -> dict[str, Any]:
        """As another machine gets it: the hooks stay here."""
        return self.__dict__ | {"report": no_report, "should_stop": never}

    @property
    def checkpoints(self) -> Path:
        """The folder of finished and half finished units of work."""
        return self.out_dir / "checkpoints"

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.data.class_names)

    def lab(self, base: Base, generator: int) -> BaseLab:
        """A base and one of its generators, in a folder of their own."""
        number = self.plan.bases.index(base) * len(self.plan.generators) + self.plan.generators.index(
            generator
        )
        of = len(self.plan.bases) * len(self.plan.generators)

        def report(stage: str, step: int, total: int, **figures: object) -> None:
            name = "draw" if stage.startswith("sample") else stage
            self.report(
                name, number * total + step, of * total, base=base.size, generator=generator, **figures
            )

        settings = self.config.augmentation.model_copy(update={"seed": generator})
        own = self.split["train"][self.members(Training(base.size, self.config.seed))]
        return BaseLab(
            settings,
            self.data,
            self.checkpoints / f"base-{base.size}-generator-{generator}",
            report,
            self.should_stop,
            self.images,
            self.split | {"train": own},
            self.device,
            most=self.plan.wanted(self.config, base),
        )

    @cached_property
    def pools(self) -> dict[tuple[int, int, int], Synthetic]:
        """(size, generator, seed) -> what that seed's judge kept of that generator's images."""
        found = {}
        for base in self.plan.bases:
            for generator in self.plan.generators:
                pool = self.lab(base, generator).pool(1)
                for seed in self.plan.seeds:
                    found[base.size, generator, seed] = pool.kept(seed)
        return found

    def pools_are_there(self) -> bool:
        """Whether every generator has drawn."""
        return all(
            self.lab(base, generator).drawn(1)
            for base in self.plan.bases
            for generator in self.plan.generators
        )

    def amounts(self) -> tuple[list[tuple[Training, int]], list[str]]:
        """The cells of the plan that can be done, with the images that each adds, and the others in words.

        Where a filter kept too few of some classes, an amount is what it kept on average over generators and
        seeds: the same number in every cell of it.
        """
        synthetic: dict[tuple[int, str, float], list[int]] = {}
        for one in self.plan.trainings:
            if one.generator is not None:
                key = one.size, one.way, one.multiple
                synthetic.setdefault(key, []).append(int(self.brings(one).sum()))
        mean = {key: round(float(np.mean(found))) for key, found in synthetic.items()}
        skipped, left_out = [], set()
        for size, way, multiple in sorted(mean):
            less = [mean[key] for key in mean if key[:2] == (size, way) and key[2] < multiple]
            if mean[size, way, multiple] < MORE * max(less, default=1):
                left_out.add((size, way, multiple))
                skipped.append(
                    f"{multiple:g} times a base of {size} a class, {way}: the filter kept no more than for "
                    "the amount before"
                )
        cells = []
        for one in self.plan.trainings:
            key = one.size, one.way, one.multiple
            if one.generator is None:
                base = self.plan.base(one.size)
                cells.append((one, int(np.sign(one.multiple)) * int(base.times(abs(one.multiple)).sum())))
            elif key not in left_out:
                cells.append((one, mean[key]))
        return cells, skipped

    def brings(self, one: Training) -> Counts:
        """Synthetic images a class that a cell adds, int [classes]."""
        assert one.generator is not None
        kept = self.pools[one.size, one.generator, one.seed]
        have = np.bincount(kept.labels, minlength=self.classes)
        return np.minimum(self.plan.base(one.size).times(one.multiple), have)

    def members(self, one: Training) -> NDArray[np.int64]:
        """The real images of a cell: positions in the training part."""
        base, labels = self.plan.base(one.size), self.data.labels[self.split["train"]]
        drawn = Drawn.by(base, labels, self.config.seed, one.seed)
        kept = base.counts
        if one.multiple < 0:
            kept = kept - base.times(-one.multiple)
        elif one.way == "substituted":
            kept = kept - self.brings(one)
        own = plan.first(drawn.base, kept)
        if one.source == "real" and one.multiple > 0:
            return np.concatenate([own, plan.first(drawn.held, base.times(one.multiple))])
        if one.source == "disguised":  # others than those of the real cells, as far as there are
            return np.concatenate([own, plan.first(drawn.held_from_behind, base.times(one.multiple))])
        return own

    def training_set(self, one: Training) -> TrainingSet:
        """Everything that a cell trains on, drawn alike."""
        index = self.split["train"][self.members(one)]
        real = TrainingSet(View([self.images], index), self.data.labels[index])
        if one.source == "noise":
            counts = self.plan.base(one.size).times(one.multiple)
            rng = np.random.default_rng(derive("equivalence noise", self.config.seed, one.size, one.seed))
            noise = rng.integers(0, 256, (int(counts.sum()), *self.images.shape[1:]), dtype=np.uint8)
            added = Synthetic(
                View([noise], np.arange(len(noise))), np.repeat(np.arange(self.classes), counts)
            )
        elif one.generator is not None:
            kept, counts = self.pools[one.size, one.generator, one.seed], self.brings(one)
            rows = np.concatenate(
                [np.flatnonzero(kept.labels == label)[:n] for label, n in enumerate(counts.tolist())]
            )
            added = Synthetic(kept.images.take(rows), kept.labels[rows])
        else:
            return real
        return TrainingSet(real.images.followed_by(added.images), np.concatenate([real.labels, added.labels]))

    def alone(self, one: Training) -> NDArray[np.int64]:
        """The images of a cell's base, ascending."""
        return np.sort(self.split["train"][self.members(Training(one.size, one.seed))])
