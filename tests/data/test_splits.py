from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny

from gmaug_core.data import splits
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_json
from gmaug_core.runs import RunPaths


@pytest.fixture
def data(monkeypatch, tmp_path):
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    return tiny.make_dataset(tmp_path / "bars", held=())


def test_a_split_is_written_once_and_read_ever_after(data, tmp_path, monkeypatch):
    path = RunPaths(tmp_path).split
    anew = splits.read(path, data, 3)
    assert not path.exists(), "reading writes nothing"
    first = splits.kept(path, data, 3)
    document = json.loads(path.read_text())
    assert (document["schema"], document["seed"], document["dataset_version"]) == (2, 3, data.version)

    def never(*_, **__):
        raise AssertionError("made anew")

    monkeypatch.setattr(splits, "three_way_split", never)
    for parts in (splits.read(path, data, 3), splits.kept(path, data, 3)):
        for name in ("train", "val", "test"):
            np.testing.assert_array_equal(parts[name], first[name])
            np.testing.assert_array_equal(parts[name], anew[name])
            assert parts[name].dtype == np.int64


def test_a_split_of_other_images_or_of_a_newer_version_is_refused(data, tmp_path):
    path = RunPaths(tmp_path).split
    splits.kept(path, data, 0)
    document = json.loads(path.read_text())
    write_json(path, document | {"dataset_version": "another"})
    with pytest.raises(InputError, match="has changed since this run"):
        splits.read(path, data, 0)
    write_json(path, document | {"schema": 3})
    with pytest.raises(GMAugError, match="newer version"):
        splits.read(path, data, 0)
    write_json(path, {"train": [1]})
    with pytest.raises(GMAugError, match="the split is damaged"):
        splits.read(path, data, 0)


def test_what_cannot_be_split_can_be_scored(monkeypatch, tmp_path):
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / "home"))
    data = tiny.make_dataset(tmp_path / "bars", held=(), counts={"across": 2, "down": 2})
    with pytest.raises(InputError, match="cannot be split"):
        splits.kept(RunPaths(tmp_path).split, data, 0)
    part = splits.training_part(RunPaths(tmp_path).split, data, 0)
    np.testing.assert_array_equal(part.index, np.arange(4))
    assert part.seed is None
    assert not RunPaths(tmp_path).split.exists()


def test_file_names_agree():
    assert RunPaths(Path("run")).split.name == splits.Split.FILE
