"""The test part of every run under a seal: whoever looks at one of its images before the verdict fails."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method import bench, experiment
from gmaug_core.method.lab import Lab


class Sealed(np.ndarray):
    """Images, of which some cannot be looked at as long as they are sealed. under: bool [n]."""

    under: np.ndarray
    sealed: bool

    def __getitem__(self, rows):
        if self.sealed and self.under[rows].any():
            raise AssertionError("a test image was looked at before the verdict")
        return np.asarray(self)[rows]


def sealed(images: np.ndarray, index: np.ndarray) -> Sealed:
    found = np.asarray(images).view(Sealed)
    found.under, found.sealed = np.isin(np.arange(len(images)), index), True
    return found


def seal(patch: pytest.MonkeyPatch) -> list[str]:
    """From now on every lab's test images are sealed until it compares. What it returns tells, when it is
    over, how often that was, and how often images were searched for held-out ones."""
    prepare, on_test, told = Lab.prepare.__func__, experiment.on_test, []

    def prepared(cls, *args, **more):
        lab = prepare(cls, *args, **more)
        lab.images = sealed(lab.images, lab.split["test"])
        return lab

    def opened(lab, arms):
        told.append("verdict")
        lab.images.sealed = False
        return on_test(lab, arms)

    class Searched(bench.HeldOut):
        """May look at test images, for nothing but to find them among those that were offered."""

        def __init__(self, val, test, train):
            told.append("searched")
            (images,) = test._arrays
            before, images.sealed = images.sealed, False
            super().__init__(val, test, train)
            images.sealed = before

    patch.setattr(Lab, "prepare", classmethod(prepared))
    patch.setattr(experiment, "on_test", opened)
    patch.setattr(bench, "HeldOut", Searched)
    return told
