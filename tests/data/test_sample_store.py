from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gmaug_core.data import samples
from gmaug_core.errors import Damaged


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
    names = ["step-1.npy", "step-1.parquet", "step-1.sums.npy"]
    assert sorted(path.name for path in (tmp_path / "grown").iterdir()) == names


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


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 4
    path.write_bytes(data)


def test_a_flipped_image_is_named_and_the_others_are_shown(tmp_path):
    for step, first in ((1, 0), (2, 5)):
        images, rows = batch(first, 5)
        samples.write_step(tmp_path, step, images, rows.assign(step=step))
    flip(tmp_path / "step-1.npy", 128 + 2 * 20 + 3)
    with pytest.raises(Damaged, match=r"step-1\.npy.*1 of its images.*\(2\)"):
        samples.all_images(tmp_path)
    with pytest.raises(Damaged, match="step-1"):
        samples.image(tmp_path, 2)
    for number in (0, 1, 3, 4):
        np.testing.assert_array_equal(samples.image(tmp_path, number), batch(0, 5)[0][number])
    np.testing.assert_array_equal(samples.image(tmp_path, 7), batch(5, 5)[0][2])
    flip(tmp_path / "step-1.npy", 75)  # its header: none of that step can be shown
    with pytest.raises(Damaged, match="step-1"):
        samples.image(tmp_path, 0)
    np.testing.assert_array_equal(samples.image(tmp_path, 7), batch(5, 5)[0][2])
    for name in ("step-2.sums.npy", "step-2.parquet"):
        flip(tmp_path / name, 200)
    with pytest.raises(Damaged, match="sums"):
        samples.image(tmp_path, 7)
    with pytest.raises(Damaged, match=r"step-2\.parquet"):
        samples.table(tmp_path)


@pytest.mark.parametrize("name", ["step-1.npy", "step-1/000001.parquet", "step-1/000001.sums.npy"])
def test_a_batch_that_was_damaged_while_its_step_was_drawn_is_drawn_again(tmp_path, name):
    growing = samples.GrowingStep(tmp_path, 1, (5, 4))
    for first in (0, 3, 6):
        growing.add(*batch(first, 3))
    growing.close()
    flip(tmp_path / name, 128 + 4 * 20)
    again = samples.GrowingStep(tmp_path, 1, (5, 4))
    assert again.count == 3
    for first in (3, 6):
        again.add(*batch(first, 3))
    again.finish()
    np.testing.assert_array_equal(
        samples.all_images(tmp_path), [i for k in (0, 3, 6) for i in batch(k, 3)[0]]
    )


def test_samples_of_before_checksums_are_read(tmp_path):
    images, rows = batch(0, 3)
    np.save(tmp_path / "step-1.npy", images)
    rows.to_parquet(tmp_path / "step-1.parquet", index=False)
    np.testing.assert_array_equal(samples.all_images(tmp_path), images)
    np.testing.assert_array_equal(samples.image(tmp_path, 1), images[1])
    assert len(samples.table(tmp_path)) == len(rows)


def test_some_images_come_in_the_order_that_is_asked_for_and_a_damaged_one_is_grey(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (5, 8, 8), np.uint8)
    rows = pd.DataFrame({name: [0] * 3 for name in samples.COLUMNS})
    samples.write_step(tmp_path, 1, pixels[:3], rows)
    samples.write_step(tmp_path, 2, pixels[3:], rows[:2])
    np.testing.assert_array_equal(samples.some_images(tmp_path, [4, 0, 2]), pixels[[4, 0, 2]])
    with pytest.raises(KeyError):
        samples.some_images(tmp_path, [0, 5])
    path = tmp_path / "step-2.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # of sample 4
    path.write_bytes(data)
    found = samples.some_images(tmp_path, [4, 3])
    assert (found[0] == samples.GREY).all()
    np.testing.assert_array_equal(found[1], pixels[3])
