"""What people really do, the second half: pictures and archives, the command line, scores, runs and exports.

The first half, where labels lie, is in test_cases.py.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import tarfile
import zlib

import numpy as np
import pandas as pd
import pytest
from corpus import encode, files, make_folder, pixels, png
from PIL import Image

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.data import dataset, store
from gmaug_core.data.decode import decode, deep_range
from gmaug_core.errors import InputError
from gmaug_core.intake import import_path, sources, tars, verify

TWO = files("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
# 16 px, red beside blue, written once by pillow-heif 1.8.1
HEIC = zlib.decompress(
    base64.b64decode(
        "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYGxJje1JJEBAhQzUnKKoGyGgszkEgY0oJSZkw82xMWBgREIgYBxAY"
        "QGAgMgVs7MzEsD80CiokBOKhOUl1GWbAhi8hVkluTClfzJLCgqANJ3MguS84F0KVCZMyMzSGgCWJHcB4Y/f3/8YGDg"
        "Z04A6pBwYORh/P8fpIAZpIIZhOR2MTkkAiU1nRgZ0WQWKDSyTnu1btazB4oLDjQwMPA0gIRbkoCq2VwYDxYf7ATaIZ"
        "ycn1OUl5xTARTlZWADKmEQySwuSIV6zAGKNZJzEkEOE4C6HUz/////ApBmgtEg8YLMikyQRmYODg4gJZFZkAsLY2Cw"
        "sTYyMbO2ANkWuSmJoDDW0WBcL6mY5eTwfbrLn5669qxj6l6xt2Q0a/7sCdmyrOFzdZ/ipK0cbFMd1kdMOgYA391i9g"
        "=="
    )
)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Decoding in this process, no sync of the disk: children and disks have tests of their own."""
    monkeypatch.setattr(
        verify.Verifier, "check", lambda self, given: [verify._verify(data, self._staging) for data in given]
    )
    monkeypatch.setattr(store.os, "sync", lambda: None)


def typed(*arguments: str) -> int:
    """The exit status of a command."""
    try:
        return cli.main(list(arguments))
    except SystemExit as done:
        return int(done.code or 0)


# --- pictures and archives ---


def test_heic_is_read_or_named(home, tmp_path):
    given = {**files("dog/1.png", "dog/2.png"), "cat/1.heic": HEIC, "cat/2.HEIC": HEIC}
    folder = make_folder(tmp_path / "given", given)
    try:
        import pi_heif  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match="HEIC"):
            import_path(folder)
        return
    assert import_path(folder).counts == {"cat": 2, "dog": 2}
    colours = np.asarray(decode(HEIC).image)[8, [2, 13]]
    assert np.abs(colours.astype(int) - [[200, 40, 40], [40, 40, 200]]).max() < 10


def test_ppm_and_pgm(home, tmp_path):
    given = {f"a/{k}.ppm": encode(pixels(k), "PPM") for k in range(2)}
    given |= {f"b/{k}.pgm": encode(pixels(k, channels=1), "PPM") for k in range(2)}
    assert import_path(make_folder(tmp_path / "given", given)).counts == {"a": 2, "b": 2}


def test_pages_that_are_left_out_are_counted(home, tmp_path):
    pages = [Image.fromarray(pixels(k)) for k in range(3)]
    stack = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    found = import_path(make_folder(tmp_path / "given", {**TWO, "dog/3.tif": stack}))
    assert found.conversions == {"first frame of several": 1}


def test_a_validation_part_that_is_the_training_part_is_named(home, tmp_path):
    images = files("cat/1.png", "dog/1.png")
    given = {f"{split}/{name}": data for split in ("train", "val") for name, data in images.items()}
    with pytest.raises(InputError, match="no training images of its own"):
        import_path(make_folder(tmp_path / "given", given))


