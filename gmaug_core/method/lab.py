"""Units of work on the material of an experiment, each remembered as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import Profile, image_format
from gmaug_core.data import splits
from gmaug_core.errors import Stopped
from gmaug_core.files import read_json, write_json
from gmaug_core.hooks import Report, ShouldStop, under
from gmaug_core.method.arms import Arm, Order
from gmaug_core.method.material import Material
from gmaug_core.method.progress import Tally
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.score import score_training_images
from gmaug_core.method.shared import Shared, decides
from gmaug_core.method.training import head_steps, trained
from gmaug_core.models import classifiers, generators, quality
from gmaug_core.models.classifiers import Classifier, Evaluation, Job
from gmaug_core.models.devices import arithmetic
from gmaug_core.models.generators import Generator
from gmaug_core.scoring.result import SimilarityResult
from gmaug_core.seeds import derive


@dataclass(frozen=True)
class TrainedGenerator:
    """The run's generator, with the figures of its training (keys of parts.generator.GeneratorFigures)."""

    model: Generator
    figures: dict[str, Any]


class Lab(Material):
    """The material, and what is trained on it: the score, generators, classifiers."""

    @property
    def shared(self) -> Shared:
        """What this run takes from others, and offers to them."""
        return Shared(self.out_dir.name, self.checkpoints, self.others)

    def decides(
        self, index: NDArray[np.int64], recipe: str, value: float, seed: int, steps: int
    ) -> dict[str, Any]:
        """Everything that decides a classifier trained on these real images: shared.decides. Part of them is
        normalised by itself."""
        generator = self.config.generator
        return decides(
            dataset_version=self.data.version,
            image_format=image_format(generator.resolution, generator.colour),
            index=index,
            normalise_on=index,
            config=self.config.classifier,
            recipe=recipe,
            value=value,
            seed=seed,
            steps=steps,
            machine=arithmetic(self.device),
        )

    def score(self, grouping: Mapping[str, Sequence[str]]) -> SimilarityResult:
        """The score of the training images at profile `paper`: measured, or read when it was measured
        before."""
        path = self.checkpoints / "score.json"
        if path.exists():
            return SimilarityResult.read(path)
        self.report("score", 0, 1)
        profile = Profile()
        score = score_training_images(
            self.data.images(profile.images, should_stop=self.should_stop),
            self.data,
            splits.Part(self.split["train"], self.config.seed),
            grouping,
            profile=profile,
            seed=self.config.seed,
            report=under(self.report, "score"),
            should_stop=self.should_stop,
        )
        if score.stopped:
            raise Stopped
        score.write(path)
        return SimilarityResult.read(path)  # with every key, as a resumed run finds it

    def generator_trained_or_loaded(self, examiner: Classifier, until: float = 1.0) -> TrainedGenerator:
        """Trained on the imbalanced training split, or loaded when it was trained before.

        examiner: the classifier whose features show how good the generator is while it trains; until: the
        share of its training, which another call goes on with.
        """
        number = (self.generator,) if self.generator else ()
        folder = self.checkpoints / "-".join(["generator", *map(str, number)])
        config = self.config.generator
        done = folder / "figures.json"
        if done.exists():
            return TrainedGenerator(generators.load(folder, str(self.device)), read_json(done))
        generator, real = generators.create(config), self.real
        figures = generator.train(
            real.images,
            real.labels,
            self.data.class_names,
            folder,
            seed=derive("generator", self.config.seed, *number),
            device=str(self.device),
            report=self.report,
            should_stop=self.should_stop,
            assess=quality.Assessment(
                lambda images: (examiner.features(images), examiner.predict_logits(images)),
                real.images,
                real.labels,
                self.classes,
            ),
            until=until,
            processes=self.config.generator_processes,
        )
        if until == 1.0:
            generator.save(folder)
            write_json(done, figures)
        return TrainedGenerator(generator, figures)

    def arm(self, stage: str, name: str, training_set: Callable[[int], TrainingSet], **more: Any) -> Arm:
        """One arm alone. more: the other fields of its order."""
        return self.arms(stage, [Order(name, training_set, **more)])[0]

    def arms(self, stage: str, orders: Sequence[Order]) -> list[Arm]:
        """The classifiers of all orders and seeds, trained or loaded: together, so that no core waits while
        another arm's last seed is trained."""
        units = [(order, seed) for order in orders for seed in order.seeds or self.seeds]
        steps = {order.unit(seed): self.steps_of(order) for order, seed in units}
        finished = {unit: n for unit, n in steps.items() if n and self.path_of(unit).exists()}
        tally = Tally(self.report, stage, steps, finished)
        jobs = [
            Job(f"classifier '{order.title}', seed {seed}", partial(self._classifier, order, seed, tally))
            for order, seed in units
        ]
        found = classifiers.train_many(
            jobs, device=self.device, report=self.report, should_stop=self.should_stop
        )
        made = iter(found)
        return [
            self._arm(order, {seed: next(made) for seed in order.seeds or self.seeds}) for order in orders
        ]

    def _arm(self, order: Order, made: Mapping[int, Classifier]) -> Arm:
        """What the classifiers of an order do on validation."""
        correct = np.array([self.evaluate(each, "val").correct for each in made.values()])
        return Arm(order.recipe, order.value, order.way, order.step, made, correct)

    @property
    def steps(self) -> int:
        """SGD steps of a training: the same for every variant."""
        return self.config.classifier.steps_for(len(self.real.images))

    def steps_of(self, order: Order) -> int:
        """SGD steps that an order costs a seed, fewer or more than the others' where another classifier is
        used again."""
        if not order.recipe.trains:
            return 0
        own = head_steps(self.steps) if order.recipe.second_stage else self.steps
        return own + (head_steps(self.steps) if order.second != "none" else 0)

    def path_of(self, unit: str) -> Path:
        """The file of a trained classifier."""
        of = f"generator{self.generator}-" if self.generator else ""
        return self.checkpoints / f"classifier-{of}{unit}.safetensors"

    def _classifier(
        self, order: Order, seed: int, tally: Tally, report: Report, should_stop: ShouldStop
    ) -> Classifier:
        """The classifier of this order and seed, through all its stages; each is trained once."""
        path, unit = self.path_of(order.unit(seed)), order.unit(seed)
        told = under(tally.of(unit, report), "", variant=order.title, seed=seed)
        if order.second == "none":
            return self._first_stage(order, seed, told, should_stop)
        if path.exists():
            return classifiers.load(path, self.classes, self.config.classifier, self.device)
        real = self.real_without(order.held)
        first = self._first_stage(order.first_stage(), seed, told, should_stop)
        classifier = trained(
            replace(order.recipe, second_stage=True),
            order.value,
            real,
            self.classes,
            self.config.classifier,
            seed=seed,
            steps=self.steps,
            plain=first,
            again=order.second,
            checkpoint=path.with_suffix(".training"),
            device=self.device,
            report=under(tally.of(unit, report, after=self.steps), "", variant=order.title, seed=seed),
            should_stop=should_stop,
        )
        classifier.save(path)
        return classifier

    def _first_stage(self, order: Order, seed: int, told: Report, should_stop: ShouldStop) -> Classifier:
        """Trained, taken from another run, or loaded when it was trained before."""
        config, recipe, unit = self.config.classifier, order.recipe, order.unit(seed)
        path = self.path_of(unit)
        if recipe.trains and path.exists():
            return classifiers.load(path, self.classes, config, self.device)
        training, steps = order.training_set(seed), self.steps
        checkpoint = path.with_suffix(".training")
        real = self.real_without(order.held)
        if recipe.trains and training is real:
            index = self.index_without(order.held)
            decided_by = self.decides(index, recipe.key, order.value, seed, steps)
            if trained_by := self.shared.take(path, decided_by):
                told("", steps, steps, shared_with=trained_by)
                return classifiers.load(path, self.classes, config, self.device)
            self.shared.note(path, decided_by, begun=checkpoint.exists())
        classifier = trained(
            recipe,
            order.value,
            training,
            self.classes,
            config,
            seed=seed,
            steps=steps,
            plain=order.plain.classifiers[seed] if order.plain else None,
            normalise_on=real.images,
            checkpoint=checkpoint,
            device=self.device,
            report=told,
            should_stop=should_stop,
        )
        if recipe.trains:
            classifier.save(path)
        return classifier

    def evaluate(self, classifier: Classifier, part: str) -> Evaluation:
        """On one part of the split."""
        return classifier.evaluate(*self.part(part))
