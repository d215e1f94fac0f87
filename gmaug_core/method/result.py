"""What an augmentation run leaves behind, as a document. Accuracies and recalls are shares, 0 ... 1; gains
are in percent. Intervals are 95 % ones over seeds and the finite test split (method.statistics).

A key that a run has no figure for is not written.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, JsonValue

from gmaug_core.config.documents import Document, Part
from gmaug_core.method.tested import not_tested
from gmaug_core.scoring.result import ROUGH_PAIRS, Highest, SetMean, Stored


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


class PaperArm(Part):
    """One arm of the paper's way of counting."""

    words: str
    """What it was trained on."""
    images: float
    """Training images, mean over seeds."""
    steps: float
    """SGD steps, mean over seeds: as many epochs as every arm."""
    best: Measure
    """Accuracy at the look that was best on the test split itself, as the paper reports: too high."""
    last: Measure
    """Accuracy at the end."""


class PaperGain(Part):
    """Relative gain of one arm over real images alone, both at their best look, in percent."""

    value: float
    """In percent."""
    ci_low: float
    """Lower end of its 95 % interval; with one seed it covers the test images alone."""
    ci_high: float
    """Upper end of its 95 % interval."""


class PaperCounting(Part):
    """The paper's way of counting, with its placebo: epochs are the same, so more images mean more steps, and
    the best epoch is taken on the test split. Nothing is chosen by it."""

    looks: int
    """Looks at the test split, evenly over each training."""
    seeds: int
    """Classifiers of each arm: the first seeds of the run."""
    arms: dict[str, PaperArm]
    """baseline, augmented, placebo (copies of real images in place of the synthetic ones)."""
    gain: PaperGain | None
    """Of the augmented arm; null where real images alone recognised nothing."""
    placebo: PaperGain | None
    """Of the placebo: what training length and choosing on the test split give without an image."""
    words: str
    """Both in sentences."""


class Score(Part):
    """The score of the training split that the run used."""

    ssim_supsubcls: Highest
    """SSIM-supSubCls."""
    ssim_mergecls: SetMean
    """SSIM-mergeCls."""
    argmax: str
    """The super-class with the highest mean."""
    profile: str
    """Size, colour and window that the images were compared at."""
    stored: Stored | None = None
    """Size of the scored originals; null in results from before it was noted."""


class Advice(Part):
    """What the law's prediction means for a decision."""

    verdict: str
    """What the score alone says (scoring.advice); likely, unclear or unlikely in results from before."""
    text: str
    """The same in sentences, with the figures that it rests on."""


class Predicted(Part):
    """The relative gain that the published law predicted from the score, before anything was trained."""

    gain_percent: float
    """Relative gain in percent."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end of its 95 % interval."""
    advice: Advice
    """What that means."""


class SplitSizes(Part):
    """Images in each part of the three-way split."""

    train: int
    """Trained on."""
    val: int
    """What chooses."""
    test: int
    """Looked at once, at the end."""
    groups: int | None = None
    """Sources (patients, slides, videos, bursts) that the images come from, each on one side; not there where
    the dataset names none."""
    notes: tuple[str, ...] = ()
    """What a reader must know of the split, in words: classes without test images, groups that could not be
    divided."""


class ClassifierFigures(Part):
    """The classifier of every variant: its settings (keys as in the run's config) and its size."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)

    name: str
    """Which classifier."""
    parameters: int
    """Trained numbers in it."""
    closed_set: bool = True
    """Whether it saw this dataset's training images and nothing else."""


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


def _first_form(document: dict[str, Any]) -> dict[str, Any]:
    """Results without a number; the oldest do not say which intervals are rough, nor what was accepted a
    draw."""
    merge = document["score"]["ssim_mergecls"]
    told = {"approximate": not merge["exact"] and merge["pairs"] < ROUGH_PAIRS, **merge}
    steps = [
        {"accepted_per_draw": step["accepted"] / step["drawn"] if step["drawn"] else None, **step}
        for step in document["steps"]
    ]
    return document | {"score": document["score"] | {"ssim_mergecls": told}, "steps": steps}


