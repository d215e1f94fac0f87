"""What an equivalence run leaves behind, as a document, without torch.

Accuracies are shares, 0 ... 1, of the test images; bands of curves are in percent; intervals are 95 % ones
over classifier seeds, generator seeds and test images, not over the draw of the base. Numbers of images are
of all classes together. Every training of one base size takes the same steps of the optimiser, whatever was
added: an exchange rate is one of images, not of training length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from gmaug_core.config.documents import Document, Migration, Part
from gmaug_core.method.parts.material import SplitSizes

EquivalenceMeasure = Literal["accuracy", "balanced_accuracy", "tail_accuracy"]
Way = Literal["none", "added", "substituted"]
Source = Literal["none", "real", "closed", "open", "folder", "noise", "disguised"]
AnswerKind = Literal["less", "number", "more"]
BaseEffect = Literal["more", "fewer", "unclear"]


class Shares(Part):
    """What classifiers put in their class, counted in three ways."""

    accuracy: float
    """Share of the test images, 0 ... 1."""
    balanced_accuracy: float
    """Mean over classes of their recall, 0 ... 1."""
    tail_accuracy: float
    """Mean recall of the third of the classes with the fewest images in the base, 0 ... 1."""


class Cell(Part):
    """One training: a base, what was added to it, and what the classifier got right."""

    base: int
    """Real images in the base."""
    seed: int
    """Seed of the classifier, and of the draw of what is added; the same ones in every cell of a base."""
    source: Source
    """Where the added images come from: none (the base alone), real ones held back from the base, a generator
    that saw the base alone (closed), one that saw other images too (open), a folder of images made elsewhere,
    plain noise, or real ones that went the way of synthetic ones (disguised: a check, worth 1.0 each)."""
    way: Way
    """Added to the base, or in the place of as many images of it (substituted: the total stays)."""
    generator: int | None
    """Seed of the generator; null where none made them."""
    added: int
    """Images added, or put in the place of real ones. Of real images below 0: so many fewer than the base."""
    steps: int
    """Steps of the optimiser."""
    shares: Shares
    """What it got right."""
    answers: int
    """The row of this training in the file of right answers."""


class CurvePlace(Part):
    """A fitted curve at one number of images."""

    added: float
    """Images added (below 0: left out)."""
    value: float
    """In percent of the measure."""
    low: float
    """Lower end of its band."""
    high: float
    """Upper end of its band."""


class MeasuredPoint(Part):
    """All trainings with one number of images added."""

    added: int
    """Images added."""
    value: float
    """Mean over seeds and generators, in percent of the measure."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""
    trainings: int
    """How many."""


class FittedCurve(Part):
    """Accuracy against images added to one base: what was measured, and the fitted curve with its band."""

    base: int
    """Real images in the base."""
    source: Source
    """What was added."""
    way: Way
    """How."""
    measure: EquivalenceMeasure
    """What is counted."""
    points: tuple[MeasuredPoint, ...]
    """By growing number of images; the base alone is the one at 0."""
    places: tuple[CurvePlace, ...]
    """The fitted curve, by growing number of images: the mean of both forms."""
    power_law_error: float
    """Root mean square distance of the offset power law from the points, in percentage points."""
    monotone_error: float
    """The same of the monotone curve."""


class Answer(Part):
    """A number of images, or that there is none."""

    kind: AnswerKind
    """A number; less than nothing (fewer real images would do as well as the base); or more than any number
    that was measured or may be extrapolated to."""
    images: float | None
    """The number; null unless the kind is number."""


class ExchangeRow(Part):
    """What a number of synthetic images is worth in real ones, added to one base."""

    base: int
    """Real images in the base."""
    source: Source
    """Where the synthetic images come from."""
    way: Way
    """Added to the base, or in the place of as many of its images."""
    measure: EquivalenceMeasure
    """What is counted."""
    synthetic: int
    """Synthetic images."""
    measured: bool
    """Whether trainings with this number were done; else it is read between two that were."""
    real: Answer
    """Real images that do as much: the middle of the resamples."""
    low: Answer
    """Lower end of its interval."""
    high: Answer
    """Upper end of its interval."""
    extrapolated: bool
    """Whether it rests on a curve beyond the real images that were measured."""
    gain: float
    """What the synthetic images add to the base, by the fitted curve, in percentage points of the measure."""


class ReverseRow(Part):
    """How many synthetic images do as much as a number of real ones, added to one base."""

    base: int
    """Real images in the base."""
    source: Source
    """Where the synthetic images come from."""
    measure: EquivalenceMeasure
    """What is counted."""
    real: int
    """Real images added."""
    synthetic: Answer
    """Synthetic images that do as much: the middle of the resamples; more: no number that was measured
    does."""
    low: Answer
    """Lower end of its interval."""
    high: Answer
    """Upper end of its interval."""
    most: int
    """The largest number of synthetic images that was measured."""


