"""An equivalence run from top to bottom:

    split -> for every base size and seed a judge, trained on the base alone
    -> for every base size and generator seed a generator, trained on the base alone; draw, keep what each
    judge accepts
    -> for every base size and seed one training a cell: the base and real images that were held back from it,
    or accepted synthetic ones, or synthetic ones in the place of real ones
    -> what each gets right on the test split -> curves, equated.

Thresholds come from validation images; the test split is looked at by finished cells alone. Every training of
a base takes the same steps. A judge, a generator, a batch of samples and a cell is a file each below out_dir,
and depends on the config and its own name alone: a killed run goes on and ends with the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core.config import EquivalenceConfig, image_format
from gmaug_core.data import splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.views import View
from gmaug_core.files import atomic_write, read_json, write_bytes, write_json
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.arms import PLAIN
from gmaug_core.method.draw import draw
from gmaug_core.method.equivalence import exchange, plan, words
from gmaug_core.method.equivalence.plan import Base, Counts, Drawn, Plan, Training
from gmaug_core.method.equivalence.result import Cell, Effort, EquivalenceResult, Shares
from gmaug_core.method.lab import Lab
from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.shared import Folders, Shared, decides, hashed
from gmaug_core.method.training import trained
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.method.verdict.curve import tail_classes
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Classifier, Job
from gmaug_core.models.devices import arithmetic, pick_device
from gmaug_core.seeds import derive

ANSWERS_FILE = "answers.npy"  # uint8 [cells, bytes]: numpy.packbits of what each got right
MORE = 1.1  # an amount that brings less than this of the one before it is left out

Right = NDArray[np.bool_]


@dataclass
class BaseLab(Lab):
    """One base with one generator: its training part is the base, and so many synthetic images are wanted."""

    most: Counts = field(kw_only=True)

    @cached_property
    def wanted(self) -> Counts:
        """What the largest amount needs."""
        return self.most


@dataclass(frozen=True)
class Measured:
    """What was done. cells: each with the images that it added; right: bool [cells, test images], what each
    got right; skipped: what was left out, in words."""

    cells: tuple[tuple[Training, int], ...]
    right: Right
    efforts: tuple[Effort, ...]
    skipped: tuple[str, ...]


def run(
    config: EquivalenceConfig,
    data: Dataset,
    *,
    out_dir: Path,
    others: Folders = tuple,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> EquivalenceResult:
    """Measure what synthetic images are worth in real ones, or what is left of it, below out_dir, the run's
    folder.

    others: folders of units that other runs have finished, of which those on real images alone are taken.
    Raises InputError where the dataset cannot be split or its real images do not suffice; Stopped.
    """
    begun = time.monotonic()
    study = Study.prepare(config, data, out_dir, report, should_stop, others)
    measured = study.measure()
    report("curves", 0, 1)
    atomic_write(out_dir / ANSWERS_FILE, lambda file: np.save(file, np.packbits(measured.right, axis=1)))
    found = document(study, measured)
    report("curves", 1, 1)
    return found.model_copy(update={"seconds": time.monotonic() - begun})


def document(study: Study, measured: Measured) -> EquivalenceResult:
    """What the cells say: curves, equated. Without the seconds."""
    config, data = study.config, study.data
    cells = study.cells(measured)
    labels = data.labels[study.split["test"]]
    counting = Counting(labels, study.plan.bases[-1].counts)
    found = exchange.measure(cells, measured.right, labels, tail_classes(counting.counts), seed=config.seed)
    return EquivalenceResult.new(
        run=study.out_dir.name,
        dataset=data.id,
        dataset_name=data.name,
        preset=config.preset,
        size=config.generator.resolution,
        generator=config.generator.name,
        classifier=config.classifier.name,
        splits=SplitSizes.model_validate({name: len(index) for name, index in study.split.items()}),
        classes=study.classes,
        proportions=config.proportions,
        bases=tuple(base.total for base in study.plan.bases),
        seeds=len(study.plan.seeds),
        generators=len(study.plan.generators),
        cells=cells,
        efforts=measured.efforts,
        measure=counting.measure,
        curves=tuple(found.curves),
        exchange=tuple(found.exchange),
        reverse=tuple(found.reverse),
        published=tuple(found.published),
        sentence=words.sentence(found.exchange, found.reverse, counting.measure),
        skipped=measured.skipped,
        seconds=0.0,
    )


@dataclass
class Study:
    """The dataset prepared for one config. images: uint8, all of them; split: indices of train, val, test."""

    config: EquivalenceConfig
    data: Dataset
    out_dir: Path
    report: Report
    should_stop: ShouldStop
    images: NDArray[np.uint8]
    split: splits.Parts
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
    ) -> Study:
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

    @property
    def checkpoints(self) -> Path:
        """The folder of finished and half finished units of work."""
        return self.out_dir / "checkpoints"

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.data.class_names)

    def measure(self) -> Measured:
        """Everything, or what is left of it. Raises Stopped."""
        self.many(
            "judges", [self.judging(base, seed) for base in self.plan.bases for seed in self.plan.seeds]
        )
        efforts = tuple(self.brought(base, seed) for base in self.plan.bases for seed in self.plan.generators)
        cells, skipped = self.amounts()
        found = self.many("trainings", [self.answering(one) for one, _ in cells])
        return Measured(tuple(cells), np.array(found), efforts, tuple(skipped))

    def many(self, name: str, units: Sequence[Unit]) -> list[Right]:
        """Units of work at once, each read where it was done before; their progress is that of the stage
        `name`."""
        done = sum(unit.path.exists() for unit in units)
        self.report(name, done, len(units))

        def do(unit: Unit, report: Report, should_stop: ShouldStop) -> Right:
            nonlocal done
            new = not unit.path.exists()

            def told(stage: str, step: int, total: int, **figures: Any) -> None:  # noqa: ARG001
                report(name, done, len(units), training=unit.words, steps=step, of_steps=total, **figures)

            found = unit.work(told, should_stop)
            done += new
            report(name, min(done, len(units)), len(units))
            return found

        jobs = [Job(f"classifier '{unit.name}'", partial(do, unit)) for unit in units]
        return classifiers.train_many(
            jobs, device=self.device, report=self.report, should_stop=self.should_stop
        )

    # judges: the classifiers of the bases alone

    def judge_path(self, base: Base, seed: int) -> Path:
        """Of the classifier of a base alone."""
        return self.checkpoints / f"judge-{base.size}-{seed}.safetensors"

    def judging(self, base: Base, seed: int) -> Unit:
        """Train the classifier of a base alone; what it gets right is asked when its cell's turn comes."""
        one = Training(base.size, seed)
        path = self.judge_path(base, seed)

        def work(report: Report, should_stop: ShouldStop) -> Right:
            if not path.exists() and not self.taken(one, path):
                self.trained(one, report, should_stop).save(path)
            return np.zeros(0, bool)

        return Unit(one.name, one.words, path, work)

    def judge(self, base: Base, seed: int) -> Classifier:
        """As judging left it."""
        path = self.judge_path(base, seed)
        return classifiers.load(path, self.classes, self.config.classifier, self.device)

    def taken(self, one: Training, path: Path) -> bool:
        """Whether another run had this judge, or this cell's answers, and `path` now has them; only of real
        images alone, whose training another run can know to be the same. Else others will find it here."""
        if one.generator is not None or one.source == "noise":
            return False
        shape = self.config.generator
        decided_by = decides(
            dataset_version=self.data.version,
            image_format=image_format(shape.resolution, shape.colour),
            index=self.split["train"][self.members(one)],
            normalise_on=self.alone(one),
            config=self.config.classifier,
            recipe=PLAIN.key,
            value=1.0,
            seed=one.seed,
            steps=self.plan.base(one.size).steps,
            machine=arithmetic(self.device),
        )
        if path.parent != self.checkpoints:
            decided_by["answers_on"] = hashed(self.split["test"])
        place = path.parent.relative_to(self.checkpoints)
        shared = Shared(self.out_dir.name, path.parent, lambda: [each / place for each in self.others()])
        if shared.take(path, decided_by):
            return True
        shared.note(path, decided_by, begun=self.half_done(one).exists())
        return False

    # generators, and what they draw

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

    def brought(self, base: Base, generator: int) -> Effort:
        """Train a generator on the base alone, draw from it, and let the judges of the base choose."""
        lab = self.lab(base, generator)
        path = lab.out_dir / "effort.json"
        if path.exists():
            return Effort.model_validate(read_json(path))
        judges = {seed: self.judge(base, seed) for seed in self.plan.seeds}
        made = lab.generator_trained_or_loaded(judges[self.plan.seeds[0]])
        begun = time.monotonic()
        if not lab.drawn(1):
            draw(lab, 1, made.model, judges)
        pool = lab.pool(1)
        accepted = [len(pool.kept(seed).labels) for seed in self.plan.seeds]
        effort = Effort(
            base=base.total,
            source=plan.source(self.config),
            generator=generator,
            training_seconds=float(made.figures["seconds"]),
            drawn=len(pool.images),
            accepted=round(float(np.mean(accepted))),
            drawing_seconds=time.monotonic() - begun,
        )
        write_json(path, effort.to_dict())
        return effort

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

    # cells

    def missing(self) -> int:
        """Cells that are still to be done, once every generator has drawn."""
        return sum(not self.answering(one).path.exists() for one, _ in self.amounts()[0])

    def cells(self, measured: Measured) -> tuple[Cell, ...]:
        """Every training as the document has it."""
        labels = self.data.labels[self.split["test"]]
        return tuple(
            Cell(
                base=self.plan.base(one.size).total,
                seed=one.seed,
                source=one.source,
                way=one.way,
                generator=one.generator,
                added=added,
                steps=self.plan.base(one.size).steps,
                shares=Shares(
                    **Counting(labels, self.plan.base(one.size).counts).accuracies(right[None]).to_dict()
                ),
                answers=row,
            )
            for row, ((one, added), right) in enumerate(zip(measured.cells, measured.right, strict=True))
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

    def half_done(self, one: Training) -> Path:
        """Where a training that was stopped goes on."""
        return self.checkpoints / f"{one.name}.training"

    def trained(self, one: Training, report: Report, should_stop: ShouldStop) -> Classifier:
        """The classifier of a cell; all of a base with the same steps, normalised by its images."""
        base = self.plan.base(one.size)
        return trained(
            PLAIN,
            1.0,
            self.training_set(one),
            self.classes,
            self.config.classifier,
            seed=one.seed,
            steps=base.steps,
            normalise_on=View([self.images], self.alone(one)),
            checkpoint=self.half_done(one),
            device=self.device,
            report=report,
            should_stop=should_stop,
        )

    def answering(self, one: Training) -> Unit:
        """Train a cell and ask it for the test images; its weights are not kept."""
        path = self.checkpoints / "cells" / f"{one.name}.bits"
        index = self.split["test"]

        def work(report: Report, should_stop: ShouldStop) -> Right:
            if path.exists() or self.taken(one, path):
                packed = np.frombuffer(path.read_bytes(), np.uint8)
                return np.unpackbits(packed, count=len(index)).astype(bool)
            alone = one.source == "none"
            classifier = (
                self.judge(self.plan.base(one.size), one.seed)
                if alone
                else self.trained(one, report, should_stop)
            )
            right = classifier.evaluate(View([self.images], index), self.data.labels[index]).correct
            write_bytes(path, np.packbits(right).tobytes())
            return right

        return Unit(one.name, one.words, path, work)


@dataclass(frozen=True)
class Unit:
    """A training that is a file when it is done. words: what it is; work: what is in the file, or nothing
    where that is weights."""

    name: str
    words: str
    path: Path
    work: Callable[[Report, ShouldStop], Right]