def _second_form(document: dict[str, Any]) -> dict[str, Any]:
    """Form 1 gave a recall of 0 to classes that nothing tested, and called a run measured whatever the
    filter had let through; it does not say what a class was short of, but the first step's account does
    where something is missing."""
    keys = {"baseline", "augmented", *document["controls"]}
    rows = [row if row["test"] else row | dict.fromkeys(keys & row.keys()) for row in document["per_class"]]
    gains = {
        key: gain | ({"covers": "images"} if gain["n_seeds"] < 2 else {})
        for key, gain in {**document["gains"], "": document["relative_gain_percent"]}.items()
    }
    first = next((step for step in document["steps"] if step["step"] == 1), None)
    short = first["short"] if first else {}
    synthetic = {row["class"]: row["synthetic"] for row in rows}
    wanted = {name: missing + synthetic.get(name, 0) for name, missing in short.items()}
    filled = (first["wanted"] if first else 0) - sum(wanted.values())
    words = not_tested(
        {name: (synthetic.get(name, 0), number) for name, number in wanted.items()}, filled=max(filled, 0)
    )
    return document | {
        "per_class": rows,
        "relative_gain_percent": gains.pop(""),
        "gains": gains,
        "status": "not tested" if words else "measured",
        "status_words": words,
    }


def _third_form(document: dict[str, Any]) -> dict[str, Any]:
    """Form 2 took nothing from other runs. What else form 3 knows is not there where it was not measured."""
    return document


class AugmentationResult(Document):
    """What an augmentation run found: every variant on the test split, gains with intervals, how it came
    about."""

    TITLE = "result"
    FILE = "result.json"
    SCHEMA = 3
    MIGRATIONS: ClassVar = {0: _first_form, 1: _second_form, 2: _third_form}

    run: str
    """The run: the name of its folder."""
    kind: Literal["augmentation"]
    """The kind of run."""
    status: Literal["measured", "not tested"]
    """Whether synthetic images were tested at all: method.tested has the rule."""
    status_words: str
    """Why it was not tested, with the numbers; empty where it was."""
    dataset: str
    """The dataset's id."""
    dataset_name: str
    """Its name, as people see it."""
    preset: str
    """Where the settings came from."""
    generator: GeneratorFigures
    """The generator."""
    classifier: ClassifierFigures
    """The classifier."""
    seeds: tuple[int, ...]
    """A classifier of each variant was trained with each; the first one's judge decides what is exported."""
    splits: SplitSizes
    """Images of the three-way split."""
    shared: dict[str, str] = {}
    """Classifiers that were not trained again, by the name of their file, and the run that trained them: a
    verdict or another run of the same images, split, settings and seed."""
    score: Score
    """The score of the training split."""
    predicted: Predicted | None
    """What the law predicted from it; null where it does not speak of such a score, or nothing was to be
    added."""
    not_predicted: str | None = None
    """Why there is no prediction, in words; null where there is one, and in results from before."""
    baseline: VariantResult
    """Real images alone."""
    augmented: VariantResult
    """Real and kept synthetic images: GM-augCls."""
    controls: dict[str, VariantResult]
    """The other variants, by key (method.variants)."""
    endpoint: Gain | None = None
    """The comparison fixed beforehand: the best recipe without a generator, chosen on validation, with
    synthetic images against the same recipe alone; null in older results, and where nothing was tested."""
    endpoint_recipe: str | None = None
    """That recipe's key (method.recipes)."""
    generators: GeneratorSpread | None = None
    """What the generator's luck does to it; not there where it was trained once."""
    relative_gain_percent: Gain
    """The paper's comparison, against plain training: of the augmented classifier over the baseline; the
    same as gains["baseline"]."""
    gains: dict[str, Gain]
    """Of the augmented classifier over the baseline and every control, by key."""
    per_class: tuple[ClassRow, ...]
    """One row a class, in the dataset's order."""
    accepted: Counted
    """Accepted synthetic images."""
    rejected: Rejected
    """Rejected synthetic images."""
    real_acceptance: RealAcceptance | None = None
    """The share of real validation images that the judges accept; not there in older results."""
    choice: Choice | None = None
    """How synthetic images are to be used, or that none are; not there in older results, and where nothing
    was kept."""
    doses: tuple[Dose, ...] = ()
    """Accuracy after each amount, ascending from 0; empty in older results and where one amount was given."""
    paper_counting: PaperCounting | None = None
    """The paper's way of counting; not there where it was not asked for, and in older results."""
    steps: tuple[Step, ...]
    """One row a step and seed, in the order in which they were done."""
    quality: Quality
    """Figures of the kept images."""
    probe: Probe | None = None
    """The early look; null where none was asked for."""
    folds: tuple[Fold, ...] = ()
    """Where every image was tested once: the folds. Accuracies, recalls and gains are then over the test
    images of all of them; what is said of training (class counts, score, generator, steps, accepted and
    rejected images, quality) is of the first fold."""
    warnings: tuple[str, ...]
    """What a careful reader must know about this result, in words."""

    @property
    def variants(self) -> dict[str, VariantResult]:
        """Every variant by key: the baseline, the augmented one, the controls."""
        return {"baseline": self.baseline, "augmented": self.augmented, **self.controls}

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; keys without a figure are left out."""
        return self.model_dump(mode="json", exclude_unset=True)
