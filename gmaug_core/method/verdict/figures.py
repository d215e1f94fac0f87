"""What a verdict counts: accuracies, the learning curves of real images, and what these say of other amounts.
Accuracies are shares, 0 ... 1; gains are in percentage points; intervals are 95 % ones."""

from __future__ import annotations

from typing import Literal

from gmaug_core.config.documents import Part

MeasureKey = Literal["accuracy", "balanced_accuracy"]
MEASURE_WORDS: dict[MeasureKey, str] = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}
Learner = Literal["fast", "classifier"]


class Figure(Part):
    """A figure with its 95 % interval."""

    value: float
    """The figure, in percentage points unless its key says percent."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""


class Accuracies(Part):
    """The three ways of counting what a classifier gets right, mean over seeds."""

    accuracy: float
    """Share of validation images that it puts in their class, 0 ... 1."""
    balanced_accuracy: float
    """Mean over classes of their recall, 0 ... 1."""
    tail_accuracy: float
    """Mean recall of the third of the classes with the fewest training images, 0 ... 1."""


class CurvePoint(Part):
    """One amount of real training images, all seeds together."""

    growth: float
    """The varied images as a multiple of those that there are: 0.5 is half of them, 1 all."""
    images: int
    """Real training images at this point, all classes together."""
    seeds: int
    """Trainings, each with its own draw of images."""
    accuracies: Accuracies
    """On validation, mean over seeds."""


class Fit(Part):
    """One form fitted through a learning curve's points."""

    form: Literal["offset power law", "piecewise linear in log n"]
    """What was fitted."""
    error: float
    """Root mean square distance from the points, in percentage points."""
    twice: float
    """What it says twice as many images add, in percentage points."""


class Curve(Part):
    """A learning curve of real images on validation."""

    of: Literal["everything", "rare"]
    """Which images are varied: all alike, or those of the classes with fewer than the largest alone."""
    learner: Learner
    """What was trained: the fast learner, or the run's own classifier."""
    recipe: str
    """Key of the way of training (method.recipes; plain: nothing done against the imbalance)."""
    points: tuple[CurvePoint, ...]
    """By growing amount."""
    fits: tuple[Fit, ...]
    """Both forms, of the deciding measure; empty where there are fewer than three points."""


class Projection(Part):
    """What more images would add if every one of them were a new real one."""

    key: Literal["quarter", "twice", "balance", "run"]
    """A quarter more of everything, twice everything, every class as large as the largest, what the run
    would add."""
    label: str
    """The same in words."""
    curve: Literal["everything", "rare"]
    """The curve that it continues."""
    growth: float
    """How far: the varied images as a multiple of those that there are (their geometric mean over
    classes)."""
    added: int
    """How many images that is."""
    gain: Figure | None
    """In percentage points of the deciding measure over what there is now; null where it is refused."""
    refused: str | None
    """Why the curve allows no projection, in words; null where it does."""
    at_most: float | None
    """Upper end of what it can be in percentage points, also where no projection is given; null: unknown."""


class Ceiling(Part):
    """What more real images would be worth: no synthetic image is taken to be worth more than a real one."""

    learner: Learner
    """Whose curves the projections continue."""
    curves: tuple[Curve, ...]
    """What was measured."""
    projections: tuple[Projection, ...]
    """What that says of amounts that are not there."""


class Headroom(Part):
    """What a perfect generator could add over the best that is free."""

    projection: Literal["quarter", "twice", "balance", "run"]
    """The projection that it is read from."""
    over: str
    """Key of the recipe that its curve was measured with; a better one is taken to leave as much."""
    gain: Figure | None
    """In percentage points of the deciding measure; null where the curve allows no projection."""
    percent: float | None
    """Its value relative to the control's, in percent; null with the gain."""
    at_most: float | None
    """Upper end in percentage points; null where the curve does not even say that."""
