"""An augmentation run: the whole method."""

from __future__ import annotations

from functools import partial

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, VerdictConfig
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method import experiment, folds, inherited
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.stopping import EarlyVerdict
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.runs import RunConfigFile, RunPaths

AGAINST = ("no_generator_needed", "too_little", "not_visible")  # verdicts that speak against a generator


def augmentation_result(
    document: RunConfigFile, paths: RunPaths, report: Report, should_stop: ShouldStop
) -> AugmentationResult:
    """Do the experiment, or one in each fold, or what is left of it, in the run's folder. Raises what
    experiment.run raises."""
    config = document.settings_as(AugmentationConfig)
    data = dataset.load(config.dataset)
    if config.decisions and (parent := runs.root() / config.decisions.run).is_dir():
        inherited.take_over(parent, paths.folder, config.decisions)
    fill = folds.run if config.folds > 1 else experiment.run
    return fill(
        config,
        data,
        document.grouping,
        out_dir=paths.folder,
        others=partial(runs.checkpoints, but=paths),
        verdict=early_verdict(config),
        report=report,
        should_stop=should_stop,
    )


def early_verdict(config: AugmentationConfig) -> EarlyVerdict | None:
    """What the newest full verdict of a run's settings says, where it speaks against the run."""
    for paths in runs.list_runs("verdict", config.dataset):
        about = RunConfigFile.read(paths.config).settings_as(VerdictConfig).augmentation
        if _asked(about) != _asked(config):
            continue
        try:
            found = runs.read_result(paths)
        except GMAugError:  # damaged: it says nothing
            continue
        if isinstance(found, Verdict) and found.length is not None:  # a fast reading decides nothing
            against = found.verdict.key in AGAINST
            return EarlyVerdict(paths.id, found.verdict.sentence) if against else None
    return None


def _asked(config: AugmentationConfig) -> tuple[object, ...]:
    """What a verdict depends on."""
    images = (config.generator.resolution, config.generator.colour)
    return (config.seed, config.seeds, config.target, config.classifier, images)
