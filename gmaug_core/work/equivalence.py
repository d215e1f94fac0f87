"""An equivalence run: what synthetic images are worth in real ones."""

from __future__ import annotations

from functools import partial

from gmaug_core import runs
from gmaug_core.config import EquivalenceConfig
from gmaug_core.data import dataset
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method.equivalence import measure
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.runs import RunConfigFile, RunPaths


def equivalence_result(
    document: RunConfigFile, paths: RunPaths, report: Report, should_stop: ShouldStop
) -> EquivalenceResult:
    """Measure it, or what is left of it, in the run's folder. Raises what measure.run raises."""
    config = document.settings_as(EquivalenceConfig)
    data = dataset.load(config.dataset)
    return measure.run(
        config,
        data,
        out_dir=paths.folder,
        others=partial(runs.checkpoints, but=paths),
        report=report,
        should_stop=should_stop,
    )
