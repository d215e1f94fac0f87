"""Sources of images: found in paths at import, kept in the manifest, never split apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from gmaug_core.data import dataset, splits
from gmaug_core.data.manifest import Manifest
from gmaug_core.errors import InputError
from gmaug_core.files import write_json
from gmaug_core.intake.door import import_path

PATIENT = r"(patient\d+)"


@pytest.fixture
def photographs(monkeypatch, tmp_path):
    """Two classes of 8 patients with 5 images each, and one image of nobody."""
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    random = np.random.default_rng(0)
    for name in ("sound", "ill"):
        folder = tmp_path / "scans" / name
        folder.mkdir(parents=True)
        for patient in range(8):
            for k in range(5):
                pixels = random.integers(0, 256, (9, 9), np.uint8)
                Image.fromarray(pixels).save(folder / f"{name}-patient{patient}-{k}.png")
    Image.fromarray(random.integers(0, 256, (9, 9), np.uint8)).save(tmp_path / "scans" / "ill" / "x.png")
    return tmp_path / "scans"


def test_images_of_one_source_stay_on_one_side(photographs, tmp_path):
    imported = import_path(photographs, group=r"(\w+-patient\d+)")
    assert any("1 images have no source" in line for line in imported.warnings)
    data = dataset.load(imported.dataset_id)
    assert len(set(data.groups.tolist())) == 17
    parts = splits.kept(tmp_path / "split.json", data, 0)
    sides = [set(data.groups[index].tolist()) for index in parts.values()]
    assert not (sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2])
    document = splits.Split.read(tmp_path / "split.json")
    assert (document.groups, document.notes) == (17, ())
    plain = dataset.load(import_path(photographs).dataset_id)
    assert plain.groups is None
    assert plain.version != data.version, "the same images with sources are another dataset"


def test_a_source_in_two_splits_is_named(photographs):
    for part in ("train", "test"):
        (photographs.parent / "split" / part).mkdir(parents=True)
    for name in ("sound", "ill"):
        for part in ("train", "test"):
            (photographs.parent / "split" / part / name).mkdir()
        for k, path in enumerate(sorted((photographs / name).iterdir())):
            path.rename(photographs.parent / "split" / ("test" if k % 5 == 4 else "train") / name / path.name)
    imported = import_path(photographs.parent / "split", group=PATIENT)
    assert any("8 of 8 sources have images in more than one split" in line for line in imported.warnings)


def test_a_split_that_leaks_is_named(photographs):
    for part in ("train", "test"):
        for name in ("sound", "ill"):
            folder = photographs.parent / "leaky" / part / name
            folder.mkdir(parents=True)
            for k, path in enumerate(sorted((photographs / name).iterdir())):
                if part == "train" or k < 3:
                    (folder / path.name).write_bytes(path.read_bytes())
    imported = import_path(photographs.parent / "leaky")
    leak = "the split leaks: 6 of 6 test images are in an earlier split, too; 6 copies there were left out"
    assert any(line.startswith(leak) for line in imported.warnings)
    assert imported.splits == {"train": 75, "val": 0, "test": 6}
    assert not any("leaks" in line for line in import_path(photographs).warnings)


@pytest.mark.parametrize(
    ("group", "said"),
    [("(", "no regular expression"), (r"patient\d", "no parentheses"), ("(nobody)", "matches no path")],
)
def test_an_expression_that_finds_no_source_is_refused(photographs, group, said):
    with pytest.raises(InputError, match=said):
        import_path(photographs, group=group)
    assert dataset.list_datasets() == []


def test_a_manifest_of_form_1_knows_no_sources(photographs):
    folder = dataset.load(import_path(photographs).dataset_id).folder
    document = json.loads((folder / "manifest.json").read_text())
    del document["images"]["group"]
    write_json(folder / "manifest.json", document | {"schema": 1})
    assert Manifest.read(folder / "manifest.json").images.group == ()
    assert dataset.load(folder.name).groups is None
