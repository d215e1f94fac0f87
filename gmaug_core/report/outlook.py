"""What is known before a run starts: the newest verdict of its images, the smallest gain that it could see,
and what it takes. The launch form and the verb augment both ask here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, VerdictConfig
from gmaug_core.data import cautions, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.method import power
from gmaug_core.method.verdict import seeing
from gmaug_core.method.verdict.figures import MEASURE_WORDS
from gmaug_core.method.verdict.result import Variances, Verdict
from gmaug_core.report import acceptance, cost
from gmaug_core.runs import RunConfigFile

log = logging.getLogger("gmaug")

NO_VERDICT = "No verdict yet: 30 seconds for a first reading of what a generator could add to these images."
OF_ACCURACY = (
    "The run itself compares accuracy, in which a class counts by its test images: of a gain in rare classes "
    "it sees less."
)
ONE_SEED = "One seed decides nothing: whatever gain this run measures could be chance."


@dataclass(frozen=True)
class Outlook:
    """In words. run: of the verdict, None where there is none; visible: the smallest gain that the run could
    tell from nothing, None where no verdict has measured how trainings of these images spread; cautions:
    labels that contradict each other, near copies on two sides, a part that was halved, a filter that hardly
    a real image passes."""

    run: str | None
    verdict: str
    visible: str | None
    cost: str
    cautions: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, for the command line."""
        return tuple(words for words in (*self.cautions, self.verdict, self.visible, self.cost) if words)


def of(config: AugmentationConfig, data: Dataset) -> Outlook:
    """What a run with these settings has to expect. Raises InputError where the dataset cannot be split."""
    told = tuple(cautions.of(data, splits.of_run(data, config.seed, config.folds)[0]))
    newest = newest_verdict(data)
    if newest is None:
        return Outlook(None, NO_VERDICT, None, cost.words(config), told)
    found, about = newest
    strict = _strict(found) if about.selection == config.selection else ()
    return Outlook(
        found.run,
        _verdict(found, about, config),
        _visible(found, config, data),
        cost.words(config),
        (*told, *strict),
    )


def newest_verdict(data: Dataset) -> tuple[Verdict, AugmentationConfig] | None:
    """The newest finished verdict of these very images, and the run that it is about; None without one.

    One of an earlier version of the dataset does not count, nor one that cannot be read.
    """
    for paths in runs.list_runs("verdict", data.id):
        try:
            config = RunConfigFile.read(paths.config)
            if config.dataset_version == data.version and paths.result.exists():
                return Verdict.read(paths.result), config.settings_as(VerdictConfig).augmentation
        except GMAugError as error:
            log.warning("the verdict of %s is not used: %s", paths.id, error.what)
    return None


def _verdict(found: Verdict, about: AugmentationConfig, config: AugmentationConfig) -> str:
    reading = "first reading" if found.length is None else "full reading"
    said = f"Verdict ({reading} at {found.size} px): {found.verdict.sentence} {_headroom(found)}"
    other = _differences(about, config)
    return f"{said} It was asked for {' and '.join(other)}: this run may differ." if other else said


def _strict(found: Verdict) -> tuple[str, ...]:
    """What a filter as strict as the verdict found it leaves to expect."""
    if found.filter is None or not (why := acceptance.too_strict(found.filter.passed)):
        return ()
    rule, real = found.filter.rule, acceptance.of_real(found.filter.passed)
    return (f"The filter ({rule}) would accept {real}. {why}",)


def _headroom(found: Verdict) -> str:
    """What a perfect generator could add over what is free, and what of it may be expected."""
    room = found.headroom
    most = "" if room.at_most is None else f", at most {room.at_most:+z.1f}"
    if room.gain is None:
        return f"Headroom over what is free: not projected{most}."
    likely = f"; of it expected: {found.expected.gain.value:+z.1f}" if found.expected else ""
    return f"Headroom over what is free: {room.gain.value:+z.1f} points{most}{likely}."


def _differences(about: AugmentationConfig, config: AugmentationConfig) -> list[str]:
    """What the verdict was asked for that this run does otherwise, in words."""
    classifier = config.classifier
    if classifier.name == about.classifier.name:  # arithmetic is made concrete at launch
        classifier = classifier.model_copy(update={"precision": about.classifier.precision})
    same = {
        f"images of {about.generator.resolution} px": about.generator.resolution
        == config.generator.resolution,
        "another classifier or training length": about.classifier == classifier,
        "another number of images a class": about.target == config.target,
    }
    return [words for words, alike in same.items() if not alike]


def _visible(found: Verdict, config: AugmentationConfig, data: Dataset) -> str:
    """The smallest gain that these seeds and the test images of this split can tell from nothing."""
    if config.seeds < 2:
        return ONE_SEED
    seen = found.seen
    tested = splits.of_run(data, config.seed, config.folds)
    seeds, images = config.seeds, sum(len(parts["test"]) for parts in tested)
    if seen.variances is None:  # an older verdict knows its own numbers alone
        seeds, images, smallest = seen.seeds, seen.test_images, seen.smallest
    else:
        smallest = _smallest(seen.variances, seeds, images)
    said = (
        f"Smallest visible gain with {seeds} seeds and {images:,} test images: {smallest:.1f} points of "
        f"{MEASURE_WORDS[found.measure]}, found in {seen.power:.0%} of runs."
    )
    counts = np.bincount(data.labels[np.concatenate([parts["test"] for parts in tested])])
    one = found.measure == "accuracy" or len(set(counts[counts > 0].tolist())) == 1
    return said if one else f"{said} {OF_ACCURACY}"


@lru_cache(maxsize=64)
def _smallest(variances: Variances, seeds: int, images: int) -> float:
    """Half a second the first time; a form asks again with every click."""
    return power.smallest_visible(seeing.spread_of(variances), seeds, images)
