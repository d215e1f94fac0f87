"""How a training treats its images, beside the classifier's own settings: what a recipe, or the use of
synthetic images, adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Strong = Literal["none", "trivial_augment", "mixup", "cutmix"]


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """By default all images alike.

    draw_weights: float [n], how likely each image is drawn; class_weights: float [classes], factors of the
    loss; logit_offsets: float [classes], added to the logits inside the loss alone (logit adjustment, Menon
    2021); strong: augmentation beside the classifier's own; image_weights: float [n], factors of each image's
    loss; apart: bool [n], images that batch normalisation normalises by statistics of their own, which are
    forgotten (Xie 2020, arXiv 1911.09665, for images of another distribution); feature_step: where the last
    layer is trained alone, features of each image move by up to this share of the way to those of another
    image of its class, below 0 away from them (DeVries 2017, arXiv 1702.05538). n: training images.
    """

    draw_weights: NDArray[np.float64] | None = None
    class_weights: NDArray[np.float64] | None = None
    logit_offsets: NDArray[np.float64] | None = None
    strong: Strong = "none"
    image_weights: NDArray[np.float64] | None = None
    apart: NDArray[np.bool_] | None = None
    feature_step: float = 0.0


ALIKE = Treatment()
