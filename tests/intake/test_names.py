"""Names of files as zips and disks keep them: the classes are called what people called them."""

from __future__ import annotations

import os
import struct
import subprocess
import unicodedata
import zipfile
import zlib

import numpy as np
import pytest
from corpus import encode, files, make_folder, make_zip, png
from PIL import Image

from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.intake import import_path
from gmaug_core.intake.looks import depth_of
from gmaug_core.intake.spelling import readable


def renamed(path, words: dict[str, bytes], *, extra: bytes = b""):
    """A zip whose names hold other bytes, without the UTF-8 flag: ASCII stands for them, of one length."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for k, stand_in in enumerate(words):
            for i in range(2):
                info = zipfile.ZipInfo(f"{stand_in}/{i}.png")
                info.extra = extra
                archive.writestr(info, png(10 * k + i))
    data = path.read_bytes()
    for stand_in, raw in words.items():
        assert len(stand_in) == len(raw)
        data = data.replace(stand_in.encode() + b"/", raw + b"/")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("names", "encoding", "letters"),
    [
        (("Röhrling", "Täubling"), "utf-8", ""),
        (("楷书", "草书"), "gbk", "GBK"),
        (("さくら", "もみじ"), "shift_jis", "shift_jis"),
        (("käfer", "möwe"), "cp1252", "cp1252"),
        (("käfer", "möwe"), "cp437", "cp437"),
    ],
)
def test_letters_that_nobody_wrote_down(home, tmp_path, names, encoding, letters):
    raw = [
        unicodedata.normalize("NFD", n).encode() if encoding == "utf-8" else n.encode(encoding) for n in names
    ]
    words = {"XY"[k] * len(each): each for k, each in enumerate(raw)}
    found = import_path(renamed(tmp_path / "given.zip", words))
    assert sorted(found.counts) == sorted(names)
    assert any(f"read as {letters}" in line for line in found.warnings) == bool(letters)


def test_the_unicode_path_field_goes_first(home, tmp_path):
    raw = b"\x81\x82/0.png"
    field = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + b"Pilz/0.png"
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    words = {"XX": b"\x81\x82", "YYYY": b"Moos"}
    found = import_path(renamed(tmp_path / "given.zip", words, extra=extra))
    assert found.counts == {"Moos": 2, "Pilz": 1, "\xfc\xe9": 1}  # the field of one entry fits


def test_a_disk_with_old_names(home, tmp_path):
    for k, name in enumerate((b"k\xe4fer", b"m\xf6we")):
        folder = tmp_path / "given" / os.fsdecode(name)
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(png(k))
    assert import_path(tmp_path / "given").counts == {"käfer": 1, "möwe": 1}


def test_backslashes_are_folders_where_there_is_no_slash(home, tmp_path):
    contents = {
        name.replace("/", "\\"): data for name, data in files("a/1.png", "a/2.png", "b/1.png").items()
    }
    found = import_path(make_zip(tmp_path / "given.zip", contents))
    assert found.counts == {"a": 2, "b": 1}
    assert any("backslashes" in line for line in found.warnings)
    outside = {**contents, "..\\..\\x.png": png(9)}
    (refused,) = import_path(make_zip(tmp_path / "out.zip", outside)).refused
    assert "outside" in refused.reason


def test_the_later_entry_of_one_name_counts(home, tmp_path):
    path = make_zip(tmp_path / "given.zip", files("a/1.png", "b/1.png"))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a/1.png", png(77))
    found = import_path(path)
    assert found.counts == {"a": 1, "b": 1}
    assert "comes later" in found.refused[0].reason
    assert dataset.load(found.dataset_id).original(0) == png(77)


def test_links_within_the_import_are_followed(home, tmp_path):
    folder = make_folder(tmp_path / "given", files("store/1.png", "store/2.png"))
    for k, name in enumerate("ab", start=1):
        (folder / name).mkdir()
        (folder / name / "1.png").symlink_to(folder / "store" / f"{k}.png")
    assert import_path(folder).counts == {"a": 1, "b": 1}


def test_what_was_left_closed_is_told(home, tmp_path):
    folder = make_folder(tmp_path / "given", {**files("a/1.png", "b/1.png"), "c.zip": b"PK"})
    (folder / "d").symlink_to(tmp_path)
    told = import_path(folder).warnings
    assert any("1 links were not followed" in line and "'d'" in line for line in told)
    assert any("1 archives inside were not opened" in line and "'c.zip'" in line for line in told)


@pytest.mark.slow
def test_very_deep_folders_are_no_crash(home, tmp_path):
    make_folder(tmp_path / "given", files("a/1.png", "b/1.png"))
    here = os.open(tmp_path / "given" / "a", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert import_path(tmp_path / "given").counts == {"a": 1, "b": 1}
    finally:  # shutil calls itself for each folder: it cannot delete this
        subprocess.run(["rm", "-rf", str(tmp_path / "given")], check=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><p>", "a web page"),
        (b"version https://git-lfs.x", "LFS"),
        (png(1), "a single PNG"),
        (b"PAR1", "Parquet"),
    ],
)
def test_what_came_instead_of_a_zip_is_named(home, tmp_path, data, words):
    (tmp_path / "given.zip").write_bytes(data)
    with pytest.raises(InputError, match=words):
        import_path(tmp_path / "given.zip")


@pytest.mark.parametrize("raw", [bytes([k, 65]) for k in range(128, 256, 9)])
def test_any_bytes_are_some_name(raw):
    assert readable(raw)[0]


def test_twelve_bits_are_the_same_image(home, tmp_path):
    """12-bit samples in 16-bit files: the same grey values as the 8-bit originals, not nearly black ones."""
    ramps = [np.linspace(low, 255, 256).astype(np.uint8).reshape(16, 16) for low in (0, 40)]
    deep = [Image.fromarray((ramp.astype(int) * 4095 // 255).astype(np.uint16)) for ramp in ramps]
    contents = {f"{name}/1.tif": encode(deep[k], "TIFF") for k, name in enumerate("ab")}
    contents["b/blank.tif"] = encode(Image.fromarray(np.full((16, 16), 9, np.uint16)), "TIFF")
    found = import_path(make_folder(tmp_path / "given", contents))
    data = dataset.load(found.dataset_id)
    for k, ramp in enumerate(ramps):
        assert abs(np.asarray(data.decoded(k).image).astype(int) - ramp).max() <= 1
    assert found.conversions == {"16-bit rescaled to 8-bit": 3}
    assert [line for line in found.warnings if "images are" in line] == [
        "1 images are of one colour: 'b/blank.tif'"
    ]
    assert data.manifest.depth == {"16-bit": (0.0, 4095.0)}


def test_white_is_zero_and_floats(home, tmp_path):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    other = encode(Image.fromarray(ramp * 0.5), "TIFF")
    flipped = encode(Image.fromarray((ramp * 65535).astype(np.uint16)), "TIFF", tiffinfo={262: 0})
    data = dataset.load(
        import_path(make_folder(tmp_path / "given", {"a/1.tif": flipped, "b/1.tif": other})).dataset_id
    )
    assert np.asarray(data.decoded(0).image)[0, 0] == 255
    assert np.asarray(data.decoded(1).image).max() == 128
    assert depth_of([]) == {}


def test_odd_images_are_named(home, tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)
    marked = np.stack([grey] * 3, axis=-1)
    marked[101, 101] = (255, 0, 0)
    contents = {
        "a/blank.png": encode(np.full((20, 20), 9, np.uint8)),
        "a/dark.png": encode((grey // 20)[:20, :20]),
        "a/strip.png": encode(grey[:9, :]),
        "b/tiny.png": encode(grey[:3, :3]),
        "b/mark.png": encode(marked),
        "b/map.ppm": encode(marked, "PPM"),
        "b/film.avif": encode(marked, "AVIF"),
        "b/phone.heic": b"\0\0\0\x18ftypheic",
    }
    found = import_path(make_folder(tmp_path / "given", contents))
    assert found.accepted == 7
    for words in (
        "are of one colour: 'a/blank.png'",
        "nearly black: 'a/dark.png'",
        "strips",
        "under 8 pixels",
    ):
        assert any(words in line for line in found.warnings), words
    assert "HEIC" in found.refused[0].reason
    assert dataset.load(found.dataset_id).colour == "rgb"
