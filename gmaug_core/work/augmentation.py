"""An augmentation run: the whole method."""

from __future__ import annotations

from functools import partial

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig
from gmaug_core.data import dataset
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method import experiment
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, RunPaths


def augmentation_result(
    document: RunConfigFile, paths: RunPaths, report: Report, should_stop: ShouldStop
) -> AugmentationResult:
    """Do the experiment, or what is left of it, in the run's folder. Raises what experiment.run raises."""
    config = document.settings_as(AugmentationConfig)
    data = dataset.load(config.dataset)
    return experiment.run(
        config,
        data,
        document.grouping,
        out_dir=paths.folder,
        others=partial(runs.checkpoints, but=paths),
        report=report,
        should_stop=should_stop,
    )
