"""What two classifiers said of five test images of two classes."""

from __future__ import annotations

from gmaug_core.method.predictions import Predictions

FOUND = Predictions.new(
    dataset_version="x",
    seed=0,
    images=(4, 7, 9, 12, 20),
    label=(0, 0, 1, 1, 1),
    before=(0, 1, 0, 1, 0),
    after=(0, 0, 0, 0, 1),
    control="baseline",
    augmented="augmented",
)
