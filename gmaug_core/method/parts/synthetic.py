"""What came of the synthetic images: accepted and rejected, step by step, and how many of them to use."""

from __future__ import annotations

from typing import Literal

from gmaug_core.config.documents import Part
from gmaug_core.method.parts.accuracy import Measure


class Passed(Part):
    """Real validation images that a judge accepts."""

    share: float
    """Accepted / n, 0 ... 1, mean over the judges of all seeds."""
    ci_low: float
    """Lower end of its 95 % interval, >= 0."""
    ci_high: float
    """Upper end of its 95 % interval, <= 1."""
    n: int
    """Real validation images."""


class RealAcceptance(Part):
    """What the filter does with real images that no judge was trained on: the most that synthetic ones can
    be asked."""

    total: Passed
    """All validation images."""
    per_class: dict[str, Passed]
    """Each class that has validation images."""


class JudgeFigures(Part):
    """Who judged the first step's images."""

    kind: Literal["plain", "cross_fitted"]
    """plain: the classifier trained on all real training images; cross_fitted: several, each without a part
    of them."""
    folds: int | None
    """Of a cross-fitted judge: classifiers, and parts; null of a plain one."""
    temperatures: tuple[float, ...]
    """One a seed: what logits are divided by for a probability that is right on the real validation images,
    > 0; above 1 the judge is surer than it should be."""


class Counted(Part):
    """Synthetic images by the verdict of the first seed's judges, over all steps."""

    total: int
    """Images."""
    per_class: dict[str, int]
    """Images of each class that has any."""


class Rejected(Counted):
    """Synthetic images that were not accepted."""

    reasons: dict[str, int]
    """Images by the reason, in words, the most frequent first."""
    reasons_per_class: dict[str, dict[str, int]] = {}
    """The same of each class that has any; empty in older results."""


class Step(Part):
    """One step of one seed: draw, select, retrain."""

    seed: int
    """Of the judge and of the classifiers retrained in this step."""
    step: int
    """Number of the step, from 1."""
    wanted: int
    """Synthetic images that were drawn for: what the classes are short of the target, together, times the
    largest amount that may enter."""
    drawn: int
    """Images drawn in this step."""
    accepted: int
    """Of these, accepted by this seed's judge; may exceed `wanted` where other judges accepted less."""
    accepted_per_draw: float | None
    """accepted / drawn, 0 ... 1; null where nothing was drawn."""
    short: dict[str, int]
    """Images still missing of each class when drawing ended."""
    hopeless: dict[str, int] = {}
    """Of these, the classes that were given up early, since the rest of the budget could not have brought a
    quarter of what was wanted: draws of the budget that were saved."""
    val_before: float
    """Validation accuracy of the judge, 0 ... 1."""
    chosen: str | None
    """The way of using the images that was best on validation (fill or mix); null where nothing was kept."""
    val_after: float | None
    """Validation accuracy of the classifier retrained that way, 0 ... 1; null where nothing was kept."""
    went_on: bool
    """Whether the seeds together improved by more than the tolerance and than chance, so that another step
    followed."""


class Dose(Part):
    """What one amount of synthetic images does, by classifiers that the comparison does not use."""

    amount: float
    """In multiples of what the classes are short of; 0: real images alone."""
    added: float
    """Synthetic images, mean over seeds."""
    real: int
    """Real training images."""
    validation: Measure
    """Accuracy on validation, which chose the amount."""
    test: Measure
    """Accuracy on the test split, which did not."""
    points: float
    """Test accuracy less that of no synthetic image, paired by seed and image, in percentage points."""
    points_low: float
    """Lower end of its 95 % interval; with one seed it covers the test images alone."""
    points_high: float
    """Upper end of its 95 % interval."""


class Tried(Part):
    """A candidate of the choice."""

    words: str
    """How synthetic images were used."""
    validation: float
    """Accuracy on validation, 0 ... 1, mean over the choosing seeds."""


class Choice(Part):
    """How synthetic images are to be used, by validation."""

    none: bool
    """Whether validation says to use none: with them the best recipe did no better."""
    amount: float
    """The best amount above 0, in multiples of what each class is short of: what was compared."""
    use: str
    """fill or mix."""
    weight: float
    """Of a synthetic image in the loss, where a real one has 1."""
    second_stage: str
    """What was trained again on real images alone: none, head or block."""
    validation_with: float
    """Validation accuracy of the best recipe with them, 0 ... 1, mean over the run's seeds."""
    validation_without: float
    """The same without them."""
    words: str
    """All of that in sentences."""
    tried: tuple[Tried, ...] = ()
    """What the amount and weight were chosen among; empty where there was nothing to choose."""


class Quality(Part):
    """The first step's kept images against the real training images of their classes, in the baseline's
    features."""

    n_real: int
    """Real images."""
    n_synthetic: int
    """Synthetic images."""
    fd: float | None = None
    """Frechet distance of two Gaussians (Heusel 2017); 0 is best, biased upward at few images."""
    kid: float | None = None
    """Kernel distance (Binkowski 2018), unbiased; about 0 is best."""
    memorised_share: float | None = None
    """Share of synthetic images nearer to a real one than 99 % of real images are to each other, 0 ... 1."""
    precision: float | None = None
    """Share of synthetic images among the real ones, 0 ... 1 (Kynkaanniemi 2019)."""
    recall: float | None = None
    """Share of real images among the synthetic ones, 0 ... 1."""
    real_vs_synthetic_auc: float | None = None
    """How well a logistic regression tells the two apart: 0.5 not at all, 1 always."""
    auc_n: int | None = None
    """Images of each kind that this rests on."""
    pixel_auc: float | None = None
    """The same in statistics of the pixels: what a classifier's features do not show. Since form 4."""
    pixel_auc_n: int | None = None
    """Images of each kind that this rests on."""
    fid: float | None = None
    """Frechet distance in the features of a person's Inception weights; comparable at equal n alone."""
    fid_n_real: int | None = None
    """Real images behind it."""
    fid_n_synthetic: int | None = None
    """Synthetic images behind it."""
    fid_network: str | None = None
    """torchvision or torchscript: how that network treats its input."""
    fid_weights_sha256: str | None = None
    """Which file of weights."""
