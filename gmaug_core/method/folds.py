"""Every image tested once: the whole experiment in each of K folds, and one result over all test images.

A fold is an experiment of its own below fold-k: its split, baseline, generator, selection, controls and
choice of the endpoint, which its validation part makes. Nothing of a fold looks at its test part before its
comparison, and no fold knows of another. What they measured is then paired by seed and image over all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig
from gmaug_core.data import splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method import experiment
from gmaug_core.method.cautions import COVERED, cautions
from gmaug_core.method.lab import Lab
from gmaug_core.method.parts.accuracy import Fold
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.shared import Folders
from gmaug_core.method.stopping import EarlyVerdict
from gmaug_core.method.testing import Endpoint, measured, recalls, write_predictions
from gmaug_core.models.checkpoint import load_state, save_state
from gmaug_core.models.classifiers import Evaluation, evaluation

TESTED = "tested.safetensors"  # what a fold's classifiers said of its test images
ALONE, AUGMENTED = "best_alone", "best_augmented"  # the endpoint of every fold, whichever recipe it chose


@dataclass(frozen=True)
class Done:
    """A finished fold. tested: by variant one evaluation a seed, the endpoint's two among them; index: int64,
    the images that it tested."""

    result: AugmentationResult
    tested: Mapping[str, Sequence[Evaluation]]
    index: NDArray[np.int64]


def run(
    config: AugmentationConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    *,
    out_dir: Path,
    others: Folders = tuple,
    verdict: EarlyVerdict | None = None,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> AugmentationResult:
    """Do the experiment in every fold, or what is left of it, below out_dir, the run's folder; the result of
    all. Arguments and errors as experiment.run; a probe that asks does so once a run."""
    done = list[Done]()
    for number, parts in enumerate(splits.of_run(data, config.seed, config.folds), start=1):
        asked = any(each.result.probe and each.result.probe.stop for each in done)
        settings = config.model_copy(update={"probe": "off"}) if asked and config.probe == "ask" else config
        folder = out_dir / f"fold-{number}"
        path = folder / splits.Split.FILE
        if not path.exists():
            splits.write(path, data, config.seed, parts)
        if not (folder / AugmentationResult.FILE).exists():
            experiment.run(
                settings,
                data,
                grouping,
                out_dir=folder,
                others=others,
                verdict=verdict,
                keep=partial(_keep, folder / TESTED),
                report=partial(_told, report, number, config.folds),
                should_stop=should_stop,
            ).write(folder / AugmentationResult.FILE)
        done.append(_read(folder, data))
    lab = Lab.prepare(config, data, out_dir / "fold-1", report, should_stop)
    return together(lab, out_dir, done)


def _told(report: Report, fold: int, folds: int, stage: str, step: int, total: int, **metrics: Any) -> None:
    report(stage, step, total, fold=fold, folds=folds, **metrics)


def _keep(path: Path, tested: Mapping[str, Sequence[Evaluation]], endpoint: Endpoint | None) -> None:
    """What a fold measured, in a file: variants, and which of them its endpoint compares."""
    state = {
        "variants": {
            key: [
                {
                    "correct": torch.from_numpy(each.correct),
                    "probabilities": torch.from_numpy(each.probabilities),
                }
                for each in found
            ]
            for key, found in tested.items()
        },
        # a fold without an endpoint tested nothing: both sides are its baseline
        "endpoint": [endpoint.alone, endpoint.augmented] if endpoint else ["baseline", "baseline"],
    }
    save_state(path, state)


def _read(folder: Path, data: Dataset) -> Done:
    state, parts = load_state(folder / TESTED), splits.Split.read(folder / splits.Split.FILE).parts
    labels, classes = data.labels[parts["test"]], len(data.class_names)
    tested = {
        key: [
            evaluation(each["correct"].numpy(), each["probabilities"].numpy(), labels, classes)
            for each in found
        ]
        for key, found in state["variants"].items()
    }
    alone, augmented = state["endpoint"]
    ends = {ALONE: tested[alone], AUGMENTED: tested[augmented]}
    return Done(AugmentationResult.read(folder / AugmentationResult.FILE), tested | ends, parts["test"])


def together(lab: Lab, out_dir: Path, done: Sequence[Done]) -> AugmentationResult:
    """One result over all test images. lab: of the first fold, whose training the result tells of; what the
    first seed said of each image goes to a file of out_dir."""
    order = np.argsort(np.concatenate([each.index for each in done]), kind="stable")
    index = np.concatenate([each.index for each in done])[order]
    fold = np.repeat(np.arange(len(done)), [len(each.index) for each in done])[order]
    labels = lab.data.labels[index]
    keys = [key for key in done[0].tested if all(key in each.tested for each in done)]
    tested = {key: _pooled([each.tested[key] for each in done], order, labels) for key in keys}
    first = done[0].result
    recipes = {each.result.endpoint_recipe for each in done}
    one = recipes.pop() if len(recipes) == 1 else None
    whole = any(each.result.status == "measured" for each in done)
    endpoint = Endpoint(one or "", ALONE, AUGMENTED, rivals=_rivals(done, keys)) if whole else None
    if not whole:  # no fold has an endpoint: nothing to show of it
        tested = {key: each for key, each in tested.items() if key not in (ALONE, AUGMENTED)}
    found = measured(labels, tested, endpoint, fold=fold)
    rows = [
        {**row.to_dict(), "test": int((labels == label).sum()), **recalls(tested, labels, label)}
        for label, row in enumerate(first.per_class)
    ]
    document = AugmentationResult.new(
        **{key: value for key, value in first.to_dict().items() if key not in ("schema", "endpoint")}
        | {
            "run": out_dir.name,
            "splits": first.splits.to_dict() | {"test": len(index), "notes": _untested(lab, index)},
            "status": "measured" if whole else "not tested",
            "status_words": "" if whole else first.status_words,
            **found,
            "endpoint_recipe": one,
            "per_class": rows,
            "warnings": _warnings(lab, done, index),
            "folds": [_fold(number, each) for number, each in enumerate(done, start=1)],
        }
    )
    write_predictions(
        lab.data, out_dir, index, lab.seeds[0], tested, endpoint or Endpoint("", "baseline", "augmented")
    )
    return document


def _rivals(done: Sequence[Done], keys: Sequence[str]) -> tuple[str, ...]:
    """The recipes that some fold chose, or could not tell from the one that it chose; none where there is but
    one."""
    chosen = {each.result.endpoint.control for each in done if each.result.endpoint}
    named = chosen.union(*(each.result.rivals or () for each in done))
    return tuple(key for key in keys if key in named and chosen != {key})


def _pooled(
    found: Sequence[Sequence[Evaluation]], order: NDArray[np.int64], labels: NDArray[np.int64]
) -> list[Evaluation]:
    """One evaluation a seed, of all folds' test images in this order. found: by fold and seed."""
    return [
        evaluation(
            np.concatenate([each.correct for each in of_seed])[order],
            np.concatenate([each.probabilities for each in of_seed])[order],
            labels,
            of_seed[0].probabilities.shape[1],
        )
        for of_seed in zip(*found, strict=True)
    ]


