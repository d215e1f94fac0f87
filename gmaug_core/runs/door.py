"""What a run needs, looked at before it exists and before it goes on: images, files of weights, a split.

What is missing is refused in words (exit status 2) on page, command line and in Python alike, and no run is
made that could only fail.
"""

from __future__ import annotations

import numpy as np

from gmaug_core.config import (
    AugmentationConfig,
    EquivalenceConfig,
    FolderConfig,
    RunConfig,
    VerdictConfig,
    require_files,
)
from gmaug_core.data import balance, dataset, elsewhere, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import InputError
from gmaug_core.method.equivalence import plan
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import RunPaths


def check(config: RunConfig, data: Dataset) -> None:
    """Raises InputError where a new run of these settings could only fail on the dataset."""
    data.require_whole()
    _require_sources(config)
    if isinstance(config, AugmentationConfig):
        for parts in splits.of_run(data, config.seed, config.folds):
            train = data.labels[parts["train"]]
            stock = config.generator.stock
            balance.check_short(train, config.target, data.class_names, config.added, stock)
    elif isinstance(config, VerdictConfig):
        splits.made(data, config.seed)
    elif isinstance(config, EquivalenceConfig):
        labels = data.labels[splits.made(data, config.seed)["train"]]
        plan.make(config, np.bincount(labels, minlength=len(data.class_names)), data.class_names)


def check_again(paths: RunPaths) -> RunConfigFile:
    """The config of a run that is to go on. Raises InputError where what it needs is gone or has changed."""
    document = RunConfigFile.read(paths.config)
    data = dataset.load(document.settings.dataset)
    data.require_whole()
    if data.version != document.dataset_version:
        raise InputError(
            "the dataset has changed since this run began", expected="the same images", todo="start a new run"
        )
    if not (paths.generator / "figures.json").exists():  # else what it learnt from is not needed any more
        _require_sources(document.settings)
    return document


def _require_sources(config: RunConfig) -> None:
    """Raises InputError where weights or images that a training starts from are not there."""
    if isinstance(config, VerdictConfig):
        config = config.augmentation
    if isinstance(config, AugmentationConfig | EquivalenceConfig):
        require_files(config)
        if isinstance(config.generator, FolderConfig):
            elsewhere.load(config.generator.images).require_whole()
