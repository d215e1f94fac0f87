"""Scores that runs have measured: the newest of a grouping as it is now, and what the law says of it.

The one place that answers "which score counts": the pages and the command line both ask here.
"""

from __future__ import annotations

import logging

import numpy as np

from gmaug_core import runs
from gmaug_core.config import Profile, SimilarityConfig
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.splits import Part
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.scoring.advice import Addition, Advice, of_score
from gmaug_core.scoring.law import PAPER_PROFILE
from gmaug_core.scoring.result import KnownSet, SimilarityResult, Stored
from gmaug_core.workspace import groupings, suggestions
from gmaug_core.workspace.suggestions import Suggestion

log = logging.getLogger("gmaug")


def newest(data: Dataset, grouping: str) -> SimilarityResult | None:
    """The newest finished score under a grouping as it is now, at the law's profile; None without one.

    A score of the grouping before it was edited does not count, nor one that cannot be
    read. Raises InputError for an unknown grouping.
    """
    groups = groupings.super_classes(data, grouping)
    for paths in runs.list_runs("similarity", data.id):
        config = RunConfigFile.read(paths.config)
        settings = config.settings_as(SimilarityConfig)
        if settings.grouping != grouping or settings.profile != PAPER_PROFILE or config.grouping != groups:
            continue
        if not paths.result.exists():
            continue
        try:
            return SimilarityResult.read(paths.result)
        except GMAugError as error:
            log.warning("the score of %s is not used: %s", paths.id, error.what)
    return None


def require_newest(data: Dataset, grouping: str) -> SimilarityResult:
    """As `newest`. Raises InputError that says how to measure one, and what there is instead."""
    score = newest(data, grouping)
    if score is None:
        others = sorted({_measured(paths) for paths in runs.list_runs("similarity", data.id)})
        raise InputError(
            f"dataset '{data.id}' has no score under its grouping '{grouping}' as it is now, "
            f"at profile '{PAPER_PROFILE}'"
            + (f" (there are runs of: {', '.join(others)})" if others else ""),
            expected="a finished similarity run under this grouping at the profile of the curve",
            todo=f"python -m gmaug_core similarity {data.id} --grouping '{grouping}'",
        )
    return score


def earlier_sets(config: SimilarityConfig, data: Dataset, part: Part) -> dict[str, KnownSet]:
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


def suggestion(data: Dataset, k: int | None = None) -> Suggestion:
    """Super-classes to start from: by the SSIM between sub-classes where a score has measured it, else by
    their mean pictures. k: how many; None: as many as hold together best. Raises InputError.
    """
    for paths in runs.list_runs("similarity", data.id):
        if not paths.result.exists() or RunConfigFile.read(paths.config).dataset_version != data.version:
            continue
        try:
            why = SimilarityResult.read(paths.result).explanation
        except GMAugError as error:
            log.warning("the score of %s is not used: %s", paths.id, error.what)
            continue
        if why is None or list(why.matrix.classes) != list(data.class_names):
            continue
        distances = suggestions.by_likeness(why.matrix.mean)
        if distances is not None:
            return suggestions.suggest(data.class_names, distances, k, basis="their SSIM to one another")
    return suggestions.suggest(data.class_names, suggestions.by_pictures(data), k)


def _measured(paths: RunPaths) -> str:
    settings = RunConfigFile.read(paths.config).settings_as(SimilarityConfig)
    return f"{settings.grouping} at {settings.profile}"


def edited_since(data: Dataset, paths: RunPaths) -> bool:
    """Whether the grouping of a run is a different one now. False when it is gone: nothing is newer then."""
    config = RunConfigFile.read(paths.config)
    try:
        return groupings.super_classes(data, config.settings.grouping) != config.grouping
    except InputError:
        return False


def advice(score: SimilarityResult, data: Dataset, target: int | None = None) -> Advice:
    """What a score of this dataset says: the law's prediction with its record, or why there is none.

    target: images a class that a run would fill up to; None: the largest class. Scores from before sizes were
    noted take them from the dataset as it is.
    """
    if score.stored is None:
        sizes = data.manifest.images.size
        stored = Stored.of((sizes[i] for i in data.split("train")), Profile.parse(score.profile).size)
        score = score.model_copy(update={"stored": stored})
    counts = data.counts.values()
    short = sum(max((target or max(counts)) - n, 0) for n in counts)
    return of_score(score, Addition(sum(counts), short))
