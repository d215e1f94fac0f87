"""Who judges the images of a step: the classifiers of the arm before it, as in paper A, or cross-fitted
ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.data.views import Images
from gmaug_core.method.arms import Arm, Order
from gmaug_core.method.lab import Lab
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.models.classifiers import CrossFitted


class Judge(Protocol):
    """What selection asks: a classifier, or several as one."""

    def predict_logits(self, images: Images) -> NDArray[np.float32]:
        """float32 [n, classes], in input order."""

    def features(self, images: Images) -> NDArray[np.float32]:
        """float32 [n, d]."""

    def judge(self) -> Callable[[Tensor], Tensor]:
        """As Classifier.judge."""


def judges(lab: Lab, step: int, before: Arm) -> Mapping[int, Judge]:
    """The judges of a step, by seed. before: the arm of the step before, or the baseline.

    A cross-fitted judge is K classifiers trained as the arm's own, each without one part of the real images.
    Raises what training raises.
    """
    rule = lab.config.selection
    if rule.judge == "plain":
        return before.classifiers
    home = lab if before.way else lab.of(0)  # on real images alone: the same for every generator
    orders = [
        Order(
            f"judge{step}-{fold + 1}of{rule.judge_folds}",
            partial(_training_set, home, before, fold),
            way=before.way,
            step=before.step,
            held=fold,
        )
        for fold in range(rule.judge_folds)
    ]
    arms = home.arms(f"judges-{step}", orders)
    return {
        seed: CrossFitted(tuple(arm.classifiers[seed] for arm in arms), home.judge_fold) for seed in lab.seeds
    }


def _training_set(lab: Lab, before: Arm, fold: int, seed: int) -> TrainingSet:
    """What the arm's classifier of this seed is trained on, without one part of the real images."""
    if before.way is None:
        return lab.real_without(fold)
    whole = lab.kept(before.step, before.way, seed)
    made = np.ones(len(whole.labels) - len(lab.judge_fold), bool)
    return whole.only(np.concatenate([lab.judge_fold != fold, made]))
