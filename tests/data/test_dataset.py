"""Datasets as they are read: arrays, splits, cached images, thumbnails, the demo."""

from __future__ import annotations

import io

import numpy as np
import pytest
from corpus import encode, files, make_folder, pixels
from PIL import Image

from gmaug_core.data import dataset, decoded_cache, pictures
from gmaug_core.data.decode import canonical
from gmaug_core.errors import GMAugError, InputError, Stopped
from gmaug_core.intake import import_path


@pytest.fixture
def small(home, tmp_path) -> dataset.Dataset:
    """Seven images, two classes, three sizes."""
    contents = {f"cat/{i}.png": encode(pixels(i, (20 + i, 30))) for i in range(5)} | {
        f"dog/{i}.png": encode(pixels(9 + i)) for i in range(2)
    }
    return dataset.load(import_path(make_folder(tmp_path / "small", contents)).dataset_id)


def test_facts(small):
    assert small.class_names == ("cat", "dog")
    assert small.labels.tolist() == [0] * 5 + [1] * 2
    assert small.labels.dtype == np.int64
    assert small.counts == {"cat": 5, "dog": 2}
    assert small.imbalance_ratio == 2.5
    assert small.image_size == 21
    assert (small.colour, small.symmetric, len(small), small.name) == ("rgb", True, 7, "small")
    assert small.split("train").tolist() == list(range(7))
    assert small.split("test").size == 0
    with pytest.raises(InputError, match="not a split"):
        small.split("training")


@pytest.mark.parametrize("name", ["8-rgb", "16-grey", "paper-16", "uniform7-16-rgb"])
def test_images_are_the_canonical_form_of_every_image(small, name):
    size, colour = dataset.parse_format(name)
    images = small.images(name)
    assert images.shape == (7, size, size) + ((3,) if colour == "rgb" else ())
    assert images.dtype == np.uint8
    for i in range(7):
        np.testing.assert_array_equal(images[i], canonical(small.decoded(i).image, size, colour))
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable


@pytest.mark.parametrize("name", ["4-rgb", "2000-grey", "32-blue", "", "../x"])
def test_unknown_formats(small, name):
    with pytest.raises(InputError):
        small.images(name)


def test_an_interrupted_cache_goes_on_where_it_was(small, monkeypatch):
    monkeypatch.setattr(decoded_cache, "CHUNK", 2)
    steps: list[int] = []
    with pytest.raises(Stopped):
        small.images(
            "8-rgb", report=lambda stage, step, total: steps.append(step), should_stop=lambda: len(steps) == 2
        )
    assert steps == [2, 4]
    assert not list((small.folder / "cache").glob("[!.]*"))
    decoded = []
    monkeypatch.setattr(
        dataset, "canonical", lambda image, *form: decoded.append(image) or canonical(image, *form)
    )
    resumed = small.images("8-rgb")
    assert len(decoded) == 3
    np.testing.assert_array_equal(resumed, [canonical(small.decoded(i).image, 8, "rgb") for i in range(7)])
    assert small.images("8-rgb").shape == resumed.shape
    assert len(decoded) == 3
    names = {p.name for p in (small.folder / "cache").iterdir() if not p.name.endswith(".lock")}
    assert names == {"8-rgb.npy", "8-rgb.sums.json"}


@pytest.mark.parametrize(("name", "at"), [("8-rgb.npy", 300), ("8-rgb.npy", 60), ("8-rgb.sums.json", 30)])
def test_damaged_decoded_images_are_decoded_again(small, name, at):
    expected = np.array(small.images("8-rgb"))
    path = small.folder / "cache" / name
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    decoded_cache._seen.clear()  # as in another process
    np.testing.assert_array_equal(small.images("8-rgb"), expected)
    assert decoded_cache.intact(small.folder / "cache" / "8-rgb.npy", expected.shape)


def test_decoded_images_of_before_checksums_are_taken_as_they_are(small):
    np.array(small.images("8-rgb"))
    (small.folder / "cache" / "8-rgb.sums.json").unlink()
    (small.folder / "cache" / "8-rgb.npy").touch()
    changed = (small.folder / "cache" / "8-rgb.npy").stat().st_ino
    small.images("8-rgb")
    assert (small.folder / "cache" / "8-rgb.npy").stat().st_ino == changed


def test_a_damaged_original_is_named_and_no_cache_is_left(small):
    digest = small.provenance(2).sha256
    (small.folder / "originals" / digest[:2] / digest).write_bytes(b"changed")
    with pytest.raises(GMAugError, match=r"cat/2\.png"):
        small.images("8-rgb")
    assert not (small.folder / "cache" / "8-rgb.npy").exists()


def test_thumbnail_and_provenance(small):
    image = Image.open(io.BytesIO(pictures.thumbnail(small.decoded(0).image, 16)))
    assert image.format == "WEBP"
    assert max(image.size) == 16
    assert small.provenance(5) == dataset.Provenance(
        file="dog/0.png",
        sha256=small.manifest.images.sha256[5],
        sub_class="dog",
        split="train",
        size=(12, 12),
        conversions=(),
    )


def test_grey_datasets_are_seen_and_conversions_kept(home, tmp_path):
    contents = {
        f"{name}/{i}.png": encode(pixels(i + ord(name), channels=1)) for name in "ab" for i in range(2)
    }
    contents["b/deep.png"] = encode(np.arange(256, dtype=np.uint16).reshape(16, 16) * 257)
    data = dataset.load(import_path(make_folder(tmp_path / "grey", contents)).dataset_id)
    assert data.colour == "grey"
    assert data.provenance(4).conversions == ("16-bit rescaled to 8-bit",)


def test_load_names_what_is_near(home, tmp_path):
    with pytest.raises(InputError, match="there is no dataset 'x'"):
        dataset.load("x")
    known = import_path(make_folder(tmp_path / "flowers", files("a/1.png", "b/1.png"))).dataset_id
    with pytest.raises(InputError, match=known):
        dataset.load(known[:-1])
    with pytest.raises(InputError):
        dataset.load("../" + known)


def test_order_and_version_do_not_depend_on_names_of_wrappers_or_time(home, tmp_path, monkeypatch):
    contents = files("b/10.png", "b/9.png", "a/2.png", "a/1.png")
    first = dataset.load(import_path(make_folder(tmp_path / "one", contents)).dataset_id)
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "elsewhere"))
    second = dataset.load(import_path(make_folder(tmp_path / "two" / "w", contents).parent).dataset_id)
    assert first.version == second.version
    assert first.manifest.images.file == ("a/1.png", "a/2.png", "b/9.png", "b/10.png")
