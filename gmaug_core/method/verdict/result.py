"""What a verdict run leaves behind, as a document, without torch.

Accuracies are shares, 0 ... 1, of validation images: no verdict looks at a test image. Gains are in
percentage points of the deciding measure; intervals are 95 % ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from gmaug_core.config.documents import Document, Migration, Part
from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.parts.synthetic import Passed
from gmaug_core.method.verdict.figures import (
    Accuracies,
    Ceiling,
    Curve,
    Figure,
    Headroom,
    Learner,
    MeasureKey,
)

VerdictKey = Literal[
    "train_longer", "no_generator_needed", "too_little", "not_visible", "small_run", "full_run"
]


class FastReading(Part):
    """The reading by the fast learner: random convolutional patches and ridge regression."""

    images: int
    """Training images that it used."""
    validated: int
    """Validation images that it was measured on."""
    size: int
    """Pixels a side at which it looked at them."""
    features: int
    """Numbers an image was turned into."""
    ridge: float
    """Strength of the ridge, chosen on validation."""
    accuracies: Accuracies
    """With all of these images, trained plainly."""
    curves: tuple[Curve, ...]
    """Its learning curves."""
    seconds: float
    """How long it took."""


class Rung(Part):
    """The classifier trained for one length on all real images."""

    steps: int
    """Steps of the optimiser."""
    epochs: float
    """The same as passes over the real training images."""
    seeds: int
    """Trainings."""
    accuracies: Accuracies
    """On validation."""
    training_accuracy: float
    """Accuracy on the training images themselves, 0 ... 1: near the other one, it is not trained enough."""


class Length(Part):
    """Whether the classifier is trained enough to tell anything."""

    planned: int
    """Steps that the augmentation run would train each classifier."""
    rungs: tuple[Rung, ...]
    """By growing length."""
    longer: Figure | None
    """What the best longer training adds over the planned one, paired by image; null: no longer one was
    measured."""
    best: int
    """Steps of the length with the best validation accuracy."""
    used: int
    """Steps at which the other figures of this document were measured."""


class FreeRecipe(Part):
    """One way of training without a generator."""

    key: str
    """Key of the recipe (method.recipes)."""
    label: str
    """The same in words."""
    setting: str
    """The candidate that was best on validation, in words; empty where there is one alone."""
    learner: Learner
    """What was trained."""
    seeds: int
    """Trainings."""
    accuracies: Accuracies
    """On validation."""
    gain: Figure
    """Over plain training, in percentage points of the deciding measure, paired by image and seed."""


class Free(Part):
    """The best that needs no generator."""

    best: str
    """Key of the best recipe on validation; plain where none is surely better than plain training."""
    recipes: tuple[FreeRecipe, ...]
    """All that were tried, the best first."""


class Buy(Part):
    """One way of seeing smaller gains."""

    key: Literal["seeds", "folds", "images"]
    """More seeds, every image tested once (cross-validation), or more test images."""
    label: str
    """The same in words."""
    seeds: int
    """Seeds."""
    test_images: int
    """Test images."""
    smallest: float
    """Smallest gain that would be visible, in percentage points."""


class Variances(Part):
    """How the paired difference of two ways of training varies, of one seed and one image, in squared
    percentage points (method.power.Spread)."""

    seed: float
    """Of a seed's true mean difference."""
    image: float
    """Of an image's true mean difference over seeds."""
    both: float
    """Of what is left: a seed on an image."""
    degrees: float | None = None
    """Of freedom that the first rests on; null in a verdict from before they were kept: taken as known."""
    measured_images: int | None = None
    """Validation images that they were measured on; null as above."""
    means: float | None = None
    """Over seeds, of the mean over these images, which the first is taken from; null as above."""


class Seen(Part):
    """The smallest gain that the run could tell from nothing: found in 80 % of runs by its own paired
    test."""

    learner: Learner
    """Whose spread it rests on."""
    test_images: int
    """Test images of the split."""
    seeds: int
    """Classifier seeds of the run."""
    disagreement: float
    """Share of validation images on which two trainings that differ by their seed alone disagree in being
    right."""
    seed_deviation: float
    """Standard deviation over seeds of the paired difference, in percentage points."""
    variances: Variances | None = None
    """What other numbers of seeds and test images would see follows from these; null where they were not
    kept."""
    trainings: int | None = None
    """Trainings that it rests on; null in a verdict from before they were counted."""
    smallest: float
    """Smallest visible gain in percentage points: found with `power` on average over what the seeds' variance
    may be."""
    smallest_low: float | None = None
    """What could be seen were that variance at the lower end of its 95 % interval; null as above."""
    smallest_high: float | None = None
    """The same at the upper end."""
    smallest_percent: float | None
    """The same relative to the control's accuracy, in percent; null where that is 0."""
    power: float
    """Probability with which a gain of this size is found, 0 ... 1."""
    buys: tuple[Buy, ...]
    """What would make it smaller."""

    @property
    def rests(self) -> str:
        """How far the smallest visible gain is known, and from how many trainings; empty where untold."""
        if self.trainings is None or self.smallest_low is None or self.smallest_high is None:
            return ""
        return (
            f" (95 % interval {self.smallest_low:.1f} to {self.smallest_high:.1f}: what a seed does is known "
            f"from {self.trainings} trainings)"
        )


