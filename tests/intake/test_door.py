"""The door: what comes in whole, what is refused and why, and that nothing is ever left half done."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections import Counter

import pytest
from corpus import bomb, encode, files, make_folder, make_zip, pixels, png, raw_entry

from gmaug_core.config import documents
from gmaug_core.data import dataset, store
from gmaug_core.errors import InputError, Stopped
from gmaug_core.intake import decoding, door, import_path, verify

TWO = files("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")


def leftovers(home) -> list[str]:
    """Whatever is in the datasets folder apart from whole datasets."""
    folder = home / "datasets"
    return (
        [p.name for p in folder.iterdir() if p.name != ".lock" and not (p / "manifest.json").exists()]
        if folder.exists()
        else []
    )


def reasons(result) -> dict[str, str]:
    return {item.file: item.reason for item in result.refused}


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_simple_dataset(home, tmp_path, kind):
    path = (
        make_zip(tmp_path / "My Pets.zip", TWO) if kind == "zip" else make_folder(tmp_path / "My Pets", TWO)
    )
    steps = []
    result = import_path(path, report=lambda stage, step, total, **more: steps.append((stage, step, total)))
    assert result.created
    assert result.accepted == 4
    assert result.counts == {"cat": 2, "dog": 2}
    assert result.dataset_id.startswith("my-pets-")
    assert steps[-1] == ("import", 4, 4)
    data = dataset.load(result.dataset_id)
    assert [data.original(i) for i in range(4)] == list(TWO.values())
    assert json.loads(json.dumps(result.to_dict()))["splits"] == {"train": 4, "val": 0, "test": 0}
    assert not leftovers(home)


def test_the_same_content_is_one_dataset(home, tmp_path):
    first = import_path(make_zip(tmp_path / "a.zip", TWO))
    again = import_path(make_zip(tmp_path / "a.zip", dict(reversed(TWO.items())), method=zipfile.ZIP_STORED))
    other = import_path(
        make_folder(tmp_path / "b", {f"wrapper/{name}": data for name, data in TWO.items()}),
        name="another name",
    )
    assert first.created
    assert not again.created
    assert not other.created
    assert first.dataset_id == again.dataset_id == other.dataset_id
    assert len(dataset.list_datasets()) == 1
    assert not leftovers(home)


def test_splits_hierarchy_and_groupings(home, tmp_path):
    names = [
        f"w/{s}/{c}/{i}.png"
        for s in ("train", "val", "test")
        for c in ("fruit/apple/gala", "fruit/kiwi", "milk")
        for i in range(2)
    ]
    result = import_path(make_zip(tmp_path / "shop.zip", files(*names)))
    data = dataset.load(result.dataset_id)
    assert result.splits == {"train": 6, "val": 6, "test": 6}
    assert data.counts == {
        "gala": 2,
        "kiwi": 2,
        "milk": 2,
    }
    assert data.hierarchy == {"gala": ("fruit", "apple"), "kiwi": ("fruit",), "milk": ()}
    assert data.suggested_groupings[0] == ("folders-1", {"fruit": ["gala", "kiwi"], "milk": ["milk"]})


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, "is empty"),
        ({"__MACOSX/._x": b"x", ".DS_Store": b"x"}, "nothing but 2 hidden"),
        ({"readme.txt": b"hello", "cat/notes.txt": b"hello"}, "no usable images: 2 files"),
        ({"cat/1.png": png(1), "cat/2.png": png(2)}, "only one class: 'cat'"),
        ({"cat/1.png": png(1), "dog/1.png": b"broken"}, "only one class: 'cat'"),
        ({"1.png": png(1), "2.png": png(2)}, "no class folders"),
        ({"val/cat/1.png": png(1), "test/dog/1.png": png(2)}, "no training images, only test and val"),
        ({"train/cat/1.png": png(1), "test/dog/1.png": png(2)}, "only one class with training images: 'cat'"),
    ],
)
def test_what_cannot_be_a_dataset(home, tmp_path, contents, words):
    for path in (make_zip(tmp_path / "given.zip", contents), make_folder(tmp_path / "given", contents)):
        path.mkdir(exist_ok=True) if path.suffix == "" else None
        with pytest.raises(InputError, match=words) as caught:
            import_path(path)
        assert caught.value.expected
        assert caught.value.todo
        assert str(tmp_path) not in str(caught.value)
        assert "given" in caught.value.what
        assert not leftovers(home)
    assert dataset.list_datasets() == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just text", "not a usable zip"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"x" * 257 + b"ustar" + b"x" * 300, "tar"),
        (b"PK\x03\x04" + b"x" * 100, "damaged or incomplete zip"),
        (b"PK\x05\x06" + b"\xff" * 18, "zip"),
    ],
)
def test_what_is_no_zip(home, tmp_path, data, words):
    path = tmp_path / "given.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words):
        import_path(path)
    with pytest.raises(InputError, match="not there"):
        import_path(tmp_path / "absent.zip")
    assert not leftovers(home)


def test_a_truncated_zip(home, tmp_path):
    whole = make_zip(tmp_path / "whole.zip", TWO).read_bytes()
    for cut in range(0, len(whole), 37):
        (tmp_path / "cut.zip").write_bytes(whole[:cut])
        with pytest.raises(InputError):
            import_path(tmp_path / "cut.zip")
    assert not leftovers(home)


HOSTILE = {
    "../outside.png": "outside",
    "cat/../../outside.png": "outside",
    "/etc/cron.d/x.png": "absolute",
    "C:\\temp\\x.png": "backslash",
    "C:x.png": "absolute",
    "cat\\3.png": "backslash",
    "cat/\0.png": "NUL",
    "cat/inner.zip": "archive inside",
    "cat/" + "x" * 2000 + ".png": "longer than",
}


def test_hostile_names_are_text_and_listed(home, tmp_path):
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*TWO, *HOSTILE):
            archive.writestr(raw_entry(name), TWO.get(name) or png(len(name)))
        link = raw_entry("cat/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        device = raw_entry("cat/device.png")
        device.external_attr = 0o020644 << 16
        archive.writestr(device, b"")
    before = {p for p in tmp_path.rglob("*") if home not in p.parents}
    result = import_path(path)
    assert result.accepted == 4
    assert len(result.refused) == len(HOSTILE) + 2
    found = reasons(result)
    for name, reason in HOSTILE.items():
        assert reason in found[name.replace("\0", "\\0")[:1000]], name
    assert found["cat/link.png"] == "a symbolic link"
    assert found["cat/device.png"] == "not an ordinary file"
    assert {p for p in tmp_path.rglob("*") if home not in p.parents} - {home} == before
    originals = [p for p in (home / "datasets" / result.dataset_id / "originals").rglob("*") if p.is_file()]
    assert len(originals) == 4
    assert all(len(p.name) == 64 for p in originals)


def test_links_and_pipes_in_a_folder_are_not_followed(home, tmp_path):
    (tmp_path / "secret.png").write_bytes(png(99))
    folder = make_folder(tmp_path / "given", TWO)
    (folder / "cat" / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "dog" / "pipe.png")
    result = import_path(folder)
    assert result.accepted == 4
    assert reasons(result) == {
        "cat/link.png": "a symbolic link",
        "dog/pipe.png": "not an ordinary file",
        "loop": "a symbolic link",
    }


def test_every_file_is_accepted_refused_or_junk(home, tmp_path):
    broken = {
        "cat/cut.jpg": encode(pixels(1, (64, 64)), "JPEG")[:-400],
        "cat/text.png": b"hello",
        "cat/empty.png": b"",
        "dog/vector.svg": b"<svg/>",
        "cover.png": png(50),
        "labels.csv": b"a,b",
    }
    junk = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "dog/Thumbs.db": b"x", ".git/HEAD": b"x"}
    contents = {**TWO, **broken, **junk, "dog/wrong-extension.txt": png(77)}
    result = import_path(
        make_zip(tmp_path / "given.zip", {f"w/{name}": data for name, data in contents.items()})
    )
    assert (result.accepted, len(result.refused), result.junk) == (5, 6, 4)
    assert result.accepted + len(result.refused) + result.junk == len(contents)
    assert "damaged" in reasons(result)["w/cat/cut.jpg"]
    assert reasons(result)["w/cover.png"] == "lies in no class folder"
    stored = dataset.load(result.dataset_id).manifest
    assert stored.refused == result.refused
    assert stored.junk == 4


def test_a_bad_entry_does_not_spoil_the_archive(home, tmp_path):
    path = make_zip(
        tmp_path / "given.zip", {**TWO, "dog/3.png": png(3, size=(40, 40))}, method=zipfile.ZIP_STORED
    )
    data = bytearray(path.read_bytes())
    at = data.find(b"dog/3.png") + 200
    data[at] ^= 0xFF
    path.write_bytes(data)
    result = import_path(path)
    assert result.accepted == 4
    assert reasons(result) == {"dog/3.png": "damaged in the archive"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_named(home, tmp_path, method):
    with pytest.raises(InputError, match="compression method"):
        import_path(make_zip(tmp_path / "given.zip", TWO, method=method))


def test_an_encrypted_archive(home, tmp_path):
    path = make_zip(tmp_path / "given.zip", TWO)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        import_path(path)


def test_zip_bombs_are_refused_from_the_directory_alone(home, tmp_path):
    start = time.process_time()  # not of the clock: other tests run beside this one
    with pytest.raises(InputError, match="entries that overlap"):
        import_path(bomb(tmp_path / "given.zip", 2000, overlapping=True))
    flat = make_zip(tmp_path / "flat.zip", {**TWO, "cat/flat.bmp": bytes(60 * 2**20)})
    assert "inflates" in reasons(import_path(flat))["cat/flat.bmp"]
    with pytest.raises(InputError, match="zip bomb"):
        import_path(bomb(tmp_path / "many.zip", 1100, overlapping=False))
    assert time.process_time() - start < 20
    assert not leftovers(home)


def test_an_entry_that_lies_about_its_size(home, tmp_path):
    path = make_zip(
        tmp_path / "given.zip", {**TWO, "cat/lie.png": png(8, size=(50, 50))}, method=zipfile.ZIP_STORED
    )
    data = bytearray(path.read_bytes())
    at = data.rfind(b"cat/lie.png") - 46  # its row of the central directory
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")  # says: 10 bytes
    path.write_bytes(data)
    assert reasons(import_path(path))["cat/lie.png"] == "damaged in the archive"


def test_a_class_of_one_and_folders_without_images_are_warned_about(home, tmp_path):
    folder = make_folder(tmp_path / "given", {**TWO, "bird/1.png": png(9), "fish/1.png": b"broken"})
    (folder / "lion").mkdir()
    result = import_path(folder)
    assert result.counts == {"bird": 1, "cat": 2, "dog": 2}
    assert "folders without a usable image: 'fish', 'lion'" in result.warnings
    assert "classes with a single training image: 'bird'" in result.warnings


def test_duplicates_inside_a_split_stay_and_are_listed(home, tmp_path):
    result = import_path(
        make_folder(
            tmp_path / "given", {**TWO, "cat/copy.png": TWO["cat/1.png"], "dog/copy.png": TWO["cat/1.png"]}
        )
    )
    (group,) = result.duplicates
    assert result.accepted == 6
    assert group.files == ("cat/1.png", "cat/copy.png", "dog/copy.png")
    assert group.across_classes
    assert not group.across_splits
    assert group.dropped == ()
    data = dataset.load(result.dataset_id)
    assert len(set(data.content)) == 4
    assert len({int(data.content[i]) for i in range(6) if data.provenance(i).file in group.files}) == 1


def test_an_image_never_stays_in_two_splits(home, tmp_path):
    contents = files(
        *(
            f"{split}/{name}/{i}.png"
            for split in ("train", "val", "test")
            for name in ("cat", "dog")
            for i in range(3)
        )
    )
    contents["train/cat/a.png"] = contents["test/cat/0.png"]
    contents["val/dog/a.png"] = contents["test/cat/0.png"]
    contents["train/dog/b.png"] = contents["val/dog/1.png"]
    result = import_path(make_folder(tmp_path / "given", contents))
    assert result.splits == {"train": 6, "val": 6, "test": 6}
    assert reasons(result) == {
        "train/cat/a.png": "the same image is in test",
        "val/dog/a.png": "the same image is in test",
        "train/dog/b.png": "the same image is in val",
    }
    data = dataset.load(result.dataset_id)
    homes: dict[int, set[str]] = {}
    for content, split in zip(data.content, data.splits, strict=True):
        homes.setdefault(int(content), set()).add(str(split))
    assert all(len(splits) == 1 for splits in homes.values())


@pytest.mark.slow
def test_an_import_is_all_or_nothing(home, tmp_path, monkeypatch):
    path = make_folder(tmp_path / "given", TWO)
    for module, name in (
        (verify.Verifier, "check"),
        (door, "commit"),
        (documents, "write_bytes"),
        (store.Path, "rename"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(ZeroDivisionError):
                import_path(path)
        assert dataset.list_datasets() == []
        assert not leftovers(home)
    assert import_path(path).created


def fail(*_args, **_kwargs):
    raise ZeroDivisionError


def test_a_stop_leaves_no_trace(home, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "CHUNK", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    steps = []
    with pytest.raises(Stopped):
        import_path(
            make_folder(tmp_path / "given", TWO),
            report=lambda *step, **_: steps.append(step),
            should_stop=lambda: len(steps) > 0,
        )
    assert steps == [("import", 2, 4)]
    assert dataset.list_datasets() == []
    assert not leftovers(home)


def test_a_killed_import_is_swept_and_a_running_one_is_not(home, tmp_path):
    with store.staging_folder() as running:
        dead = running.with_name(".import-dead")
        (dead / "originals").mkdir(parents=True)
        import_path(make_folder(tmp_path / "given", TWO))
        assert running.exists()
        assert not dead.exists()


def test_a_full_disk_is_said_before(home, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gmaug_core.intake.sources.shutil.disk_usage", lambda folder: type("Usage", (), {"free": 100})()
    )
    with pytest.raises(InputError, match="GB free"):
        import_path(make_zip(tmp_path / "given.zip", TWO))


def annotated(**changes) -> bytes:
    document = {
        "images": [{"id": i, "file_name": f"photos/{i}.png"} for i in range(4)],
        "annotations": [{"id": i, "image_id": i, "category_id": i % 2} for i in range(4)],
        "categories": [
            {"id": 0, "name": "Amanita", "supercategory": "Fungi"},
            {"id": 1, "name": "Lynx", "supercategory": "Mammals"},
        ],
    }
    return b"\xef\xbb\xbf" + json.dumps(document | changes).encode()


PHOTOS = {f"photos/{i}.png": png(i) for i in range(5)}


@pytest.mark.parametrize("kind", ["zip", "folder", "json"])
def test_an_inaturalist_list(home, tmp_path, kind):
    contents = {f"w/{name}": data for name, data in {**PHOTOS, "train2019.json": annotated()}.items()}
    folder = make_folder(tmp_path / "given", contents)
    path = {
        "zip": make_zip(tmp_path / "given.zip", contents),
        "folder": folder,
        "json": folder / "w" / "train2019.json",
    }[kind]
    result = import_path(path)
    assert result.counts == {"Amanita": 2, "Lynx": 2}
    data = dataset.load(result.dataset_id)
    assert data.hierarchy == {"Amanita": ("Fungi",), "Lynx": ("Mammals",)}
    assert [data.provenance(i).sub_class for i in range(4)] == ["Amanita", "Amanita", "Lynx", "Lynx"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not valid JSON"),
        (b'{"annotations": NaN}', "NaN is not JSON"),
        (b"[" * 100000, "not valid JSON"),
        (b'{"annotations": []}', "no list 'images'"),
        (annotated(annotations=[]), "4 problems: image 0 .* has no label"),
        (
            annotated(annotations=[{"image_id": 0, "category_id": 9}]),
            "5 problems: an annotation points to image 0, category 9",
        ),
        (annotated(images=[{"id": 1, "file_name": "photos/1.png"}] * 2), "image id 1 occurs twice"),
        (annotated(images=[{"id": 0, "file_name": "https://example.org/0.png"}]), "no path inside"),
        (annotated(images=[{"id": 0, "file_name": "../0.png"}]), "no path inside"),
        (annotated(images=[{"id": 0}]), "lacks id or file_name"),
        (annotated(images=["x"]), "not objects"),
    ],
)
def test_a_bad_list_is_refused_with_its_problems(home, tmp_path, data, words):
    folder = make_folder(tmp_path / "given", {**PHOTOS, "train2019.json": data})
    with pytest.raises(InputError, match=words):
        import_path(folder / "train2019.json")
    assert not leftovers(home)


def thinned(source, target, every):
    """The zip `source` with every so many-th image of each of its folders."""
    seen = Counter()
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as out:
        for item in given.infolist():
            folder = item.filename.rpartition("/")[0]
            if seen[folder] % every == 0:
                out.writestr(item, given.read(item))
            seen[folder] += not item.is_dir()
    return target


@pytest.mark.no_cover  # no new line, and many times the same ones
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "every", "images", "splits", "classes"),
    [
        ("flowers_128.zip", 1, 4064, (4064, 0, 0), 5),
        ("cifar10_lt.zip", 10, 1494, (1244, 250, 0), 10),
        ("grocery_64.zip", 10, 639, (296, 60, 283), 81),
    ],
)
def test_real_datasets(home, tmp_path, sample_data, file, every, images, splits, classes):
    source = sample_data / file
    result = import_path(source if every == 1 else thinned(source, tmp_path / file, every))
    assert (result.accepted, tuple(result.splits.values()), len(result.counts)) == (images, splits, classes)
    assert not result.refused
    assert not result.junk
    data = dataset.load(result.dataset_id)
    assert data.colour == "rgb"
    if classes == 5:
        assert data.counts == {"daisy": 742, "dandelion": 1016, "rose": 759, "sunflower": 694, "tulip": 853}
        assert len(result.duplicates) == 6
        assert sum(group.across_classes for group in result.duplicates) == 4
    if classes == 10:
        assert list(data.counts.values()) == [500, 300, 180, 108, 65, 39, 24, 14, 9, 5]
        assert data.imbalance_ratio == 100
    if classes == 81:
        assert [(name, len(groups)) for name, groups in data.suggested_groupings] == [
            ("folders-1", 3),
            ("folders-2", 43),
            ("identity", 81),
        ]
