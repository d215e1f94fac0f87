"""SSIM: scikit-image's numbers to 1e-6 on real and on awkward images; nothing but the two images matters."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import structural_similarity

from gmaug_core.errors import InputError
from gmaug_core.scoring import ssim, ssim_torch
from gmaug_core.scoring.ssim import ssim_pairs

REFERENCE = {
    "gaussian11": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
    "uniform7": {},  # scikit-image's defaults: 7 x 7 box, sample covariance
}

ROOT = Path(__file__).resolve().parent.parent.parent


def reference(images, pairs, window):
    colour = {"channel_axis": 2} if images.ndim == 4 else {}
    return np.array(
        [
            structural_similarity(images[i], images[j], data_range=255, **REFERENCE[window], **colour)
            for i, j in pairs
        ]
    )


def smooth(rng, n, height, width, channels=()):
    """Random images with structure at every scale."""
    coarse = rng.integers(0, 256, (n, 5, 5, *channels)).astype(np.uint8)
    images = [
        np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
        for image in coarse
    ]
    return np.clip(np.stack(images) + rng.normal(0, 12, (n, height, width, *channels)), 0, 255).astype(
        np.uint8
    )


@pytest.fixture(scope="module")
def photos(sample_data):
    with zipfile.ZipFile(sample_data / "flowers_128.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        return np.stack(
            [
                np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB").resize((128, 128)))
                for name in names[::29]
            ]
        )


@pytest.mark.slow
@pytest.mark.parametrize("window", ssim.WINDOWS)
def test_a_thousand_pairs_of_photos(photos, window):
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in photos])
    pairs = np.random.default_rng(0).integers(0, len(grey), (1000, 2))
    assert np.abs(ssim_pairs(grey, pairs, window=window) - reference(grey, pairs, window)).max() <= 1e-6
    pairs = pairs[:60]
    assert np.abs(ssim_pairs(photos, pairs, window=window) - reference(photos, pairs, window)).max() <= 1e-6


@pytest.mark.parametrize("window", ssim.WINDOWS)
@pytest.mark.parametrize("shape", [(16, 16), (11, 11), (17, 40), (33, 18), (64, 64), (130, 50), (16, 227)])
def test_any_size(shape, window):
    images = smooth(np.random.default_rng(1), 4, *shape)
    pairs = [(i, j) for i in range(4) for j in range(4)]
    assert np.abs(ssim_pairs(images, pairs, window=window) - reference(images, pairs, window)).max() <= 1e-6


def flat_images():
    """Where float32 fails: constant regions far from one another, saturated, with sharp edges, with noise
    of one grey level.
    """
    rng = np.random.default_rng(2)
    images = [np.full((64, 64), value) for value in (0, 1, 77, 128, 201, 254, 255)]
    for low, high in ((0, 255), (10, 250), (3, 201)):
        halves = np.full((64, 64), low)
        halves[:, 32:] = high
        centre = np.full((64, 64), high)
        centre[16:48, 16:48] = rng.integers(0, 256, (32, 32))
        images += [halves, halves.T, centre, low + (rng.random((64, 64)) < 0.5)]
    return np.stack(images).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("window", ssim.WINDOWS)
def test_flat_images(window):
    images = flat_images()
    pairs = [(i, j) for i in range(len(images)) for j in range(i, len(images))]
    assert np.abs(ssim_pairs(images, pairs, window=window) - reference(images, pairs, window)).max() <= 1e-6


@pytest.mark.parametrize("window", ssim.WINDOWS)
def test_perfect_ramps_are_the_worst_seen(window):
    """Every row alike, so rounding errors do not average out over rows."""
    images = np.stack(
        [np.tile(np.linspace(low, high, 64), (64, 1)) for low, high in ((0, 255), (10, 250), (3, 201))]
    ).astype(np.uint8)
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    assert np.abs(ssim_pairs(images, pairs, window=window) - reference(images, pairs, window)).max() <= 2e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_with_itself_symmetric_and_bounded(seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (3, 16, 20), dtype=np.uint8) // np.uint8(rng.integers(1, 60))
    values = ssim_pairs(images, [(0, 0), (0, 1), (1, 0), (1, 2)])
    assert values[0] == pytest.approx(1, abs=1e-6)
    assert values[1] == values[2]
    assert np.all(np.abs(values) <= 1 + 1e-6)


def test_order_batch_workers_and_memory_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    images = np.concatenate([smooth(rng, 30, 32, 32), np.full((2, 32, 32), 255, np.uint8)])
    pairs = rng.integers(0, len(images), (300, 2))
    values = ssim_pairs(images, pairs)
    assert np.array_equal(values, ssim_pairs(images, pairs[:, ::-1], workers=1))
    assert np.array_equal(values, ssim_pairs(images, pairs, workers=3))
    assert np.array_equal(values[::-1], ssim_pairs(images, pairs[::-1]))
    assert np.array_equal(
        values, np.concatenate([ssim_pairs(images, pairs[k : k + 7]) for k in range(0, 300, 7)])
    )
    shuffled = rng.permutation(len(images))
    assert np.array_equal(values, ssim_pairs(images[shuffled], np.argsort(shuffled)[pairs]))
    monkeypatch.setattr(ssim, "PLANE_BYTES", 1)  # two images at a time
    assert np.array_equal(values, ssim_pairs(images, pairs))


def test_memory_mapped_images(tmp_path):
    images = smooth(np.random.default_rng(4), 5, 24, 24)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert np.array_equal(ssim_pairs(mapped, [(0, 1), (3, 4)]), ssim_pairs(images, [(0, 1), (3, 4)]))
    assert ssim_pairs(mapped, np.empty((0, 2), int)).shape == (0,)


@pytest.mark.parametrize(
    ("images", "pairs", "said"),
    [
        (np.zeros((2, 16, 16)), [(0, 1)], "float64"),
        (np.zeros((2, 16, 16, 4), np.uint8), [(0, 1)], "4"),
        (np.zeros((2, 10, 16), np.uint8), [(0, 1)], "10 x 16"),
        (np.zeros((2, 16, 16), np.uint8), [(0, 2)], "2"),
        (np.zeros((2, 16, 16), np.uint8), [(0, -1)], "-1"),
        (np.zeros((2, 16, 16), np.uint8), [0, 1], "pairs"),
        (np.zeros((2, 16, 16), np.uint8), [(0.5, 1)], "float64"),
    ],
)
def test_what_cannot_be_compared_is_refused(images, pairs, said):
    with pytest.raises(InputError, match=said):
        ssim_pairs(images, pairs)


def test_an_unknown_window_is_refused():
    with pytest.raises(InputError, match="hann"):
        ssim_pairs(np.zeros((2, 16, 16), np.uint8), [(0, 1)], window="hann")


@pytest.mark.parametrize("window", ssim.WINDOWS)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_torch_gives_the_same_numbers(window, channels, monkeypatch):
    rng = np.random.default_rng(5)
    images = smooth(rng, 12, 40, 36, channels)
    pairs = rng.integers(0, 12, (50, 2))
    monkeypatch.setattr(ssim_torch, "BATCH_VALUES", 16 * images[0].size)  # in four batches
    found = ssim_torch.ssim_pairs_torch(images, pairs, window=window, device="cpu")
    assert np.abs(found - ssim_pairs(images, pairs, window=window)).max() <= 1e-6


@pytest.mark.parametrize("window", ssim.WINDOWS)
def test_torch_on_flat_images(window):
    images = flat_images()
    pairs = [(i, j) for i in range(len(images)) for j in range(i, len(images))]
    found = ssim_torch.ssim_pairs_torch(images, pairs, window=window, device="cpu")
    assert np.abs(found - reference(images, pairs, window)).max() <= 1e-9


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("window", ssim.WINDOWS)
def test_a_gpu_gives_the_same_numbers(window):
    rng = np.random.default_rng(6)
    images = smooth(rng, 40, 128, 128)
    pairs = rng.integers(0, 40, (3000, 2))
    found = ssim_torch.ssim_pairs_torch(images, pairs, window=window, device="cuda")
    assert np.abs(found - ssim_pairs(images, pairs, window=window)).max() <= 1e-6