def _fold(number: int, done: Done) -> Fold:
    result = done.result
    return Fold(
        fold=number,
        train=result.splits.train,
        val=result.splits.val,
        test=result.splits.test,
        status=result.status,
        endpoint_recipe=result.endpoint_recipe,
        points=result.endpoint.points if result.endpoint else None,
        accepted=result.accepted.total,
    )


def _untested(lab: Lab, index: NDArray[np.int64]) -> list[str]:
    """Which classes no fold could test, in words."""
    nowhere = np.zeros(0, np.int64)
    parts = {"train": nowhere, "val": nowhere, "test": index}
    return splits.notes(lab.data.labels, parts, lab.data.class_names, lab.data.groups)


def _warnings(lab: Lab, done: Sequence[Done], index: NDArray[np.int64]) -> list[str]:
    """The first fold's, but for what several folds change, and what they mean."""
    of_test = ("No test image", "Fewer than")
    own = [line for line in done[0].result.warnings if not line.startswith((COVERED, *of_test))]
    tested = np.bincount(lab.data.labels[index], minlength=lab.classes)
    told = cautions(lab.config, lab.data.class_names, collapse=None, steps=[], accepted=None, tested=tested)
    own += [line for line in told if line.startswith(of_test)]
    nothing = [number for number, each in enumerate(done, start=1) if each.result.status == "not tested"]
    if nothing and len(nothing) < len(done):
        listed = ", ".join(map(str, nothing))
        own.append(
            f"Synthetic images were not tested in fold {listed}: there both sides of the comparison are the "
            "baseline, which makes the gain smaller."
        )
    return [
        *own,
        f"Every image was tested once, in {len(done)} folds with a generator of their own each. Of the "
        "first fold are: what is said of training, what validation chose, amounts, the paper's counting, "
        "the samples and an export. Intervals are the wider of two: over classifier seeds and images, and "
        "over folds.",
    ]
