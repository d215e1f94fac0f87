"""A similarity run: the score of the training split."""

from __future__ import annotations

import logging

import numpy as np

from gmaug_core import runs
from gmaug_core.config import Profile, SimilarityConfig
from gmaug_core.data import dataset, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.hooks import Report, ShouldStop, under
from gmaug_core.method.score import score_training_images
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.result import KnownSet, SimilarityResult

log = logging.getLogger("gmaug")


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


def earlier_sets(config: SimilarityConfig, data: Dataset, part: splits.Part) -> dict[str, KnownSet]:
    """What earlier scores of the same training images measured: an edit computes only what it touched.

    A score that cannot be read is left out: its sets are measured again.
    """
    known: dict[str, KnownSet] = {}
    own = np.array_equal(part.index, data.split("train"))  # of the dataset itself: no seed moves it
    for paths in runs.list_runs("similarity", config.dataset):
        document = RunConfigFile.read(paths.config)
        settings = document.settings_as(SimilarityConfig)
        if (
            paths.result.exists()
            and document.dataset_version == data.version
            and settings.profile == config.profile
            and settings.device == config.device
        ):
            try:
                earlier = SimilarityResult.read(paths.result)
            except GMAugError as error:
                log.warning("the score of %s is not used: %s", paths.id, error.what)
                continue
            same = earlier.ssim_mergecls.n == len(part.index) and (own or earlier.split_seed == part.seed)
            known |= earlier.known if same else {}
    return known
