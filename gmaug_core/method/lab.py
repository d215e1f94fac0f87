"""The material of an experiment: a dataset prepared for one config, and units of work on it, each remembered
as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig, Profile, image_format
from gmaug_core.config.runs import SecondStage
from gmaug_core.data import balance, samples, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.views import View
from gmaug_core.errors import Stopped
from gmaug_core.files import read_json, write_json
from gmaug_core.hooks import Report, ShouldStop, under
from gmaug_core.method.pool import Pool, Synthetic
from gmaug_core.method.progress import Tally
from gmaug_core.method.recipes import RECIPES, Recipe, TrainingSet
from gmaug_core.method.score import score_training_images
from gmaug_core.method.shared import Folders, Shared, decides
from gmaug_core.method.training import head_steps, trained
from gmaug_core.method.ways import Way
from gmaug_core.models import classifiers, generators, quality
from gmaug_core.models.classifiers import Classifier, Evaluation, Job
from gmaug_core.models.devices import arithmetic, pick_device
from gmaug_core.models.generators import Generator
from gmaug_core.scoring.result import SimilarityResult
from gmaug_core.seeds import derive

PLAIN = RECIPES["plain"]


@dataclass(frozen=True)
class Arm:
    """One way of training, done with every seed, and what came of it on validation.

    value: of the recipe's parameter; way, step: how synthetic images joined the real ones, and of which step
    (None and 0: real images alone); correct: bool [seeds, images of the validation part].
    """

    recipe: Recipe
    value: float
    way: Way | None
    step: int
    classifiers: Mapping[int, Classifier]
    correct: NDArray[np.bool_]

    @property
    def validation(self) -> float:
        """Accuracy on the validation part, mean over seeds: what chooses between arms."""
        return float(self.correct.mean())


@dataclass(frozen=True)
class Order:
    """An arm that is to be trained.

    name: of the images and the recipe, for files; training_set: by seed; plain: the arm on the same sets by
    the plain recipe, for recipes that start from it; seeds: of its classifiers, where they are not the run's;
    the rest: as in Arm.
    """

    name: str
    training_set: Callable[[int], TrainingSet]
    recipe: Recipe = PLAIN
    value: float = 1.0
    plain: Arm | None = None
    way: Way | None = None
    step: int = 0
    seeds: tuple[int, ...] | None = None

    @property
    def title(self) -> str:
        """Its name with the way in which synthetic images are used."""
        return f"{self.name}-{self.way.key}" if self.way else self.name

    def unit(self, seed: int) -> str:
        """The name of its classifier of one seed."""
        return f"{self.title}-{seed}"

    @property
    def second(self) -> SecondStage:
        """What is trained again on real images alone, when the training on all is over; a recipe that starts
        from a plain classifier starts from one that has been through this."""
        return self.way.second if self.way and not self.recipe.starts_from_plain else "none"

    def first_stage(self) -> Order:
        """The same without a second stage."""
        return replace(self, way=replace(self.way, second="none")) if self.way else self


def best(arms: Iterable[Arm]) -> Arm:
    """The best on validation, the first of equals."""
    return max(arms, key=lambda arm: arm.validation)


@dataclass(frozen=True)
class TrainedGenerator:
    """The run's generator, with the figures of its training (keys of parts.generator.GeneratorFigures)."""

    model: Generator
    figures: dict[str, Any]


@dataclass
class Lab:
    """The dataset prepared for one config. images: uint8, all of them; split: indices of train, val and
    test; others: folders of other runs' units, which are taken where they are the same; generator: which one
    draws the synthetic images, from 0."""

    config: AugmentationConfig
    data: Dataset
    out_dir: Path
    report: Report
    should_stop: ShouldStop
    images: NDArray[np.uint8]
    split: splits.Parts
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
    ) -> Lab:
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

    @property
    def checkpoints(self) -> Path:
        """The folder of finished and half finished units of work."""
        return self.out_dir / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of what was drawn by this generator; the first one's is what people look through."""
        folder = self.out_dir / "samples"
        return folder / f"generator-{self.generator}" if self.generator else folder

    def of(self, generator: int) -> Lab:
        """The same with the images of another generator."""
        return replace(self, generator=generator)

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
        return np.asarray(np.ceil(self.wanted * amount), np.int64)

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

    # units of work

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
        first = self._first_stage(order.first_stage(), seed, told, should_stop)
        classifier = trained(
            replace(order.recipe, second_stage=True),
            order.value,
            self.real,
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
        if recipe.trains and training is self.real:
            decided_by = self.decides(self.split["train"], recipe.key, order.value, seed, steps)
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
            normalise_on=self.real.images,
            checkpoint=checkpoint,
            device=self.device,
            report=told,
            should_stop=should_stop,
        )
        if recipe.trains:
            classifier.save(path)
        return classifier

    def part(self, name: str) -> tuple[View, NDArray[np.int64]]:
        """Images and labels of one part of the split: train, val or test."""
        index = self.split[name]
        return View([self.images], index), self.data.labels[index]

    def evaluate(self, classifier: Classifier, part: str) -> Evaluation:
        """On one part of the split."""
        return classifier.evaluate(*self.part(part))

    def drawn(self, step: int) -> bool:
        """Whether this step was drawn to its end."""
        return step in samples.steps(self.samples)

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
