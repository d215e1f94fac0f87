"""What the first seed's classifiers said of every test image, before and after: the images behind each cell
of the confusion matrix. Without torch: pages read it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config.documents import Document

Change = Literal["fixed", "broken", "still wrong", "right both times"]


class Predictions(Document):
    """The classes that two classifiers of the first seed put the test images in."""

    TITLE = "predictions of the test images"
    FILE = "predictions.json"
    SCHEMA = 1
    INDENT: ClassVar[int | None] = None

    dataset_version: str
    """Of the images: their numbers below are positions in this version's manifest."""
    seed: int
    """Of both classifiers."""
    images: tuple[int, ...]
    """The test images, ascending."""
    label: tuple[int, ...]
    """The class of each: its position in the dataset's classes."""
    before: tuple[int, ...]
    """The class that the control's classifier put it in."""
    after: tuple[int, ...]
    """The class that the classifier trained with synthetic images put it in."""
    control: str
    """Key of the variant of `before`."""
    augmented: str
    """Key of the variant of `after`."""

    def confusion(self, when: Literal["before", "after"], classes: int) -> NDArray[np.int64]:
        """int [classes, classes]: test images by their class (rows) and the class they were put in."""
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (np.array(self.label, int), np.array(getattr(self, when), int)), 1)
        return matrix

    def cell(self, when: Literal["before", "after"], label: int, said: int) -> NDArray[np.int64]:
        """The test images behind one cell of that matrix, by their number in the manifest."""
        put = np.array(getattr(self, when), int)
        return self._images((np.array(self.label, int) == label) & (put == said))

    def changed(self, how: Change) -> NDArray[np.int64]:
        """The test images that the second classifier fixed, broke, or left as they were."""
        label = np.array(self.label, int)
        before, after = np.array(self.before, int) == label, np.array(self.after, int) == label
        chosen = {
            "fixed": ~before & after,
            "broken": before & ~after,
            "still wrong": ~before & ~after,
            "right both times": before & after,
        }[how]
        return self._images(chosen)

    def _images(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        images: NDArray[np.int64] = np.array(self.images, np.int64)[chosen]
        return images
