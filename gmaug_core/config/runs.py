"""Settings of each kind of run."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from gmaug_core.config.base import Config, OneOf, absolute, validate
from gmaug_core.config.classifiers import CLASSIFIERS, ClassifierConfig
from gmaug_core.config.generators import SOURCES, GeneratorConfig
from gmaug_core.config.profiles import Profile
from gmaug_core.config.selection import Decisions, SelectionConfig

Control = Literal[
    "oversampling",
    "class_balanced_loss",
    "logit_adjusted_loss",
    "posthoc_logit_adjustment",
    "crt",
    "feature_space",
    "trivial_augment",
    "mixup",
    "cutmix",
]
Use = Literal["fill", "mix"]
SecondStage = Literal["none", "head", "block"]
# of the larger presets, as they were measured
USUAL_CONTROLS: tuple[Control, ...] = tuple(key for key in get_args(Control) if key != "feature_space")
# without much training: two of them train, the third costs nothing
QUICK_CONTROLS: tuple[Control, ...] = ("oversampling", "class_balanced_loss", "posthoc_logit_adjustment")

Multiple = Annotated[float, Field(gt=0, le=100)]  # of the images in a base


DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?|mps")


class RunConfig(Config):
    """What every kind of run is told."""

    kind: str
    dataset: str
    grouping: str = "identity"  # name of a stored grouping of the dataset
    seed: int = Field(0, ge=0, lt=2**31)
    device: str = "cpu"  # auto | cpu | cuda | cuda:0 ...

    @field_validator("device", check_fields=False)
    @classmethod
    def _some_device(cls, given: str) -> str:
        if not DEVICE.fullmatch(given):
            raise ValueError("no device: auto, cpu, cuda, cuda:N or mps")
        return given

    @field_validator("dataset", "grouping")
    @classmethod
    def _named(cls, given: str) -> str:
        if not given.strip() or len(given) > 500:
            raise ValueError("a name of 1 to 500 characters")
        return given


class SimilarityConfig(RunConfig):
    """A similarity run: SSIM-mergeCls and SSIM-supSubCls of a dataset under a grouping.

    device: a GPU's values differ by less than 1e-6.
    """

    kind: Literal["similarity"] = "similarity"
    profile: str = "paper"
    # pairs a set; None: 2|X| as in paper A, exact when the set is small
    pairs: int | None = Field(None, ge=1, le=10**9)
    # sample until the 95 % interval is this narrow instead
    half_width: float | None = Field(None, gt=0, lt=1)
    workers: int = Field(0, ge=0, le=1024)  # threads; 0: all cores. Never changes a number

    @model_validator(mode="after")
    def _check(self) -> SimilarityConfig:
        Profile.parse(self.profile)
        if self.pairs is not None and self.half_width is not None:
            raise ValueError("give either pairs or half_width, not both")
        return self


class AugmentationConfig(RunConfig):
    """GM-augCls from end to end: split, baseline, generate, select, retrain, compare.

    grouping: for the predicted gain only; seed: the first one, which split and generator use.
    """

    kind: Literal["augmentation"] = "augmentation"
    preset: str = "quick"
    seeds: int = Field(3, ge=1, le=100)  # classifier seeds: one seed moves a result by -6 to +4 points
    generator: Annotated[GeneratorConfig, OneOf(record.config for record in SOURCES.values())]
    classifier: Annotated[ClassifierConfig, OneOf(record.config for record in CLASSIFIERS.values())]
    # trainings of the generator, each with images of its own for all classifier seeds. One: its luck is in no
    # interval. Everything is chosen with the first one; the others repeat what was chosen
    generator_seeds: int = Field(1, ge=1, le=20)
    # that train a generator together, each with a GPU of its own or its share of the CPU threads: the same
    # batch, and without dropout the same losses to the rounding of sums
    generator_processes: int = Field(1, ge=1, le=64)
    selection: SelectionConfig
    # real + synthetic images a class; None: as many as the largest class has, or all images made elsewhere
    target: int | None = Field(None, ge=1, le=10**7)
    # synthetic images of each class, whatever it has already, instead of filling up to the target
    added: int | None = Field(None, ge=1, le=10**7)
    # what one would do without a generator, by key of method.recipes: each is a control, and the best one on
    # validation is what synthetic images have to improve
    controls: tuple[Control, ...] = QUICK_CONTROLS
    max_steps: int = Field(2, ge=1, le=10)  # select-and-retrain steps; paper A needed at most 2
    # epsilon: the interval of the rise of validation accuracy must lie above this to go on
    tolerance: float = Field(0.0, ge=0, lt=1)
    # share of a filled class's draws that are synthetic, in the mix variant
    mix: float = Field(0.25, gt=0, lt=1)
    # how accepted images enter training; chosen on validation
    use: tuple[Use, ...] = Field(("fill", "mix"), min_length=1)
    # how many accepted images enter, in multiples of what each class is short of. Several: classifiers of
    # seeds of their own choose on validation, so that no network's luck is chosen with the amount. 0, no
    # synthetic image, is always a candidate
    amounts: tuple[Annotated[float, Field(ge=0, le=16)], ...] = Field((1.0,), min_length=1)
    # of a synthetic image in the loss, where a real one has 1; several: chosen at the amount that was best
    synthetic_weights: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field((1.0,), min_length=1)
    # after the training on all images a tenth of its steps on real ones alone: last layer, or last block
    second_stages: tuple[SecondStage, ...] = Field(("none",), min_length=1)
    # seeds of the classifiers that choose among them: with one, cheap, and a lucky network may choose
    amount_seeds: int = Field(1, ge=1, le=100)
    # seeds that also do it the paper's way, with a placebo: the same epochs, so more steps for more images,
    # and the best epoch on the test split. Costs a training and two longer ones a seed; 0: not done
    counting_seeds: int = Field(0, ge=0, le=100)
    # synthetic images have statistics of their own in batch normalisation
    own_statistics: bool = False
    # at most this many draws for every image wanted, per class and step
    draw_budget: float = Field(5.0, ge=1, le=1000)
    sampling_batch: int = Field(250, ge=1, le=10**5)
    # 2 or more: every image is tested once, by an experiment of its own a fold; that many times the work, for
    # datasets whose test part is too small to see a gain
    folds: int = Field(1, ge=1, le=20)
    # what happens when a fifth of the generator's training shows that the rest will not pay. ask: the run
    # pauses and says why; stop: it ends. Off, since the look itself costs trainings of the last layer
    probe: Literal["off", "ask", "stop"] = "off"
    # of people, about the samples of another run; that run's generator, draws and baseline are taken over
    decisions: Decisions | None = None
    inception: str | None = None  # a person's own Inception weights file: the result then has a true FID
    device: str = "auto"

    _absolute = field_validator("inception")(absolute)

    @model_validator(mode="after")
    def _some_amount(self) -> AugmentationConfig:
        if not any(self.amounts):
            raise ValueError(
                "amounts: at least one above 0; without synthetic images there is nothing to run"
            )
        if self.added is not None and self.target is not None:
            raise ValueError("give either target or added, not both")
        if self.generator_processes > 1 and not SOURCES[self.generator.name].rows_apart:
            raise ValueError(
                f"generator_processes: {self.generator.name} compares the images of a batch with each other, "
                "so processes cannot share one: 1, or another generator"
            )
        if self.generator.batch % self.generator_processes:
            raise ValueError(
                f"generator_processes: a batch of {self.generator.batch} has no {self.generator_processes} "
                "equal parts"
            )
        if self.folds > 1 and self.generator_seeds > 1:
            raise ValueError("folds have a generator of their own each: give either folds or generator_seeds")
        return self


class VerdictConfig(RunConfig):
    """What an augmentation run could gain and see, before its generator is trained.

    dataset, grouping, seed and device are those of that run.
    """

    kind: Literal["verdict"] = "verdict"
    augmentation: AugmentationConfig  # the run it is about: its split, images, classifier, seeds and target
    # for everything together; most of it are trainings of the run's own classifier
    minutes: float = Field(6.0, ge=0.2, le=1440)
    fast: bool = False  # the first reading alone: seconds, no network is trained

    @classmethod
    def about(cls, run: AugmentationConfig, *, minutes: float = 6.0, fast: bool = False) -> VerdictConfig:
        """Of an augmentation run with these settings."""
        return validate(
            cls,
            {
                "dataset": run.dataset,
                "grouping": run.grouping,
                "seed": run.seed,
                "device": run.device,
                "augmentation": run,
                "minutes": minutes,
                "fast": fast,
            },
        )


class EquivalenceConfig(RunConfig):
    """What synthetic images are worth in real ones: classifiers on bases of several sizes, with real images
    added that were held back, and with accepted synthetic ones from generators that saw the base alone.
    """

    kind: Literal["equivalence"] = "equivalence"
    preset: str = "small"
    generator: Annotated[GeneratorConfig, OneOf(record.config for record in SOURCES.values())]
    classifier: Annotated[ClassifierConfig, OneOf(record.config for record in CLASSIFIERS.values())]
    selection: SelectionConfig
    # real images a class in each base (natural proportions: on average), the smaller a part of the larger
    base_sizes: tuple[Annotated[int, Field(ge=1, le=10**7)], ...] = Field(min_length=1)
    # natural: classes as in the training images; balanced: all alike
    proportions: Literal["natural", "balanced"] = "natural"
    # real images added, in multiples of the base: what they do is the scale that synthetic ones are read on
    real: tuple[Multiple, ...] = Field((0.25, 0.5, 1.0, 2.0, 4.0), min_length=2)
    # accepted synthetic images added, in multiples of the base
    synthetic: tuple[Multiple, ...] = Field((0.5, 1.0, 2.0, 4.0, 8.0), min_length=1)
    # shares of the base whose images are replaced by as many synthetic ones; empty: not measured
    substituted: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.25, 0.5)
    # what the answer is known for: noise is worth nothing, real images that are passed off as synthetic 1.0
    checks: tuple[Literal["noise", "disguised"], ...] = ()
    seeds: int = Field(5, ge=2, le=100)  # classifiers a cell; one alone has no interval
    generator_seeds: int = Field(2, ge=1, le=20)  # generators a base
    # at most this many draws for every image wanted, per class and generator
    draw_budget: float = Field(5.0, ge=1, le=1000)
    sampling_batch: int = Field(250, ge=1, le=10**5)
    device: str = "auto"

    @field_validator("selection")
    @classmethod
    def _judged_plainly(cls, given: SelectionConfig) -> SelectionConfig:
        if given.judge != "plain":
            raise ValueError("selection.judge: every base has one judge a seed here, a plain one")
        return given

    @field_validator("base_sizes", "real", "synthetic", "substituted")
    @classmethod
    def _ascending(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(given)))

    @property
    def augmentation(self) -> AugmentationConfig:
        """The same generator, classifier, rule and budget as settings of an augmentation run: what
        method.material works with."""
        shared = set(type(self).model_fields) & set(AugmentationConfig.model_fields) - {"kind"}
        return validate(AugmentationConfig, {name: getattr(self, name) for name in shared})
