"""What an equivalence run trains: bases, amounts, cells. Known before anything is trained, refused at the
door where the real images do not suffice. Without torch.

A base is drawn once, by the run's seed, and a smaller one is a part of a larger one; what is added to it is
drawn by a cell's seed. Within a base size every training takes the same steps, as many as the largest set of
real images needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import EquivalenceConfig
from gmaug_core.errors import InputError
from gmaug_core.method.equivalence.result import Source, Way
from gmaug_core.seeds import derive

Counts = NDArray[np.int64]
ACCEPTED = 0.5  # share of the draws that a cost estimate takes to be accepted
NAMED = 5  # classes that a refusal names
WORDS: dict[Source, str] = {
    "real": "real",
    "closed": "synthetic",
    "open": "synthetic",
    "folder": "made elsewhere",
    "noise": "noise",
    "disguised": "real as if synthetic",
}


@dataclass(frozen=True)
class Base:
    """A base. size: real images a class, as asked for; counts: int [classes], what it has; steps: of every
    training on it."""

    size: int
    counts: Counts
    steps: int

    @property
    def total(self) -> int:
        """Images of all classes."""
        return int(self.counts.sum())

    def times(self, multiple: float) -> Counts:
        """Images a class, int [classes], of this multiple of the base."""
        return np.asarray(np.floor(self.counts * multiple + 0.5), np.int64)


@dataclass(frozen=True)
class Training:
    """One cell: a classifier on a base and what was added to it.

    multiple: of the base; below 0 so much of it is left out. generator: seed of the generator, None where
    none made the images.
    """

    size: int
    seed: int
    source: Source = "none"
    way: Way = "none"
    generator: int | None = None
    multiple: float = 0.0

    @property
    def name(self) -> str:
        """Of its file."""
        made = "" if self.generator is None else f"-g{self.generator}"
        return f"{self.size}-{self.source}-{self.way}-{self.multiple:g}{made}-{self.seed}"

    @property
    def words(self) -> str:
        """What it is, for people who watch it."""
        base = f"{self.size} a class, seed {self.seed}"
        if self.source == "none":
            return f"{base}, the base alone"
        if self.multiple < 0:
            return f"{base}, without {-self.multiple:g} of the base"
        how = "in its place" if self.way == "substituted" else "times as many added"
        made = "" if self.generator is None else f" of generator {self.generator}"
        return f"{base}, {self.multiple:g} {how}: {WORDS[self.source]}{made}"


@dataclass(frozen=True)
class Plan:
    """bases: ascending; seeds, generators: of classifiers and of generators; trainings: by seed first, so
    that a run that was stopped has the whole design with fewer seeds."""

    bases: tuple[Base, ...]
    seeds: tuple[int, ...]
    generators: tuple[int, ...]
    trainings: tuple[Training, ...]

    def base(self, size: int) -> Base:
        """The base of this size."""
        return next(base for base in self.bases if base.size == size)

    def wanted(self, config: EquivalenceConfig, base: Base) -> Counts:
        """Synthetic images that one generator of a base has to bring, int [classes]."""
        return base.times(max(config.synthetic + config.substituted))

    def draws(self, config: EquivalenceConfig) -> int:
        """Images to draw in all, at the share of acceptance that an estimate takes."""
        each = sum(int(self.wanted(config, base).sum()) for base in self.bases)
        return round(each * len(self.generators) / ACCEPTED)

    @property
    def steps(self) -> int:
        """Steps of all trainings of classifiers together."""
        return sum(self.base(one.size).steps for one in self.trainings)


@dataclass(frozen=True)
class Pace:
    """Measured on the device that the run will have.

    training_seconds: of one generator; images_per_s: of drawing; steps_per_s: of a classifier, of all that
    train at once together.
    """

    training_seconds: float
    images_per_s: float
    steps_per_s: float


def minutes(plan: Plan, config: EquivalenceConfig, pace: Pace) -> dict[str, float]:
    """What the run will take, in minutes: training generators, drawing, training classifiers."""
    generators = len(plan.bases) * len(plan.generators)
    return {
        "generators": generators * pace.training_seconds / 60,
        "drawing": plan.draws(config) / pace.images_per_s / 60,
        "classifiers": plan.steps / pace.steps_per_s / 60,
    }


def make(config: EquivalenceConfig, counts: Counts, class_names: Sequence[str]) -> Plan:
    """counts: int [classes], training images. Raises InputError that names what would do where a base and
    the real images that are added to it are more than there are."""
    bases = tuple(_base(config, size, counts) for size in config.base_sizes)
    for base in bases:
        check(config, base, counts, class_names)
        check_stock(config, base, class_names)
    seeds = tuple(config.seed + k for k in range(config.seeds))
    generators = tuple(config.seed + k for k in range(config.generator_seeds))
    trainings = tuple(
        one for seed in seeds for base in bases for one in _cells(config, base, seed, generators, counts)
    )
    return Plan(bases, seeds, generators, trainings)


def _base(config: EquivalenceConfig, size: int, counts: Counts) -> Base:
    if config.proportions == "balanced":
        own = np.full(len(counts), size, np.int64)
    else:
        own = np.maximum(np.asarray(size * len(counts) * counts / counts.sum(), np.int64), 1)
    base = Base(size, own, 1)
    largest = base.total + int(base.times(max(config.real)).sum())
    return Base(size, own, config.classifier.steps_for(largest))


def source(config: EquivalenceConfig) -> Source:
    """What the run's generators are: a folder of images made elsewhere, or open where training starts from a
    file that saw other images."""
    if config.generator.stock:
        return "folder"
    return "open" if config.generator.files() else "closed"


def check(config: EquivalenceConfig, base: Base, counts: Counts, class_names: Sequence[str]) -> None:
    """Raises InputError where the real images do not suffice for this base, or an amount is no image."""
    least = min(config.real + config.synthetic + config.substituted)
    if not base.times(least).any():
        raise InputError(
            f"{least:g} times a base of {base.size} images a class is not one image",
            expected="amounts that add at least an image to every base",
            todo="leave the smallest amounts out, or ask for larger bases",
        )
    short = np.flatnonzero(base.counts + base.times(max(config.real)) > counts)
    if not len(short):
        return
    names = [f"{class_names[label]} (has {int(counts[label])})" for label in short[:NAMED]]
    more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
    room = int((counts / (1 + max(config.real))).min())
    most = float((counts / base.counts).min() - 1)
    ways = [f"base sizes of at most {room}"] if room >= 1 and config.proportions == "balanced" else []
    if most >= 0.1:
        ways.append(f"real multiples of at most {int(10 * most) / 10:g}")
    if config.proportions == "balanced":
        ways.append("proportions natural")
    raise InputError(
        f"a base of {base.size} images a class and {max(config.real):g} times as many added are more than "
        f"there are to train on of {', '.join(names)}{more}",
        expected="real images that are held back from the base, to be added to it",
        todo="ask for " + (", or ".join(ways) if ways else "a smaller base, or import more images"),
    )


def check_stock(config: EquivalenceConfig, base: Base, class_names: Sequence[str]) -> None:
    """Raises InputError where images made elsewhere are fewer than the largest amount of them needs."""
    stock = np.array(config.generator.stock, np.int64)
    largest = max(config.synthetic + config.substituted)
    if not len(stock):
        return
    short = np.flatnonzero(base.times(largest) > stock)
    if not len(short):
        return
    names = [f"{class_names[label]} (has {int(stock[label])})" for label in short[:NAMED]]
    more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
    enough = int(10 * float((stock / base.counts).min())) / 10
    ways = [f"--set synthetic=[{enough:g}]"] if enough >= 0.1 else []
    raise InputError(
        f"{largest:g} times a base of {base.size} images a class are more than the images made elsewhere of "
        f"{', '.join(names)}{more}",
        expected="as many images of each class as the largest amount that is added",
        todo="bring more images, or ask for " + ", or ".join([*ways, "a smaller base"]),
    )


def _cells(
    config: EquivalenceConfig, base: Base, seed: int, generators: Sequence[int], counts: Counts
) -> list[Training]:
    """All trainings of one seed on one base."""
    found = [Training(base.size, seed)]
    found += [Training(base.size, seed, "real", "added", None, multiple) for multiple in config.real]
    found += [Training(base.size, seed, "real", "added", None, -share) for share in config.substituted]
    of = source(config)
    for generator in generators:
        found += [Training(base.size, seed, of, "added", generator, m) for m in config.synthetic]
        found += [Training(base.size, seed, of, "substituted", generator, m) for m in config.substituted]
    held = float(((counts - base.counts) / base.counts).min())
    for check_of in config.checks:
        most = held / 2 if check_of == "disguised" else np.inf  # others than those of the real cells
        found += [
            Training(base.size, seed, check_of, "added", None, m) for m in config.synthetic if m <= most
        ]
    return found


@dataclass(frozen=True)
class Drawn:
    """Which training images a seed has on a base: positions among the training images, a list of [n] a class.

    base: what is left out goes from its end; held: not in the base, what is added comes from its beginning.
    """

    base: Sequence[NDArray[np.int64]]
    held: Sequence[NDArray[np.int64]]

    @classmethod
    def by(cls, base: Base, labels: NDArray[np.int64], run_seed: int, seed: int) -> Drawn:
        """labels: int [n], of the training images."""
        rng = np.random.default_rng(derive("equivalence base", run_seed))
        orders = [rng.permutation(np.flatnonzero(labels == label)) for label in range(len(base.counts))]
        own = np.random.default_rng(derive("equivalence additions", run_seed, base.size, seed))
        sides = [
            (own.permutation(o[:n]), own.permutation(o[n:])) for o, n in zip(orders, base.counts, strict=True)
        ]
        return cls([side[0] for side in sides], [side[1] for side in sides])

    @property
    def held_from_behind(self) -> Sequence[NDArray[np.int64]]:
        """The same, the last one first: for who wants others than the first."""
        return [own[::-1] for own in self.held]


def first(of: Sequence[NDArray[np.int64]], counts: Counts) -> NDArray[np.int64]:
    """The first so many of each class, class after class."""
    return np.concatenate([own[:n] for own, n in zip(of, counts.tolist(), strict=True)])
