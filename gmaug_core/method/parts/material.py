"""What the run had before anything was measured: the split, the score and its prediction, the classifier."""

from __future__ import annotations

from pydantic import ConfigDict, Field, JsonValue

from gmaug_core.config.documents import Part
from gmaug_core.scoring.result import Highest, SetMean, Stored


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
