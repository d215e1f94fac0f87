"""The material of an experiment: a dataset prepared for one config, and training sets of its real and
synthetic images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import balance, dividing, samples, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.views import View
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.pool import Pool, Synthetic
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.shared import Folders
from gmaug_core.method.ways import Way
from gmaug_core.models.devices import pick_device


@dataclass
class Material:
    """The dataset prepared for one config. images: uint8, all of them; split: indices of train, val and
    test; others: folders of other runs' units, which are taken where they are the same; generator: which one
    draws the synthetic images, from 0."""

    config: AugmentationConfig
    data: Dataset
    out_dir: Path
    report: Report
    should_stop: ShouldStop
    images: NDArray[np.uint8]
    split: dividing.Parts
    device: torch.device
    others: Folders = tuple
    generator: int = 0

    @classmethod
    def prepare(
        cls,
        config: AugmentationConfig,
        data: Dataset,
        out_dir: Path,
        report: Report,
        should_stop: ShouldStop,
        *,
        others: Folders = tuple,
    ) -> Self:
        """Split the dataset, or read how the run split it, and decode its images.

        Raises InputError when it cannot be split, nothing would be drawn, or the device is not there;
        Stopped.
        """
        report("decode", 0, len(data))
        split = splits.kept(out_dir / splits.Split.FILE, data, config.seed)
        labels, stock = data.labels[split["train"]], config.generator.stock
        balance.check_short(labels, config.target, data.class_names, config.added, stock)
        device = pick_device(config.device)
        shape = image_format(config.generator.resolution, config.generator.colour)
        images = data.images(shape, report=under(report, "decode"), should_stop=should_stop)
        report("decode", len(data), len(data))
        return cls(config, data, out_dir, report, should_stop, np.asarray(images), split, device, others)

    def __getstate__(self) -> dict[str, Any]:
        """As another machine gets it: the hooks stay here."""
        return self.__dict__ | {"report": no_report, "should_stop": never}

    @property
    def checkpoints(self) -> Path:
        """The folder of finished and half finished units of work."""
        return self.out_dir / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of what was drawn by this generator; the first one's is what people look through."""
        folder = self.out_dir / "samples"
        return folder / f"generator-{self.generator}" if self.generator else folder

    def of(self, generator: int) -> Self:
        """The same with the images of another generator."""
        return replace(self, generator=generator)

    @property
    def seeds(self) -> list[int]:
        """One classifier of each variant is trained with each of them."""
        return [self.config.seed + offset for offset in range(self.config.seeds)]

    @property
    def study_seeds(self) -> tuple[int, ...]:
        """Of the classifiers that choose the amount; none is a seed of the variants that are compared."""
        first = self.config.seed + self.config.seeds
        return tuple(range(first, first + self.config.amount_seeds))

    def judge_of(self, seed: int) -> int:
        """The seed whose judge chooses images for a classifier of this seed: its own, where it has one."""
        return self.seeds[(seed - self.config.seed) % self.config.seeds]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.data.class_names)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Real training images a class."""
        return np.bincount(self.data.labels[self.split["train"]], minlength=self.classes)

    @cached_property
    def wanted(self) -> NDArray[np.int64]:
        """Synthetic images asked for of each class: what it is short of, or all that were made elsewhere."""
        config = self.config
        return balance.wanted_of(self.counts, config.target, config.added, config.generator.stock)

    def wanted_at(self, amount: float) -> NDArray[np.int64]:
        """So many times that, int64 [classes], rounded up."""
        return balance.times(self.wanted, amount)

    @property
    def asked(self) -> NDArray[np.int64]:
        """Synthetic images that are drawn for: the largest amount that may enter."""
        return self.wanted_at(max(self.config.amounts))

    @cached_property
    def budget(self) -> NDArray[np.int64]:
        """Draws of each class that one step may cost."""
        return balance.budget_of(self.asked, self.config.draw_budget, self.config.generator.stock)

    @property
    def feedback(self) -> bool:
        """Whether a judge steers sampling."""
        return getattr(self.config.generator, "feedback", "none") != "none"

    # training sets

    @cached_property
    def real(self) -> TrainingSet:
        """The real training images, drawn alike."""
        index = self.split["train"]
        return TrainingSet(View([self.images], index), self.data.labels[index])

    @cached_property
    def judge_fold(self) -> NDArray[np.int64]:
        """The part of each real training image, int64 [n]: one judge of a cross-fitted one is trained without
        it. -1: all are trained on it, since its class would be without images."""
        return dividing.spread(
            self.data, self.split["train"], self.config.selection.judge_folds, self.config.seed
        )

    def real_without(self, fold: int | None) -> TrainingSet:
        """The real training images but for one part; None: all of them."""
        if fold is None:
            return self.real
        return self._parts.setdefault(fold, self.real.only(self.judge_fold != fold))

    @cached_property
    def _parts(self) -> dict[int, TrainingSet]:
        return {}

    def index_without(self, fold: int | None) -> NDArray[np.int64]:
        """Which images of the dataset these are."""
        index = self.split["train"]
        return index if fold is None else index[self.judge_fold != fold]

    def with_synthetic(self, way: Way, synthetic: Synthetic) -> TrainingSet:
        """Real and synthetic images together.

        fill: all drawn alike. mix: each class is drawn as often as its target says, and of the draws of a
        class that got synthetic images the share `config.mix` is synthetic (never more than in fill).
        synthetic: as many as the way's amount says.
        """
        real = self.real
        images = real.images.followed_by(synthetic.images)
        labels = np.concatenate([real.labels, synthetic.labels])
        is_made = np.arange(len(labels)) >= len(real.labels)
        factors = None if way.weight == 1 else np.where(is_made, way.weight, 1.0)
        together = TrainingSet(
            images, labels, image_weights=factors, apart=is_made if self.config.own_statistics else None
        )
        if way.use == "fill":
            return together
        made = np.bincount(synthetic.labels, minlength=self.classes)
        share = np.minimum(self.config.mix, made / np.maximum(made + self.counts, 1))
        filled = (self.counts + self.wanted).astype(float)
        real_weight = filled * (1 - share) / np.maximum(self.counts, 1)
        synthetic_weight = filled * share / np.maximum(made, 1)
        weights = np.concatenate([real_weight[real.labels], synthetic_weight[synthetic.labels]])
        return replace(together, draw_weights=weights)

    def part(self, name: str) -> tuple[View, NDArray[np.int64]]:
        """Images and labels of one part of the split: train, val or test."""
        index = self.split[name]
        return View([self.images], index), self.data.labels[index]

    def drawn(self, step: int) -> bool:
        """Whether this step was drawn to its end."""
        return step in samples.steps(self.samples)

    def decided(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Verdicts as people decided before this run began: about images of the first generator alone."""
        known = self.config.decisions
        return samples.overruled(rows, known.keep, known.reject) if known and not self.generator else rows

    def kept(self, step: int, way: Way, seed: int) -> TrainingSet:
        """Real images and what the seed's judge accepted in this step."""
        return self.with_synthetic(way, self.pool(step, way.amount).kept(self.judge_of(seed)))

    def first_drawn(self, step: int, way: Way) -> TrainingSet:
        """Real images and as many of the first ones drawn, whatever a judge said."""
        return self.with_synthetic(way, self.pool(step, way.amount).first_drawn())

    def replayed(self, step: int, way: Way, seed: int) -> TrainingSet:
        """The same with copies of real images in place of the synthetic ones: as many of each class, used in
        the same way. Nothing new is seen, only the classes are drawn as often."""
        labels = self.pool(step, way.amount).kept(self.judge_of(seed)).labels
        return self.with_synthetic(way, self.copies(labels))

    def copies(self, labels: NDArray[np.int64]) -> Synthetic:
        """Real training images of these classes, each as often as others of its class. labels: int [n]."""
        train = self.split["train"]
        index = np.zeros(len(labels), np.int64)
        for label in np.unique(labels):
            own, rows = train[self.data.labels[train] == label], np.flatnonzero(labels == label)
            index[rows] = np.resize(own, len(rows))
        return Synthetic(View([self.images], index), labels)

    def pool(self, step: int, amount: float | None = None) -> Pool:
        """What was drawn in this step; of each class as many are taken as this amount says, by default as
        were drawn for."""
        wanted = self.asked if amount is None else self.wanted_at(amount)
        return Pool.read(self.samples, step, wanted, self.data.class_names)
