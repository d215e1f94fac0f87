"""Layout detection: whatever wraps or splits the class folders, the classes come out the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmaug_core.data.folders import Place, class_names, clean_name, natural_key, suggested_groupings
from gmaug_core.intake.layouts.detect import detect

WORDS = st.sampled_from(
    ["cat", "dog", "rose", "Oat-Milk", "a b", "7", "Übel", "貓", "training wheels", "test tube"]
)
TREES = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(tuple), min_size=2, max_size=8, unique=True)


@pytest.mark.parametrize("other", ["red panda", "Red-Panda", "red_panda\u200b", "red\xa0panda"])
def test_names_that_differ_in_what_hardly_counts(other):
    (told,) = detect([["red_panda"], [other], ["-1"], ["1"]]).warnings
    assert "differ in case, blanks, hyphens" in told
    found = detect([["train", "red_panda"], ["train", "fox"], ["test", other], ["test", "fox"]])
    assert found.places[2] == Place("test", ("red_panda",))
    assert any("was taken as 'red_panda' of train" in line for line in found.warnings)


def test_a_class_that_may_be_none_by_its_name_is_told():
    folders = [["cat"], ["dog"], ["test"], ["unlabeled"]]
    assert [line.partition(" ")[0] for line in detect(folders).warnings] == ["'test'", "'unlabeled'"]
    assert not detect([["bus"], ["train"], ["car"]]).warnings
    said = detect(folders, {"test": "skip", "unlabeled": "class"})
    assert [isinstance(found, Place) for found in said.places] == [True, True, False, True]
    assert not said.warnings


def place(*files: str):
    """detect() over '/'-joined files; a place as 'split:path', a refusal as its reason."""
    places = detect([file.split("/")[:-1] for file in files]).places
    return [f"{p.split}:{'/'.join(p.path)}" if isinstance(p, Place) else p for p in places]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["cat/1", "dog/1"], ["train:cat", "train:dog"]),
        (["w/cat/1", "w/dog/1"], ["train:cat", "train:dog"]),
        (["v/w/cat/1", "v/w/dog/1", "v/cover"], ["train:cat", "train:dog", "lies in no class folder"]),
        (["train/cat/1", "train/dog/1", "test/cat/1"], ["train:cat", "train:dog", "test:cat"]),
        (["w/Training/cat/1", "w/VALID/cat/1", "w/testing/dog/1"], ["train:cat", "val:cat", "test:dog"]),
        (["cat/train/1", "cat/test/1", "dog/validation/1"], ["train:cat", "test:cat", "val:dog"]),
        (["a/train/cat/1", "a/test/cat/1", "b/train/dog/1"], ["train:a/cat", "test:a/cat", "train:b/dog"]),
        (
            ["train/train/cat/1", "train/train/dog/2", "test/test/cat/1"],
            ["train:cat", "train:dog", "test:cat"],
        ),
        (
            ["train/images/cat/1", "train/images/dog/1", "val/images/cat/1"],
            ["train:cat", "train:dog", "val:cat"],
        ),
        (
            ["train/cat/1", "test/cat/1", "samples/1"],
            ["train:cat", "test:cat", "lies outside the train, val and test folders"],
        ),
        (["train/cat/1", "train/dog/1", "test/1"], ["train:cat", "train:dog", "lies in no class folder"]),
        (["train/cat/1", "train/dog/1"], ["train:cat", "train:dog"]),
        (
            ["cat/1", "dog/1", "test/cat/1", "test/dog/1"],
            ["train:cat", "train:dog", "test:cat", "test:dog"],
        ),
        (
            ["w/cat/1", "w/dog/1", "w/val/cat/1", "w/val/dog/1", "w/test/dog/1"],
            ["train:cat", "train:dog", "val:cat", "val:dog", "test:dog"],
        ),
        (["test/cat/1", "test/dog/1"], ["train:cat", "train:dog"]),
        (["bus/1", "train/1", "car/1"], ["train:bus", "train:train", "train:car"]),  # a railway train
        (["a/b/cat/1", "a/dog/1", "c/1"], ["train:a/b/cat", "train:a/dog", "train:c"]),
        (
            ["train/a/b/x/1", "train/a/y/1", "test/a/x/1"],
            ["train:b/x", "train:y", "test:b/x"],
        ),  # one class at two depths
        (["train/Cat/1", "train/dog/1", "test/cat/1"], ["train:Cat", "train:dog", "test:Cat"]),
        (["1", "2"], ["lies in no class folder"] * 2),
        (["cat/1"], ["train:cat"]),
    ],
)
def test_known_layouts(files, expected):
    assert place(*files) == expected


@given(
    TREES,
    st.lists(st.sampled_from(["data", "images", "w"]), max_size=3),
    st.sampled_from(["none", "outer", "inner"]),
)
def test_wrappers_and_splits_never_change_the_classes(tree, wrappers, splits):
    if len({path[0] for path in tree}) < 2:
        tree = [*tree, ("something else",)]
    expected, folders = [], []
    for split in ["train"] if splits == "none" else ["train", "test"]:
        for path in tree:
            inner = {"none": path, "outer": (split, *path), "inner": (*path, split)}[splits]
            folders.append((*wrappers, *inner))
            expected.append(Place(split, path))
    assert detect(folders).places == expected


@given(TREES)
def test_class_names_are_unique_and_groupings_are_partitions(tree):
    names = class_names(tree)
    assert len(set(names.values())) == len(tree)
    groupings = suggested_groupings({name: path[:-1] for path, name in names.items()})
    assert groupings[-1][0] == "identity"
    for _, groups in groupings:
        assert sorted(sub for subs in groups.values() for sub in subs) == sorted(names.values())


def test_names():
    assert class_names([("a", "x"), ("b", "x"), ("c", "y")]) == {
        ("a", "x"): "a/x",
        ("b", "x"): "b/x",
        ("c", "y"): "y",
    }
    assert clean_name(" cafe\u0301 ") == "caf\u00e9"
    assert clean_name("a\nb\u202ec\u200b") == "a\\nb\\u202ec\\u200b"
    assert sorted(["img10", "img2", "3"], key=natural_key) == ["3", "img2", "img10"]


def test_colliding_names_are_reported():
    merged = detect([["caf\u00e9"], ["cafe\u0301"], ["dog"]])
    assert merged.places[0] == merged.places[1]
    assert "merged" in merged.warnings[0]
    near = detect([["Cat"], ["cat"], ["dog"]])
    assert len(set(near.places)) == 3
    assert "Cat, cat" in near.warnings[0]


def test_groupings_follow_the_folders():
    hierarchy = {
        "gala": ("fruit", "apple"),
        "fuji": ("fruit", "apple"),
        "kiwi": ("fruit",),
        "milk": ("drink",),
    }
    assert suggested_groupings(hierarchy) == [
        ("folders-1", {"drink": ["milk"], "fruit": ["gala", "fuji", "kiwi"]}),
        ("folders-2", {"apple": ["gala", "fuji"], "kiwi": ["kiwi"], "milk": ["milk"]}),
        ("identity", {name: [name] for name in hierarchy}),
    ]
    assert [name for name, _ in suggested_groupings({"a": (), "b": ()})] == ["identity"]
