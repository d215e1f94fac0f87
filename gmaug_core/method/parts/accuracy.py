"""What the test split says: accuracies, gains, recalls. Shares are 0 ... 1, gains in percent; intervals are
95 % ones over seeds and the finite test split (method.statistics)."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from gmaug_core.config.documents import Part


class Measure(Part):
    """A share, measured with every seed."""

    mean: float
    """Mean over seeds, 0 ... 1."""
    ci_low: float
    """Lower end of its 95 % interval, >= 0."""
    ci_high: float
    """Upper end of its 95 % interval, <= 1."""
    values: tuple[float, ...]
    """One value a seed, in the order of `seeds`."""
    n: int
    """Test images."""


class VariantResult(Part):
    """How one classifier did on the test split."""

    label: str
    """What it was trained on, in words."""
    accuracy: Measure
    """Share of test images that it put in their class."""
    balanced_accuracy: Measure
    """Mean over the classes that have test images of their recall."""
    classes_tested: int | None = None
    """Classes that have test images, those that balanced_accuracy is over; not there in older results."""
    auroc: Measure | None = None
    """Area under the ROC curve of each tested class against the rest, mean over them; 0.5 is chance."""
    auprc: Measure | None = None
    """Average precision of each tested class against the rest, mean over them; its share is chance."""


Verdict = Literal["better", "worse", "no difference seen", "one seed"]


class Gain(Part):
    """(augmented - control) / control, paired by seed and test image. Results before form 2 took the
    control's accuracy as known."""

    value: float | None
    """In percent; null where the control recognised no test image."""
    ci_low: float | None
    """Lower end of its 95 % interval, in percent; null with the value."""
    ci_high: float | None
    """Upper end of its 95 % interval, in percent; null with the value."""
    values: tuple[float, ...]
    """One gain a seed, in percent; empty where there is none."""
    n: int | None = None
    """Test images; not there where there is no value."""
    n_seeds: int
    """Seeds."""
    control: str
    """Key of the variant that it was compared with."""
    of: str = "augmented"
    """Key of the variant whose gain it is."""
    points: float | None = None
    """The difference of the two accuracies in percentage points; not there in older results."""
    points_low: float | None = None
    """Lower end of its 95 % interval: what decides whether one is better."""
    points_high: float | None = None
    """Upper end of its 95 % interval."""
    generators: int = 1
    """Trainings of the generator that the augmented side is the mean of."""
    covers: Literal["images", "seeds and images", "generators, seeds and images"] = "seeds and images"
    """What the intervals cover; with one seed they say nothing of another seed."""

    @property
    def verdict(self) -> Verdict:
        """What may be said of it. One seed decides nothing: results differ from seed to seed by more than
        the interval over images says."""
        if self.n_seeds < 2:
            return "one seed"
        on_points = self.points_low is not None
        low, high = (self.points_low, self.points_high) if on_points else (self.ci_low, self.ci_high)
        if low is not None and low > 0:
            return "better"
        return "worse" if high is not None and high < 0 else "no difference seen"


class GeneratorSpread(Part):
    """What the generator's own luck does to the endpoint's gain."""

    points: tuple[float, ...]
    """The gain with each generator, in percentage points, mean over seeds."""
    generator: float
    """Standard deviation from one training of the generator to another, in percentage points."""
    seed: float
    """The same from one classifier seed to another."""
    rest: float
    """What neither explains."""
    words: str
    """All of that in a sentence."""


class ClassRow(Part):
    """One class: its images, and under each variant's key that variant's recall, mean over seeds, 0 ... 1;
    null where the class has no test image."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float | None] = Field(init=False)

    name: str = Field(alias="class")
    """The class."""
    train: int
    """Real training images."""
    test: int
    """Test images."""
    synthetic: int
    """Synthetic images of the first step that the first seed's judge kept for training."""
    wanted: int | None = None
    """Synthetic images that it was short of the target; not there in older results."""
    intervals: dict[str, tuple[float, float]] = {}
    """95 % interval of each variant's recall; empty where the class has no test image, and in older
    results."""

    def recall(self, variant: str) -> float | None:
        """Recall of a variant, 0 ... 1; None where this run has no such variant, or tested no image of the
        class."""
        return self.__pydantic_extra__.get(variant)


class Fold(Part):
    """One fold: an experiment of its own, whose own result lies in the folder fold-<number>."""

    fold: int
    """Its number, from 1."""
    train: int
    """Images trained on."""
    val: int
    """Images that chose."""
    test: int
    """Images tested, in this fold alone."""
    status: Literal["measured", "not tested"]
    """Whether synthetic images were tested in it."""
    endpoint_recipe: str | None
    """The best recipe without a generator on its validation part (method.recipes); null where nothing was
    tested."""
    points: float | None
    """Its endpoint's difference in percentage points; null where nothing was tested."""
    accepted: int
    """Synthetic images that the first seed's judges accepted in it."""
