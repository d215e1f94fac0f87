"""The generator: what its training cost, how its images were on the way, and what an early look said."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from gmaug_core.config.documents import Part


class Snapshot(Part):
    """A look at the generator while it trained: images of fixed seeds, in the baseline classifier's
    features."""

    kimg: float
    """Thousands of images seen in training."""
    n_synthetic: int
    """Images drawn for this look."""
    n_classes: int
    """Classes that they are of."""
    n_real: int | None = None
    """Real images compared with: at most as many of a class as were drawn of it."""
    kid: float | None = None
    """Kernel distance (Binkowski 2018), unbiased; about 0 is best."""
    fd: float | None = None
    """Frechet distance of two Gaussians (Heusel 2017); 0 is best, biased upward at few images."""
    precision: float | None = None
    """Share of synthetic images among the real ones, 0 ... 1 (Kynkaanniemi 2019)."""
    recall: float | None = None
    """Share of real images among the synthetic ones, 0 ... 1."""
    memorised_share: float | None = None
    """Share of synthetic images nearer to a real one than 99 % of real images are to each other, 0 ... 1."""
    consistency: float | None = None
    """Share of images that the baseline classifier puts in their class, 0 ... 1."""
    consistency_tail: float | None = None
    """The same in the third of the classes with the fewest real images."""
    diversity: float | None = None
    """Mean distance within the median class over that of real images; 1 is as varied as they are."""
    diversity_lowest: float | None = None
    """The same of the least varied class that has images enough."""
    lowest_class: str | None = None
    """That class."""


class Collapse(Part):
    """The generator's classes became nearly alike; training ended early."""

    kimg: float
    """Thousands of images seen when it was noticed."""
    classes: tuple[str, ...]
    """The classes that collapsed."""
    diversity: dict[str, float]
    """Their diversity, as a share of real images'."""
    median_diversity: float | None
    """Diversity of the median class; null where unknown."""
    best_kimg: float
    """The snapshot that was used instead."""
    best_by: str
    """What it was best by: kid or diversity."""
    conditional: bool
    """Whether the generator knew its classes at that snapshot."""
    done: str
    """What was done about it, in words."""


class GeneratorFigures(Part):
    """Which generator, what training cost, and its last losses under their own keys (as in metrics.jsonl)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)

    name: str
    """Which generator."""
    closed_set: bool
    """Whether it had seen this dataset's training images alone; false where that is not known."""
    kimg: float | None = None
    """Thousands of images seen in training."""
    images: int | None = None
    """Images seen in training."""
    seconds: float | None = None
    """Time that training took, in seconds."""
    img_per_s: float | None = None
    """Images seen a second, over the whole training."""
    parameters: int | None = None
    """Trained numbers in the network that samples."""
    quality: tuple[Snapshot, ...] = ()
    """One row a snapshot; not there in the oldest results."""
    collapse: Collapse | None = None
    """Not there where it did not collapse."""

    @property
    def origin(self) -> Literal["closed-set", "open-set", "unknown"]:
        """What it had seen: this dataset's training images alone, other images too, or nobody knows: the
        images were made elsewhere."""
        if self.name == "folder":
            return "unknown"
        return "closed-set" if self.closed_set else "open-set"


class Look(Part):
    """Images drawn early in the generator's training against real ones of the same classes, in the baseline's
    features."""

    share: float
    """Of the generator's training that was done, 0 ... 1."""
    kimg: float
    """Thousands of images seen in training by then."""
    n_synthetic: int
    """Images drawn for this look, the same seeds at every look."""
    kid: float
    """Kernel distance (Binkowski 2018), unbiased; about 0 is best."""
    real_vs_synthetic_auc: float | None
    """How well a logistic regression tells the two apart: 0.5 not at all, 1 always; null where there are too
    few real images to say."""


class Probe(Part):
    """What an early look said of the rest of the run."""

    looks: tuple[Look, ...]
    """At a tenth and at a fifth of the generator's training."""
    points: float
    """What the last look's images add to a last layer trained again, on validation, in percentage points
    over the same without them."""
    points_low: float
    """Lower end of its 95 % interval over seeds and images."""
    points_high: float
    """Upper end of it."""
    verdict: str | None
    """The run whose verdict was asked; null where there is none of these settings."""
    stop: bool
    """Whether it said that the rest will not pay."""
    words: str
    """Why, with the figures that decided."""
