"""Pictures: the pixels that were asked for, enlarged without smoothing, and nothing of the original file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gmaug_core.data import dataset, pictures


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


@pytest.mark.parametrize("colour", [(), (3,)])
def test_a_png_holds_its_pixels_enlarged_by_a_whole_factor(colour):
    image = np.random.default_rng(0).integers(0, 256, (10, 12, *colour), np.uint8)
    assert np.array_equal(opened(pictures.png(image)), image)
    large = opened(pictures.png(image, least=25))
    assert large.shape[:2] == (30, 36)
    assert all(np.array_equal(large[a::3, b::3], image) for a in range(3) for b in range(3))


def test_a_sheet_shows_each_image_enlarged_and_apart():
    rows = [np.full((2, 16, 16), 10, np.uint8), np.full((1, 16, 16), 20, np.uint8)]
    sheet = opened(pictures.sheet(rows, columns=2))
    gap = pictures.SHEET_GAP
    assert sheet.shape == (128 + gap, 128 + gap)
    assert (sheet[:64, :64] == 10).all()
    assert (sheet[:64, 64 + gap :] == 10).all()
    assert (sheet[64 + gap :, :64] == 20).all()
    assert (sheet[64 : 64 + gap] == pictures.SHEET_GREY).all()
    assert (sheet[64 + gap :, 64:] == pictures.SHEET_GREY).all()


def test_large_images_keep_their_size_on_a_sheet_and_too_many_are_left_out():
    row = np.random.default_rng(1).integers(0, 256, (5, 80, 80, 3), np.uint8)
    sheet = opened(pictures.sheet([row], columns=3))
    assert sheet.shape == (80, 3 * 80 + 2 * pictures.SHEET_GAP, 3)
    assert np.array_equal(sheet[:, :80], row[0])
    assert np.array_equal(sheet[:, -80:], row[2])


def test_a_training_grid_is_enlarged_in_its_own_colour(tmp_path):
    for mode in ("L", "RGB"):
        path = tmp_path / f"grid-{mode}.png"
        Image.new(mode, (150, 20), 77 if mode == "L" else (7, 8, 9)).save(path)
        with Image.open(io.BytesIO(pictures.enlarged(path))) as image:
            assert (image.mode, image.size) == (mode, (450, 60))


def test_a_thumbnail_is_small_and_holds_no_metadata():
    image = Image.new("RGB", (400, 200), (10, 200, 30))
    image.info["comment"] = b"a person's name"
    made = Image.open(io.BytesIO(pictures.thumbnail(image, 96)))
    assert (made.format, made.size) == ("WEBP", (96, 48))
    assert not made.getexif()
    assert "comment" not in made.info


def test_shots_are_training_images_of_their_class(demo):
    data = dataset.load(demo)
    for name, rows in pictures.shots(data, 4).items():
        assert 1 <= len(rows) <= 4
        assert all(data.class_names[data.labels[i]] == name and data.splits[i] == "train" for i in rows)


def test_a_strip_shows_a_few_classes_with_round_corners(demo):
    strip = Image.open(io.BytesIO(pictures.strip(dataset.load(demo))))
    size = pictures.STRIP_PX
    assert strip.mode == "RGBA"
    assert strip.size == (6 * (size + pictures.STRIP_GAP) - pictures.STRIP_GAP, size)
    alpha = np.asarray(strip)[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[size // 2, size // 2] == 255
    assert (alpha[:, size : size + 6] == 0).all()
