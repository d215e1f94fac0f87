"""The reading of the first seconds by the fast learner: learning curves, what is free, how seeds spread."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.views import Images
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.verdict import curve, features
from gmaug_core.method.verdict.counting import Counting, Right
from gmaug_core.method.verdict.curve import Of, Points
from gmaug_core.method.verdict.figures import Curve, CurvePoint
from gmaug_core.method.verdict.result import FastReading, Free, FreeRecipe
from gmaug_core.seeds import derive

SIZE = 32  # pixels a side at most: where its patches were measured
MOST_TRAINED, MOST_VALIDATED = 12_000, 2_000  # images: what thirty seconds allow
LEAST_A_CLASS = 50  # that a class keeps where images are left out
COARSE = 5_000  # images from which patches lie three pixels apart instead of two
SEEDS, SEEDS_OF_MANY = 4, 3
GROWTHS = (0.125, 0.25, 0.5, 1.0)
LEAST_IMAGES = 2.0  # a class on average, at the smallest growth
RARE_FROM = 1.25  # imbalance ratio from which there are rare classes to grow
KINDS: tuple[Of, ...] = ("everything", "rare")
SHARE = 0.6  # of the filters, drawn anew a seed
RIDGES = np.array([0.1, 0.3, 1.0, 3.0])  # a feature; of these validation chooses
EXPONENTS = (0.5, 1.0)  # of class weights n ** -exponent


@dataclass(frozen=True)
class First:
    """The reading, and what later parts count with.

    points: the learning curves as measured, by what is varied; differences: of all images over half of them,
    [seeds, images] in percentage points; rights: of every way of training on all images.
    """

    reading: FastReading
    free: Free
    points: dict[Of, Points]
    differences: NDArray[np.float64]
    rights: tuple[Right, ...]
    counting: Counting


@dataclass(frozen=True)
class Learner:
    """Features of what is trained on and of what is validated on; a seed has its own share of the filters."""

    train: features.Floats  # [n, filters, numbers]
    validate: features.Floats
    labels: NDArray[np.int64]
    counting: Counting

    def right(self, index: NDArray[np.int64], seed: int, exponent: float) -> NDArray[np.bool_]:
        """bool [ridges, validation images]. exponent: of the class weights, 0 for none."""
        rng = np.random.default_rng(derive("verdict share", seed))
        filters = self.train.shape[1]
        picked = np.sort(rng.choice(filters, max(1, round(SHARE * filters)), replace=False))
        x = self.train[index][:, picked].reshape(len(index), -1)
        z = self.validate[:, picked].reshape(len(self.validate), -1)
        standard = features.Standard.of(x)
        labels, classes = self.labels[index], len(self.counting.counts)
        weights = None
        if exponent:
            present = np.bincount(labels, minlength=classes)
            weights = np.maximum(present, 1).astype(np.float64)[labels] ** -exponent
        ridges = RIDGES * x.shape[1] / 1000
        scores = features.ridge_scores(standard(x), labels, classes, standard(z), ridges, weights)
        return np.asarray(scores.argmax(axis=2) == self.counting.labels)


def first_reading(
    images: Images,
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    validate: NDArray[np.int64],
    classes: int,
    *,
    seed: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> First:
    """Seconds. images: uint8, all of the dataset at SIZE pixels or less; train, validate: int64 indices.

    Beyond MOST_TRAINED images a random part is used, every class down to LEAST_A_CLASS alike. Raises Stopped.
    """
    begun = time.monotonic()
    used = fewer(labels, train, classes, MOST_TRAINED, seed)
    seen = fewer(labels, validate, classes, MOST_VALIDATED, seed)
    counting = Counting(labels[seen], np.bincount(labels[used], minlength=classes))
    learner = looked_at(
        images, labels, used, seen, counting, seed=seed, report=report, should_stop=should_stop
    )
    work = Trainings(learner, report, should_stop)

    plain = work.all_images(0.0)
    recipes, exponents = [("plain", "Real images only, same augmentation", "", plain)], {"plain": 0.0}
    if counting.ratio >= RARE_FROM:
        tried = {each: work.all_images(each) for each in EXPONENTS}
        best = max(tried, key=lambda each: counting.value(tried[each].right))
        key, label = "class_balanced_loss", "Class-balanced loss (weights by class size)"
        recipes.append((key, label, f"weights n^-{best:g}", tried[best]))
        exponents[key] = best
    free = _free(recipes, counting)
    full = next(taken for key, *_, taken in recipes if key == free.best)

    kinds = KINDS if counting.ratio >= RARE_FROM else KINDS[:1]
    points = {of: work.curve(of, exponents[free.best], full) for of in kinds}
    everything = points["everything"].correct
    reading = FastReading(
        images=len(used),
        validated=len(seen),
        size=images.shape[1],
        features=int(np.prod(learner.train.shape[1:])),
        ridge=float(RIDGES[full.ridge]),
        accuracies=counting.accuracies(plain.right),
        curves=tuple(told(of, "fast", free.best, each, counting) for of, each in points.items()),
        seconds=time.monotonic() - begun,
    )
    half = everything[-2] if len(everything) > 1 else everything[-1]
    rights = tuple(taken.right for *_, taken in recipes)
    return First(reading, free, points, counting.differences(full.right, half), rights, counting)


def looked_at(
    images: Images,
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    validate: NDArray[np.int64],
    counting: Counting,
    *,
    seed: int = 0,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Learner:
    """Features of both parts by filters from the first. Raises Stopped."""
    features_of = features.extract(
        images[np.concatenate([train, validate])],
        features.random_bank(images[train], seed=seed),
        stride=3 if len(train) > COARSE else 2,
        report=under(report, "first"),
        should_stop=should_stop,
    )
    return Learner(features_of[: len(train)], features_of[len(train) :], labels[train], counting)


def fewer(
    labels: NDArray[np.int64], index: NDArray[np.int64], classes: int, most: int, seed: int
) -> NDArray[np.int64]:
    """At most about `most` of these images, ascending: all classes cut alike, none below LEAST_A_CLASS."""
    if len(index) <= most:
        return index
    counts = np.bincount(labels[index], minlength=classes)
    cut = np.rint(counts * most / len(index)).astype(np.int64)
    wanted = np.minimum(counts, np.maximum(cut, LEAST_A_CLASS))
    return np.asarray(index[curve.subset(labels[index], wanted, seed=seed)], np.int64)


@dataclass(frozen=True)
class Taken:
    """What all seeds of one training got right, at the ridge that is best on validation."""

    right: Right
    ridge: int


@dataclass
class Trainings:
    """Trainings of one learner, a few seeds each."""

    learner: Learner
    report: Report = no_report
    should_stop: ShouldStop = never
    done: int = 0

    @property
    def expected(self) -> int:
        """Trainings of a first reading, at most."""
        rare = self.learner.counting.ratio >= RARE_FROM
        ways = 1 + rare * len(EXPONENTS) + (1 + rare) * (len(GROWTHS) - 1)
        return len(self.seeds) * ways

    @property
    def seeds(self) -> range:
        """Fewer where there are many images: they spread less, and cost more."""
        return range(SEEDS if len(self.learner.labels) <= COARSE else SEEDS_OF_MANY)

    def each(self, subsets: list[NDArray[np.int64]], exponent: float) -> Taken:
        """One training a seed, each on its own images; exponent: of the class weights."""
        found = []
        for seed, index in enumerate(subsets):
            if self.should_stop():
                raise Stopped
            found.append(self.learner.right(index, seed, exponent))
            self.done += 1
            self.report("first", min(self.done, self.expected), self.expected, images=len(index))
        all_right = np.stack(found)  # [seeds, ridges, images]
        values = (all_right @ self.learner.counting.weights).mean(axis=0)
        ridge = int(values.argmax())
        return Taken(all_right[:, ridge], ridge)

    def all_images(self, exponent: float) -> Taken:
        """On all images, every seed."""
        return self.each([np.arange(len(self.learner.labels)) for _ in self.seeds], exponent)

    def curve(self, of: Of, exponent: float, full: Taken) -> Points:
        """The learning curve up to `full`, of all images."""
        counting, labels, measured = self.learner.counting, self.learner.labels, []
        for growth in GROWTHS[:-1]:
            wanted = curve.sizes(counting.counts, growth, of)
            if wanted.sum() < LEAST_IMAGES * len(counting.counts):
                continue
            subsets = [curve.subset(labels, wanted, seed=each) for each in self.seeds]
            measured.append((growth, self.each(subsets, exponent).right))
        measured.append((1.0, full.right))
        return Points(
            tuple(growth for growth, _ in measured),
            tuple(right for _, right in measured),
            counting.labels,
            counting.weights,
        )


def _free(recipes: list[tuple[str, str, str, Taken]], counting: Counting) -> Free:
    plain = recipes[0][3].right
    rows = [
        FreeRecipe(
            key=key,
            label=label,
            setting=setting,
            learner="fast",
            seeds=len(taken.right),
            accuracies=counting.accuracies(taken.right),
            gain=counting.gain(taken.right, plain),
        )
        for key, label, setting, taken in recipes
    ]
    rows.sort(key=lambda row: -row.gain.value)
    best = rows[0].key if rows[0].gain.low > 0 else "plain"
    return Free(best=best, recipes=tuple(rows))


def told(of: Of, learner: str, recipe: str, points: Points, counting: Counting) -> Curve:
    """A measured curve as the document has it."""
    return Curve.model_validate(
        {
            "of": of,
            "learner": learner,
            "recipe": recipe,
            "points": tuple(
                CurvePoint(
                    growth=growth,
                    images=int(curve.sizes(counting.counts, growth, of).sum()),
                    seeds=len(right),
                    accuracies=counting.accuracies(right),
                )
                for growth, right in zip(points.growth, points.correct, strict=True)
            ),
            "fits": curve.fits(points) if len(points.growth) >= 3 else (),
        }
    )
