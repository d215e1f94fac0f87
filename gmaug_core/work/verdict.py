"""A verdict run: what can be gained, what can be seen, what is free, before a generator is trained."""

from __future__ import annotations

import logging
from functools import partial

from gmaug_core import runs
from gmaug_core.config import VerdictConfig
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.verdict import measure
from gmaug_core.method.verdict.result import LawRecord, Verdict
from gmaug_core.report import points
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.paper import paper_law

log = logging.getLogger("gmaug")


def verdict_result(
    document: RunConfigFile, paths: RunPaths, report: Report, should_stop: ShouldStop
) -> Verdict:
    """Measure it, or what is left of it, in the run's folder. Raises what measure.run raises."""
    config = document.settings_as(VerdictConfig)
    return measure.run(
        config,
        dataset.load(config.dataset),
        document.grouping,
        out_dir=paths.folder,
        record=own_record(),
        exchanges=own_exchanges(),
        others=partial(runs.checkpoints, but=paths),
        report=report,
        should_stop=should_stop,
    )


def own_record() -> tuple[LawRecord, ...]:
    """What the law says of the scores of this workspace's finished runs, and what they measured."""
    law = paper_law()
    return tuple(
        LawRecord(
            name=point.run,
            source="own run",
            score=point.x,
            predicted_percent=float(law.gain(point.x)),
            measured_percent=point.gain,
        )
        for point in points.own_points()
    )


def own_exchanges() -> tuple[EquivalenceResult, ...]:
    """What finished runs of this workspace measured of synthetic images in real ones, newest first; one that
    cannot be read is left out, with a word in the log."""
    found = []
    for paths in runs.list_runs("equivalence"):
        if paths.result.exists():
            try:
                found.append(EquivalenceResult.read(paths.result))
            except GMAugError as error:
                log.warning("the result of %s predicts nothing: %s", paths.id, error.what)
    return tuple(found)