class Constant(Part):
    """A fitted constant with its 95 % interval; an end that is null is beyond what was looked at."""

    value: float
    """The constant."""
    low: float | None
    """Lower end of its interval."""
    high: float | None
    """Upper end of its interval."""


class LeftOut(Part):
    """One base size predicted by the published form fitted to the others."""

    base: int
    """Real images in the base."""
    points_error: float
    """Root mean square error of what it predicts for the added synthetic images, in percentage points."""
    images_ratio: float | None
    """Median over the amounts of the larger of predicted / direct and direct / predicted real images; null
    where no direct exchange is a number above nothing."""


class PublishedForm(Part):
    """n_syn / n_base = c1^(n_base / k) (c2^(n_real / n_base) - 1), fitted to all base sizes at once.

    c1 and k enter as ln(c1) / k alone, so no measurement tells them apart: k is set, and c1 is fitted.
    """

    source: Source
    """Where the synthetic images come from."""
    measure: EquivalenceMeasure
    """What is counted."""
    bases: tuple[int, ...]
    """Base sizes that it is fitted to."""
    k: float
    """Real images in the base by which c1 counts: set to the geometric mean of the base sizes."""
    c1: Constant | None
    """By how much more synthetic images are needed a k images of the base; null with one base size."""
    c2: Constant
    """How fast the need for synthetic images grows with the real ones that they replace; above 1."""
    base_effect: BaseEffect
    """Whether a larger base needs more or fewer synthetic images (a real one's worth, in shares of the base);
    unclear where the interval of c1 contains 1 or there is one base size."""
    points_error: float
    """Root mean square error in percentage points against the measured accuracies."""
    points_noise: float
    """What measurement error alone would leave of it, in percentage points."""
    images_ratio: float | None
    """Median over the amounts of the larger of fitted / direct and direct / fitted real images; null where no
    direct exchange is a number above nothing."""
    left_out: tuple[LeftOut, ...]
    """Each base size predicted by the others; empty with fewer than three."""


class Effort(Part):
    """What it took to have the synthetic images of one base: for the price."""

    base: int
    """Real images in the base."""
    source: Source
    """Where they come from."""
    generator: int
    """Seed of the generator."""
    training_seconds: float
    """Of the generator; 0 where it was brought along."""
    drawn: int
    """Images drawn."""
    accepted: int
    """Images kept."""
    drawing_seconds: float
    """Of drawing and judging them."""


class EquivalenceResult(Document):
    """What an equivalence run found: what synthetic images are worth in real ones, at each size of the
    base."""

    TITLE = "equivalence"
    FILE = "result.json"
    SCHEMA = 2
    MIGRATIONS: ClassVar[Mapping[int, Migration]] = {1: lambda values: values | {"augment": None}}

    run: str
    """The run: the name of its folder."""
    kind: Literal["equivalence"] = "equivalence"
    """The kind of run."""
    dataset: str
    """The dataset's id."""
    dataset_name: str
    """Its name, as people see it."""
    preset: str
    """How much work it was."""
    size: int
    """Pixels a side."""
    generator: str
    """Name of the generator."""
    classifier: str
    """Name of the classifier."""
    augment: str | None
    """What its training did to every image (classifier.augment); null in results from before it was kept."""
    splits: SplitSizes
    """Images of the three-way split that bases and additions were drawn from."""
    classes: int
    """Number of classes."""
    proportions: Literal["balanced", "natural"]
    """Whether every class has as many images in the base, or as in the training set."""
    bases: tuple[int, ...]
    """Real images in each base, ascending."""
    seeds: int
    """Classifiers a cell."""
    generators: int
    """Generators a base."""
    measure: EquivalenceMeasure
    """The deciding one: balanced accuracy where the bases are imbalanced, else accuracy."""
    cells: tuple[Cell, ...]
    """Every training."""
    efforts: tuple[Effort, ...]
    """What the synthetic images took."""
    curves: tuple[FittedCurve, ...]
    """Of every base, source and way, in all measures."""
    exchange: tuple[ExchangeRow, ...]
    """Synthetic images in real ones: every measured number, and some between."""
    reverse: tuple[ReverseRow, ...]
    """Real images in synthetic ones."""
    published: tuple[PublishedForm, ...]
    """The published form, of every source, in all measures."""
    sentence: str
    """The answer in words."""
    skipped: tuple[str, ...]
    """What was left out, in words."""
    seconds: float
    """How long it took: of its last attempt, where it was stopped and gone on with."""
