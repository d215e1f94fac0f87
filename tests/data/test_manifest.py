"""Summary and manifest: what an older version wrote is read, opening reads no row, damage is said in
words.
"""

from __future__ import annotations

import json

import pytest
from corpus import files, make_folder

from gmaug_core.data import dataset
from gmaug_core.data.manifest import Manifest, Summary
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_json
from gmaug_core.intake import import_path

OLD_KEYS = ("id", "name", "n_images", "n_classes", "imbalance_ratio", "created", "splits", "colour")
OLD_KEYS += ("image_size", "symmetric", "demo")


@pytest.fixture
def folder(home, tmp_path):
    contents = files("a/1.png", "a/2.png", "b/1.png", "b/2.png") | {"a/x.txt": b"no image"}
    made = import_path(make_folder(tmp_path / "small", contents))
    return home / "datasets" / made.dataset_id


def test_the_files_come_back_as_they_were_written(folder, tmp_path):
    manifest = Manifest.read(folder / "manifest.json")
    manifest.write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert manifest.summary() == Summary.read(folder / "summary.json")
    assert [item.file for item in manifest.refused] == ["a/x.txt"]


def test_opening_reads_no_row(folder):
    (folder / "manifest.json").unlink()
    data = dataset.load(folder.name)
    assert (len(data), data.class_names, data.counts) == (4, ("a", "b"), {"a": 2, "b": 2})
    assert data.suggested_groupings == [("identity", {"a": ["a"], "b": ["b"]})]
    assert [summary.id for summary in dataset.list_datasets()] == [folder.name]
    with pytest.raises(InputError, match="not whole"):
        _ = data.labels


@pytest.mark.parametrize("damaged", [False, True])
def test_a_summary_of_an_older_version_is_completed_once(folder, damaged):
    path = folder / "summary.json"
    whole = path.read_bytes()
    old = {key: value for key, value in json.loads(whole).items() if key in OLD_KEYS}
    path.write_text("{" if damaged else json.dumps(old))
    assert dataset.load(folder.name).class_names == ("a", "b")
    assert path.read_bytes() == whole
    (folder / "manifest.json").unlink()
    assert dataset.load(folder.name).version == json.loads(whole)["version"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 9}, "newer version"),
        ({"images": {"file": ["a/1.png"]}}, "images.sha256"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_said_in_words(folder, change, said):
    path = folder / "manifest.json"
    write_json(path, json.loads(path.read_text()) | change)
    with pytest.raises(GMAugError, match=said):
        _ = dataset.load(folder.name).labels
