"""The units of work of an equivalence run, each remembered as a file: judges, generators and what they draw,
cells."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core import seals
from gmaug_core.config import image_format
from gmaug_core.data.views import View
from gmaug_core.files import read_json, write_bytes, write_json
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method.arms import PLAIN
from gmaug_core.method.draw import draw
from gmaug_core.method.equivalence import plan
from gmaug_core.method.equivalence.material import Material
from gmaug_core.method.equivalence.plan import Base, Training
from gmaug_core.method.equivalence.result import Cell, Effort, Shares
from gmaug_core.method.shared import Shared, decides, hashed
from gmaug_core.method.training import trained
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Classifier, Job
from gmaug_core.models.devices import arithmetic

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Unit:
    """A training that is a file when it is done. words: what it is; work: what is in the file, or nothing
    where that is weights."""

    name: str
    words: str
    path: Path
    work: Callable[[Report, ShouldStop], Right]


@dataclass(frozen=True)
class Measured:
    """What was done. cells: each with the images that it added; right: bool [cells, test images], what each
    got right; skipped: what was left out, in words."""

    cells: tuple[tuple[Training, int], ...]
    right: Right
    efforts: tuple[Effort, ...]
    skipped: tuple[str, ...]


class Study(Material):
    """The material, and what is trained on it."""

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
                packed = np.frombuffer(seals.content(seals.read(path)), np.uint8)
                return np.unpackbits(packed, count=len(index)).astype(bool)
            alone = one.source == "none"
            classifier = (
                self.judge(self.plan.base(one.size), one.seed)
                if alone
                else self.trained(one, report, should_stop)
            )
            right = classifier.evaluate(View([self.images], index), self.data.labels[index]).correct
            write_bytes(path, seals.sealed(np.packbits(right).tobytes()))
            return right

        return Unit(one.name, one.words, path, work)
