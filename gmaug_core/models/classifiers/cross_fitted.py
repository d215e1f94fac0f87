"""Several classifiers as one judge, none of which alone has seen all training images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.data.views import Images, View
from gmaug_core.models.classifiers.trained import Classifier


@dataclass(frozen=True)
class CrossFitted:
    """members: one a fold, trained without it; fold: int64 [n], of each training image; below 0: every member
    was trained on it."""

    members: tuple[Classifier, ...]
    fold: NDArray[np.int64]

    def predict_logits(self, images: Images) -> NDArray[np.float32]:
        """float32 [m, classes], of images that no member was trained on: the mean over members."""
        return np.asarray(np.mean([each.predict_logits(images) for each in self.members], axis=0), np.float32)

    def unseen(self, images: Images) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The training images that one member has not seen, and what that one says of them: rows int64 [m],
        ascending, logits float32 [m, classes]. images: all training images, in the order of `fold`.
        """
        known = np.flatnonzero(self.fold >= 0)
        logits = np.zeros((len(known), self.members[0].network.classes), np.float32)
        for fold, member in enumerate(self.members):
            rows = np.flatnonzero(self.fold == fold)
            logits[self.fold[known] == fold] = member.predict_logits(
                View([np.asarray(images[rows])], np.arange(len(rows)))
            )
        return known, logits

    def features(self, images: Images) -> NDArray[np.float32]:
        """float32 [m, d]: the members' side by side, so scaled that distances are as one member's."""
        scale = np.float32(len(self.members) ** -0.5)
        return np.concatenate([each.features(images) for each in self.members], axis=1) * scale

    def judge(self) -> Callable[[Tensor], Tensor]:
        """As Classifier.judge: the mean over members."""
        asked = [each.judge() for each in self.members]
        return lambda images: torch.stack([each(images) for each in asked]).mean(dim=0)
