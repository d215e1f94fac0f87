"""The way in which the paper counts a gain, with its placebo."""

from __future__ import annotations

from gmaug_core.config.documents import Part
from gmaug_core.method.parts.accuracy import Measure


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
    """Of the placebo: what training length, showing rare classes more often, and choosing on the test split
    give without an image."""
    words: str
    """Both in sentences."""
