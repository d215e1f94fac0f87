"""What a score is, as a document: SSIM-mergeCls, SSIM-supSubCls, each super-class, and what makes the score
high.

SSIM has no unit and lies in -1 ... 1; it is 1 for equal images. Intervals are meant to hold the mean over all
pairs in 95 of 100 cases. scoring.similarity measures, scoring.explain explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, ClassVar, Literal, Self

from gmaug_core.config.documents import Document, Migration, Part

# of fewer pairs an interval is called approximate (benchmarks/coverage.py: 93.3 % hold for 20, 94 % for 60)
ROUGH_PAIRS = 60


class SetMean(Part):
    """SSIM_set of one set of images: the mean SSIM over pairs of different images (paper A, equation 2)."""

    n: int
    """Images in the set, >= 2, copies among them."""
    copies: int | None = None
    """Of these, images whose pixels equal those of an earlier one: they are in no pair, so that a copy counts
    once; null in scores from before copies were looked for."""
    value: float | None
    """The mean, -1 ... 1; null while too few pairs were measured."""
    ci_low: float | None
    """Lower end of its 95 % interval; equal to the value where every pair was measured."""
    ci_high: float | None
    """Upper end of its 95 % interval."""
    pairs: int
    """Pairs that were measured, all different."""
    exact: bool
    """Whether these are all pairs of the set, so that nothing was estimated."""
    approximate: bool
    """Whether the interval is only roughly a 95 % one, because it rests on fewer than 60 pairs."""
    se: float | None
    """Standard error of the value, of distinct pairs out of a finite number; 0 where all were measured."""


class SuperClassMean(SetMean):
    """SSIM_set of one super-class."""

    name: str
    """The super-class."""


class Highest(Part):
    """SSIM-supSubCls: the highest of the super-classes' means (paper A, equation 3), and how certain it
    is."""

    value: float
    """The highest mean, -1 ... 1."""
    ci_low: float
    """Lower end of its 95 % interval, which allows for the choice of the highest among near ones."""
    ci_high: float
    """Upper end of its 95 % interval."""
    pairs: int
    """Pairs measured in all super-classes together."""
    exact: bool
    """Whether every pair of every super-class was measured."""
    name: str
    """The super-class with the highest mean."""
    bias: float
    """By how much a highest of noisy means is too high on average, were the means as estimated; >= 0."""
    bias_corrected: float
    """value - bias."""
    argmax_certain: bool
    """Whether no other super-class is within two standard errors of the highest."""
    runner_up: str | None
    """The super-class with the second highest mean; null where there is only one."""
    gap: float | None
    """The highest mean minus the second highest; null where there is only one."""
    distinct: int | None = None
    """Different images in that super-class, by their pixels; null in scores from before copies were looked
    for."""


class Stored(Part):
    """How large the scored originals are, before the profile brings them to one size: an enlarged image has
    less detail than a photograph of that size, and scores higher."""

    median: float
    """Median of their short sides, in pixels."""
    least: int
    """The least of them, in pixels."""
    side: int
    """Side of the profile's images, in pixels."""
    enlarged: float
    """Share of images whose short side is below it, 0 ... 1."""

    @classmethod
    def of(cls, sizes: Iterable[Sequence[int]], side: int) -> Self:
        """sizes: width and height of every scored original, in pixels, at least one; side: the profile's."""
        short = [min(size) for size in sizes]
        enlarged = sum(value < side for value in short) / len(short)
        return cls(median=median(short), least=min(short), side=side, enlarged=enlarged)


class KnownSet(Part):
    """A finished set as later scores of the same images take it over."""

    count: int
    """Pairs in the mean."""
    mean: float
    """Their mean SSIM."""
    squares: float
    """Sum of their squared deviations from the mean."""
    pilot: tuple[int, float] | None
    """Pairs and standard deviation of the first stage where a half-width was asked for (Stein 1945)."""


class LikePair(Part):
    """Two images and how alike they are."""

    i: int
    """The first image: its number in the dataset; i < j."""
    j: int
    """The second image."""
    value: float
    """Their SSIM, -1 ... 1."""


class MostSimilar(Part):
    """The most similar pairs of images."""

    pairs: tuple[LikePair, ...]
    """Highest first."""
    exact: bool
    """Whether every pair was looked at; else a likeness that small thumbnails hide can be missed."""
    searched: int
    """Pairs whose SSIM was measured."""


