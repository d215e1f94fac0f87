"""A similarity run: the score of the training split."""

from __future__ import annotations

from gmaug_core.config import Profile, SimilarityConfig
from gmaug_core.data import dataset, splits
from gmaug_core.hooks import Report, ShouldStop, under
from gmaug_core.method.score import score_training_images
from gmaug_core.report.scores import earlier_sets
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.result import SimilarityResult


def similarity_result(
    document: RunConfigFile, paths: RunPaths, report: Report, should_stop: ShouldStop
) -> SimilarityResult:
    """Measure the training images of the run's dataset. Raises InputError where there is nothing to score."""
    config = document.settings_as(SimilarityConfig)
    data, profile = dataset.load(config.dataset), Profile.parse(config.profile)
    part = splits.training_part(paths.split, data, config.seed)
    report("decode", 0, len(data))
    score = score_training_images(
        data.images(profile.images, report=under(report, "decode"), should_stop=should_stop),
        data,
        part,
        document.grouping,
        profile=profile,
        seed=config.seed,
        pairs=config.pairs,
        half_width=config.half_width,
        workers=config.workers,
        device=config.device,
        known=earlier_sets(config, data, part),
        explained=True,
        report=report,
        should_stop=should_stop,
    )
    return score.model_copy(update={"run": paths.id})
