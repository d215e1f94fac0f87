from __future__ import annotations

import numpy as np
from predictions_fixture import FOUND

from gmaug_core.method.predictions import Predictions


def test_the_matrix_and_the_images_behind_each_cell():
    np.testing.assert_array_equal(FOUND.confusion("before", 3), [[1, 1, 0], [2, 1, 0], [0, 0, 0]])
    assert FOUND.cell("before", 1, 0).tolist() == [9, 20]
    for when in ("before", "after"):
        matrix = FOUND.confusion(when, 2)
        assert all(len(FOUND.cell(when, a, b)) == matrix[a, b] for a in range(2) for b in range(2))


def test_every_image_changed_in_one_of_four_ways():
    changes = {how: FOUND.changed(how).tolist() for how in ("fixed", "broken", "still wrong")}
    assert changes == {"fixed": [7, 20], "broken": [12], "still wrong": [9]}
    assert FOUND.changed("right both times").tolist() == [4]


def test_there_and_back(tmp_path):
    FOUND.write(tmp_path / Predictions.FILE)
    assert Predictions.read(tmp_path / Predictions.FILE) == FOUND
