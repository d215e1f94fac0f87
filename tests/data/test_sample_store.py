from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gmaug_core.data import samples


def batch(first, n, seed=0):
    """n grey images and the rows of two judges."""
    images = np.random.default_rng(first).integers(0, 255, (n, 5, 4), dtype=np.uint8)
    row = {"step": 1, "label": 0, "class": "a", "draw_seed": 0, "logit": 0.0, "probability": 0.5}
    row |= {"predicted": 0, "accepted": True, "reason": ""}
    rows = [pd.DataFrame({"sample": range(first, first + n), "seed": judge, **row}) for judge in (0, 1)]
    return images, pd.concat(rows, ignore_index=True)[samples.COLUMNS]


def test_a_growing_step_ends_as_a_whole_one(tmp_path):
    parts = [batch(0, 3), batch(3, 4), batch(7, 1)]
    growing = samples.GrowingStep(tmp_path / "grown", 1, (5, 4))
    for images, rows in parts:
        growing.add(images, rows)
    assert samples.steps(tmp_path / "grown") == [], "nobody reads a step before it is whole"
    growing.finish()
    images = np.concatenate([images for images, _ in parts])
    samples.write_step(tmp_path / "whole", 1, images, pd.concat([rows for _, rows in parts]))
    for folder in ("grown", "whole"):
        np.testing.assert_array_equal(samples.all_images(tmp_path / folder), images)
        assert samples.count(tmp_path / folder) == 8
    pd.testing.assert_frame_equal(*(samples.table(tmp_path / folder) for folder in ("grown", "whole")))
    assert (tmp_path / "grown/step-1.npy").read_bytes() == (tmp_path / "whole/step-1.npy").read_bytes()
    assert sorted(path.name for path in (tmp_path / "grown").iterdir()) == ["step-1.npy", "step-1.parquet"]


@pytest.mark.parametrize("torn", [0, 7, 200])
def test_what_was_added_stays_and_half_a_batch_does_not(tmp_path, torn):
    """Killed after `torn` bytes of the second batch's images: before its rows."""
    growing = samples.GrowingStep(tmp_path, 1, (5, 4))
    growing.add(*batch(0, 3))
    growing.close()
    with (tmp_path / "step-1.npy").open("ab") as file:
        file.write(bytes(torn))
    again = samples.GrowingStep(tmp_path, 1, (5, 4))
    assert again.count == 3
    pd.testing.assert_frame_equal(again.table(), batch(0, 3)[1])
    again.add(*batch(3, 2))
    again.finish()
    expected = np.concatenate([batch(0, 3)[0], batch(3, 2)[0]])
    np.testing.assert_array_equal(samples.all_images(tmp_path), expected)


def test_a_step_without_images_is_a_step(tmp_path):
    samples.GrowingStep(tmp_path, 1, (5, 4)).finish()
    assert samples.steps(tmp_path) == [1]
    assert samples.count(tmp_path) == len(samples.table(tmp_path)) == 0


def test_what_judges_say_of_real_images_stands_apart(tmp_path):
    assert samples.real_table(tmp_path).empty
    _, rows = batch(0, 3)
    for step in (1, 2):
        samples.write_real(tmp_path, step, rows.assign(step=step))
    assert samples.steps(tmp_path) == []
    assert samples.real_table(tmp_path).groupby(["step", "seed"]).size().tolist() == [3, 3, 3, 3]