class Matrix(Part):
    """Mean SSIM between every two classes and inside each: symmetric [K][K] lists, ordered as `classes`."""

    classes: tuple[str, ...]
    """The K classes (sub-classes, or super-classes where there are hundreds)."""
    n: tuple[int, ...]
    """Images of each class."""
    pairs: tuple[tuple[int, ...], ...]
    """Pairs measured in each cell."""
    profile: str
    """Size, colour and window that the images were compared at."""
    seed: int
    """Of the choice of pairs."""
    mean: tuple[tuple[float | None, ...], ...]
    """Mean SSIM of each cell; null where a cell has no pair."""
    se: tuple[tuple[float | None, ...], ...]
    """Standard error of each mean; 0 where all pairs were measured, null where fewer than two were."""


class NearCopies(Part):
    """Pairs of images that are one by their pixels, or practically: cuts, encodings, neighbours of one
    original."""

    above: float
    """Pairs above this SSIM are meant, -1 ... 1; copies by their pixels have 1, and count once in the
    score."""
    found: int
    """How many were found among all scored images."""
    pairs: tuple[LikePair, ...]
    """The most similar of them, highest first: numbers of images in the dataset."""
    exact: bool
    """Whether every pair was looked at; else some that are not copies by their pixels can be missed."""


class MovedOut(Part):
    """What moving a sub-class out of the winning super-class, into one of its own, would do: an estimate."""

    name: str
    """The sub-class."""
    super_class: str
    """The super-class that it leaves."""
    n: int
    """Its images."""
    without: float | None
    """SSIM_set of what stays in the super-class; null where no pair stays."""
    supsub: float | None
    """SSIM-supSubCls afterwards; null where no super-class has a pair."""
    change: float | None
    """supsub minus the same estimate before; below 0 where the move lowers the score."""


class Explanation(Part):
    """What makes the score high."""

    most_similar: MostSimilar
    """The most similar pairs inside the winning super-class."""
    matrix: Matrix
    """Mean SSIM between sub-classes."""
    leave_one_out: tuple[MovedOut, ...]
    """One row a sub-class of the winner, the strongest fall first."""
    near_copies: NearCopies | None = None
    """Pairs of practically the same image; null in scores from before they were looked for."""


def _first_form(document: dict[str, Any]) -> dict[str, Any]:
    """Scores without a number: the oldest do not say which intervals are rough."""

    def told(row: dict[str, Any]) -> dict[str, Any]:
        return {"approximate": not row["exact"] and row["pairs"] < ROUGH_PAIRS, **row}

    return document | {
        "ssim_mergecls": told(document["ssim_mergecls"]),
        "super_classes": [told(row) for row in document["super_classes"]],
    }


def _second_form(document: dict[str, Any]) -> dict[str, Any]:
    """Scores that do not say how large their originals are, nor what was a copy: unknown stays unknown."""
    return document


class SimilarityResult(Document):
    """The score of a training set under a grouping: what a similarity run leaves behind."""

    TITLE = "score"
    FILE = "result.json"
    SCHEMA = 2
    MIGRATIONS: ClassVar[Mapping[int, Migration]] = {0: _first_form, 1: _second_form}

    run: str | None = None
    """The run that measured it; null in a score inside another run."""
    kind: Literal["similarity"] = "similarity"
    """The kind of run."""
    ssim_mergecls: SetMean
    """SSIM-mergeCls: all training images as one set."""
    ssim_supsubcls: Highest
    """SSIM-supSubCls: the highest of the super-classes."""
    super_classes: tuple[SuperClassMean, ...]
    """Every super-class with at least two training images, in the order of the grouping."""
    not_scored: tuple[str, ...]
    """Super-classes with fewer than two different training images."""
    argmax: str
    """The super-class with the highest mean."""
    profile: str
    """Size, colour and window that the images were compared at; a law speaks of one profile alone."""
    seed: int
    """Of the choice of pairs."""
    seconds: float
    """Time that measuring took, in seconds."""
    stopped: bool
    """Whether it was stopped before every set had the pairs it planned."""
    known: dict[str, KnownSet]
    """Finished sets by their content, profile, seed and rule, for later scores of the same images."""
    training_images: int | None = None
    """Images that were scored: the training part of the three-way split; null in scores from before they were
    counted."""
    split_seed: int | None = None
    """Seed of that split (split.json), the same that an augmentation run of this seed makes; null in scores
    from before, which are of all training images, and where the dataset cannot be split."""
    stored: Stored | None = None
    """Size of the scored originals; null in scores from before it was noted."""
    explanation: Explanation | None = None
    """What makes it high; null where it was stopped, or belongs to another run."""