def deep_png(values: np.ndarray) -> bytes:
    """RGB or RGBA of 16 bits a sample: Pillow writes none."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = part(b"IHDR", head), part(b"IDAT", zlib.compress(rows)), part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_twelve_bits_in_colour_are_the_same_image(home, tmp_path):
    deep = [np.random.default_rng(k).integers(0, 4096, (9, 7, 3)).astype(np.uint16) for k in range(4)]
    given = {f"{'ab'[k % 2]}/{k}.png": deep_png(values) for k, values in enumerate(deep)}
    assert deep_range(deep_png(deep[0])) == ("16-bit colour", deep[0].min(), deep[0].max())
    found = import_path(make_folder(tmp_path / "given", given))
    assert found.conversions == {"16-bit colour rescaled to 8-bit": 4}
    data = dataset.load(found.dataset_id)
    for i in range(4):
        values = deep[int(data.provenance(i).file[2])]
        wanted = np.floor(values.astype(float) * 255 / 4095 + 0.5)
        assert np.array_equal(np.asarray(data.decoded(i).image), wanted)
    assert np.array_equal(np.asarray(decode(deep_png(deep[0])).image), deep[0] >> 8)  # as before


def test_twelve_bits_with_transparency_are_not_nearly_black():
    deep = np.random.default_rng(0).integers(0, 4096, (9, 7, 4)).astype(np.uint16)
    deep[..., 3] = 65535
    deep[0, :, 3] = 0
    data = deep_png(deep)
    assert deep_range(data) == ("16-bit colour", deep[..., :3].min(), deep[..., :3].max())
    image, done = decode(data, {"16-bit colour": (0.0, 4095.0)})
    wanted = np.floor(deep[..., :3].astype(float) * 255 / 4095 + 0.5)
    wanted[0] = 255
    assert np.array_equal(np.asarray(image), wanted)
    assert done == ("16-bit colour rescaled to 8-bit", "transparency flattened on white")


@pytest.mark.parametrize("packing", ["", "gz", "bz2", "xz"])
def test_a_tar_is_read_like_a_zip(home, tmp_path, packing):
    path = tmp_path / f"My photos.tar.{packing}".rstrip(".")
    with tarfile.open(path, f"w:{packing}") as archive:
        for name, data in {**TWO, "../out.png": png(9), "cat/1.png": png(8)}.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("dog/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = import_path(path)
    assert found.counts == {"cat": 2, "dog": 2}
    assert found.name == "My photos"
    assert {item.file: item.reason for item in found.refused} == {
        "../out.png": "the path leads outside (..)",
        "dog/link.png": "a link",
    }
    whole = path.read_bytes()
    for cut in (40, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:cut])
        if packing:
            with pytest.raises(InputError):
                import_path(path)
    assert not list(home.glob("uploads/*"))


def test_a_tar_that_inflates_absurdly_is_refused(home, tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "FREE_RATIO", 10_000)
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a/1.png")
        info.size = 10**7
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(InputError, match="archive bomb"):
        import_path(path)


def test_a_list_may_be_larger_than_an_image(home, tmp_path, monkeypatch):
    names = [f"images/{k}.png" for k in range(4)]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(names)],
        "annotations": [{"id": k, "image_id": k, "category_id": k % 2} for k in range(4)],
        "categories": [{"id": 0, "name": "ant"}, {"id": 1, "name": "bee"}],
    }
    text = json.dumps(document).encode().ljust(5000)
    monkeypatch.setattr(sources, "MAX_FILE", 4000)
    found = import_path(make_folder(tmp_path / "given", {**files(*names), "train.json": text}))
    assert found.counts == {"ant": 2, "bee": 2}


def test_links_that_lead_away_say_how_to_copy_them(home, tmp_path):
    away = make_folder(tmp_path / "away", TWO)
    for name in TWO:
        link = tmp_path / "given" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(away / name)
    with pytest.raises(InputError, match="cp -rL"):
        import_path(tmp_path / "given")


# --- the command line ---


def test_a_place_to_write_is_made_or_refused_before_anything_is_stored(bars, tmp_path):
    out = tmp_path / "no" / "such" / "x.csv"
    assert typed("group", bars.id, "--identity", "--out", str(out)) == 0
    assert out.read_text().startswith("sub_class")
    assert typed("group", bars.id, "--identity", "--name", "mine", "--out", str(tmp_path)) == 2
    assert typed("group", bars.id, "--show", "--name", "mine") == 2


def test_a_home_that_is_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    assert typed("datasets") == 2
    assert "GMAUG_HOME" in capsys.readouterr().err


def test_nothing_to_import(home, capsys):
    assert typed("import", "") == 2
    assert "no path was given" in capsys.readouterr().err


def test_a_console_that_knows_ascii_alone_shows_escapes(home, tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "given", files("Röhrling/1.png", "Röhrling/2.png", "b/1.png"))
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, out)
    for arguments in (["import", str(folder)], ["datasets", "--json"]):
        monkeypatch.setattr(sys, "argv", ["gmaug", *arguments])
        assert cli.entry() == 0
    out.flush()
    assert b"R\\xf6hrling" in out.buffer.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--classifier", "resnet18", "--set", "classifier=resnet18"], "classifier"),
        (["--set", "kimg=1"], "generator.kimg"),
        (["--set", "device=gpu"], "gpu"),
        (["--set", "device=cuda:9"], "cuda:9"),
        (["--set", "inception=/nofile"], "nofile"),
    ],
)
def test_what_cannot_be_run_is_refused_before_there_is_a_run(bars, capsys, arguments, words):
    assert typed("augment", bars.id, *arguments) == 2
    assert words in capsys.readouterr().err
    assert runs.list_runs() == []


# --- scores and runs ---


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            [f"{s}/{c}/{k}.png" for s in ("train", "test") for c in "ab" for k in range(4)],
            "nothing would be drawn",
        ),
        ([f"{c}/{k}.png" for c in "abc" for k in range(2)], "cannot be split"),
    ],
    ids=["balanced", "two images a class"],
)
def test_what_no_run_can_do_is_refused_before_there_is_a_run(home, tmp_path, capsys, given, words):
    data = import_path(make_folder(tmp_path / "given", files(*given)))
    assert typed("augment", data.dataset_id) == 2
    assert words in capsys.readouterr().err
    assert runs.list_runs() == []


def test_seven_right_of_seven_is_no_certainty():
    from gmaug_core.method.statistics import proportion

    found = proportion(np.ones((1, 7)))
    assert (found.mean, found.high) == (1.0, 1.0)
    assert 0.55 < found.low < 0.7  # exact: 0.59


# --- exports ---

ODD = ("001", "NA", "-1", "1e3", "true", "oak")


@pytest.fixture
def exported(home, tmp_path):
    """An export of a dataset whose class `001` has no test image, and whose names readers take for others."""
    from gmaug_core.report.export import export

    names = [f"train/{c}/{k}.png" for c in ODD for k in range(2)] + [f"test/{c}/9.png" for c in ODD[1:]]
    found = import_path(make_folder(tmp_path / "given", files(*names)))
    export(found.dataset_id, tmp_path / "out")
    return tmp_path / "out"


def test_a_class_has_one_number_in_every_split(exported):
    classes = (exported / "classes.txt").read_text().splitlines()
    assert classes == sorted(ODD)
    for split in ("train", "test"):
        assert sorted(path.name for path in (exported / split).iterdir() if path.is_dir()) == classes
        sheet = pd.read_csv(exported / split / "metadata.csv")
        for file, label in zip(sheet["file_name"], sheet["label"], strict=True):
            assert file.split("/")[0] == classes[label]
    assert "allow_empty=True" in (exported / "README.md").read_text()


def test_a_reader_changes_no_name_of_a_class(exported):
    sheet = pd.read_csv(exported / "metadata.csv")
    assert set(sheet["class"].str.removeprefix("'")) == set(ODD)
    assert "oak" in set(sheet["class"])


def test_the_export_is_described_for_machines(exported):
    import hashlib

    found = json.loads((exported / "croissant.json").read_text())
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    (sheet, _) = found["distribution"]
    assert sheet["sha256"] == hashlib.sha256((exported / sheet["contentUrl"]).read_bytes()).hexdigest()
    classes, rows = found["recordSet"]
    assert [row["classes/name"] for row in classes["data"]] == sorted(ODD)
    columns = [field["source"]["extract"]["column"] for field in rows["field"]]
    assert columns == list(pd.read_csv(exported / "metadata.csv", nrows=0).columns)


@pytest.mark.slow
def test_torchvision_numbers_both_splits_alike(exported):
    from torchvision.datasets import ImageFolder

    train, test = (ImageFolder(exported / split, allow_empty=True) for split in ("train", "test"))
    assert train.class_to_idx == test.class_to_idx == {name: k for k, name in enumerate(sorted(ODD))}
    assert len(test) == len(ODD) - 1