class LawRecord(Part):
    """One earlier prediction of the law, and what was measured."""

    name: str
    """The dataset or run."""
    source: Literal["benchmark", "own run"]
    """Who measured it."""
    score: float
    """SSIM-supSubCls."""
    predicted_percent: float
    """Relative gain that the law says of this score, in percent."""
    measured_percent: float
    """Relative gain that was measured, in percent."""


class LawReading(Part):
    """The published law's prediction, one witness among four, with its record."""

    score: float
    """SSIM-supSubCls of the training images."""
    profile: str
    """Size, colour and window that they were compared at."""
    predicted: Figure | None
    """Relative gain in percent; null where the law does not hold for this score."""
    refused: str | None
    """Why it does not hold, in words."""
    record: tuple[LawRecord, ...]
    """How its predictions did."""


class Equivalence(Part):
    """What synthetic images were worth as real ones, once that was measured."""

    run: str
    """The run that measured it."""
    dataset_name: str
    """Of which dataset."""
    same_dataset: bool
    """Whether that is the one that the verdict is about."""
    base: int
    """Real images that they were added to."""
    synthetic: int
    """Synthetic images: as near to what the run would add, a real image, as was measured."""
    real: float | None
    """Real images that add as much; null where that is no number (words says what it is)."""
    words: str
    """The same with its interval, as a sentence."""
    gain: Figure | None
    """What the run's images would add by it and the learning curve, in percentage points of the deciding
    measure; null where it is refused."""
    refused: str | None
    """Why, in words; null where it is not."""
    warnings: tuple[str, ...]
    """What speaks against reading it so, in words."""


class Expected(Part):
    """What the run may be expected to add, by what synthetic images were worth where that was measured."""

    source: Literal["record", "equivalence"]
    """This program's record of runs like it on other datasets, or an equivalence run on this one."""
    gain: Figure
    """In percentage points of the deciding measure over the best that is free."""
    by: str
    """What was measured, in words."""


class Decided(Part):
    """The figure that decided, and what it was held against."""

    name: str
    """What it is, in words."""
    value: float | None
    """Its value; null where no projection was possible."""
    limit: float | None
    """What it was compared with; null where with nothing."""
    unit: Literal["points", "minutes"]
    """Of both."""


class Words(Part):
    """One verdict in words."""

    key: VerdictKey
    """Which of the six."""
    sentence: str
    """The verdict."""
    decided_by: Decided
    """The number that decided it."""
    change: str
    """What would change it."""


class Filter(Part):
    """What the run's filter would do with real images: the classifier that judges synthetic ones is trained
    by then."""

    rule: str
    """The filter, in words."""
    passed: Passed
    """Real validation images that it lets pass, gates aside."""


def _first_form(document: dict[str, Any]) -> dict[str, Any]:
    """No equivalence was told then, and no variances, so that only its own seeds are known: both null."""
    return document | {"seen": document["seen"] | {"variances": None}}


def _second_form(document: dict[str, Any]) -> dict[str, Any]:
    """What the smallest visible gain rests on was not told: not measured."""
    untold = {"trainings": None, "smallest_low": None, "smallest_high": None}
    return document | {"seen": document["seen"] | untold}


def _third_form(document: dict[str, Any]) -> dict[str, Any]:
    """Every synthetic image counted as a real one: nothing was expected but the headroom."""
    return document | {"expected": None}


def _fourth_form(document: dict[str, Any]) -> dict[str, Any]:
    """Nobody asked then what the filter does with real images."""
    return document | {"filter": None}


class Verdict(Document):
    """What a verdict run found: can it be gained, can it be seen, what is free, and one verdict in words."""

    TITLE = "verdict"
    FILE = "result.json"
    FIRST: ClassVar[str] = "first.json"  # the fast reading of a full one, from its first half minute on
    SCHEMA = 5
    MIGRATIONS: ClassVar[Mapping[int, Migration]] = {
        1: _first_form,
        2: _second_form,
        3: _third_form,
        4: _fourth_form,
    }

    run: str
    """The run: the name of its folder."""
    kind: Literal["verdict"] = "verdict"
    """The kind of run."""
    dataset: str
    """The dataset's id."""
    dataset_name: str
    """Its name, as people see it."""
    preset: str
    """Of the augmentation run that it is about."""
    size: int
    """Pixels a side at which that run trains."""
    splits: SplitSizes
    """Images of the three-way split that the run would use."""
    counts: dict[str, int]
    """Real training images a class."""
    imbalance_ratio: float
    """Largest over smallest training class."""
    measure: MeasureKey
    """The deciding measure: balanced accuracy where the imbalance ratio is 2 or more, else accuracy."""
    first: FastReading
    """The reading in the first seconds."""
    seen: Seen
    """What can be seen."""
    length: Length | None
    """Whether the classifier is trained enough; null in a fast reading."""
    ceiling: Ceiling
    """What can be gained."""
    free: Free
    """What is free."""
    filter: Filter | None
    """What the run's filter would do with real images; null in a fast reading."""
    law: LawReading | None
    """What the published law says; null where no score was measured."""
    equivalence: Equivalence | None
    """What synthetic images are worth as real ones; null until it was measured."""
    headroom: Headroom
    """Ceiling minus the best of what is free."""
    expected: Expected | None
    """What synthetic images may be expected to give of it; null where nothing like the run was measured."""
    verdict: Words
    """The answer."""
    skipped: tuple[str, ...]
    """What the time did not allow or could not be measured, in words."""
    seconds: float
    """How long the reading took: of its last attempt, where it was stopped and gone on with."""
