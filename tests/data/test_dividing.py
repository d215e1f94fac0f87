from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.data.dividing import NAMES, folds, three_way_split
from gmaug_core.data.splits import notes
from gmaug_core.errors import InputError

LABELS = np.repeat([0, 1, 2], [40, 10, 3])


@pytest.mark.parametrize("given", [["train"], ["train", "val"], ["train", "test"], ["train", "val", "test"]])
def test_three_way_split_is_a_partition(given):
    splits = np.resize(np.array(given), len(LABELS))
    parts = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(LABELS)))
    assert all(len(part) for part in parts.values())
    if len(given) == 3:
        assert all((splits[parts[name]] == name).all() for name in parts)
    again = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)
    assert all((parts[name] == again[name]).all() for name in parts)


@pytest.mark.parametrize("given", [["train"], ["train", "val"]])
def test_copies_of_an_image_stay_on_one_side(given):
    splits = np.resize(np.array(given), len(LABELS))
    content = np.arange(len(LABELS))
    content[3::6] = content[2::6][: len(content[3::6])]  # a third of the images are there twice
    content[-2:] = content[0]  # and one in two classes
    if len(given) == 2:
        content = content * 2 + (splits == "val")  # the dataset's own splits share nothing
    parts = three_way_split(LABELS, splits, ["a", "b", "c"], seed=0, content=content)
    sides = [set(content[part].tolist()) for part in parts.values()]
    assert not (sides[0] & sides[1])
    assert not (sides[0] & sides[2])
    assert not (sides[1] & sides[2])
    assert sum(map(len, parts.values())) == len(LABELS)


def test_of_three_held_out_images_two_test():
    """iNaturalist's layout: three validation images a class."""
    labels = np.repeat([0, 1, 0, 1], [9, 9, 3, 3])
    given = np.repeat(["train", "val"], [18, 6])
    parts = three_way_split(labels, given, ["a", "b"], seed=0)
    assert np.bincount(labels[parts["test"]]).tolist() == [2, 2]
    assert np.bincount(labels[parts["val"]]).tolist() == [1, 1]


def test_one_held_out_image_a_class_chooses_or_tests_and_is_named():
    labels = np.array([0, 1, 2, 3] * 2)
    given = np.repeat(["train", "test"], 4)
    parts = three_way_split(labels, given, list("abcd"), seed=0)
    assert (len(parts["val"]), len(parts["test"])) == (2, 2)
    untested = sorted(set(range(4)) - set(labels[parts["test"]].tolist()))
    said = notes(labels, parts, list("abcd"), None)
    assert said == [f"No test image of: {', '.join('abcd'[k] for k in untested)}."]


def sources(n=60, images=5, classes=3):
    """Labels and groups: n sources of `images` images each, a source in one class."""
    groups = np.repeat(np.arange(n), images)
    return np.repeat(np.sort(np.arange(n) % classes), images), groups


def on_two_sides(parts, groups):
    sides = [set(groups[index].tolist()) for index in parts.values()]
    return len((sides[0] & sides[1]) | (sides[0] & sides[2]) | (sides[1] & sides[2]))


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_source_is_on_two_sides(seed, held):
    labels, groups = sources()
    given = np.where(held & (groups % 2 == 0), "test", "train")
    names = ["a", "b", "c"]
    parts = three_way_split(labels, given, names, seed=seed, groups=groups)
    assert on_two_sides(parts, groups) == 0
    assert on_two_sides(three_way_split(labels, given, names, seed=seed), groups) > 20
    assert sum(map(len, parts.values())) == len(labels)
    for name in ("val", "test"):
        share = np.bincount(labels[parts[name]], minlength=3) / np.bincount(labels)
        assert (share == (0.25 if held else 0.15)).all()
    again = three_way_split(labels, given, names, seed=seed, groups=groups)
    assert all((parts[name] == again[name]).all() for name in parts)
    assert notes(labels, parts, names, groups) == []


def test_sources_of_any_size_and_class_never_leak():
    random = np.random.default_rng(0)
    for seed in range(20):
        groups = random.integers(0, 40, 300)
        labels = random.integers(0, 4, 300)  # a source holds several classes
        content = np.arange(300)
        content[:30] = content[30:60]  # copies link sources
        given = np.full(300, "train")
        parts = three_way_split(labels, given, list("abcd"), seed=seed, content=content, groups=groups)
        assert on_two_sides(parts, groups) == on_two_sides(parts, content) == 0
        assert all(len(index) for index in parts.values())


def test_a_class_of_one_source_is_trained_on_and_named():
    labels, groups = sources()
    groups[labels == 2] = 1000
    parts = three_way_split(labels, np.full(300, "train"), ["a", "b", "c"], seed=0, groups=groups)
    assert not (labels[parts["test"]] == 2).any()
    said = notes(labels, parts, ["a", "b", "c"], groups)
    assert said == ["All images come from one source, which cannot be divided, so nothing tests: c."]


def test_a_split_that_came_with_the_dataset_is_kept_and_its_leak_said():
    labels, groups = sources()
    given = np.resize(np.array(["train", "train", "train", "val", "test"]), 300)
    parts = three_way_split(labels, given, ["a", "b", "c"], seed=0, groups=groups)
    assert (given[parts["test"]] == "test").all()
    assert notes(labels, parts, ["a", "b", "c"], groups)[0].startswith("60 sources have images")


def test_a_class_without_training_images_is_named():
    splits = np.where(LABELS == 2, "val", "train")
    with pytest.raises(InputError, match="no training images of c"):
        three_way_split(LABELS, splits, ["a", "b", "c"], seed=0)


def test_folds_test_every_image_once_and_starve_no_class():
    n = [80, 31, 7, 3, 2, 1]
    labels, names = np.repeat(np.arange(6), n), list("abcdef")
    content = np.arange(len(labels))
    content[-2] = content[-3]  # the class of two is one image twice
    found = folds(labels, names, count=5, seed=0, content=content)
    tested = np.concatenate([parts["test"] for parts in found])
    assert len(np.unique(tested)) == len(tested)
    assert np.bincount(labels[tested], minlength=6).tolist() == [80, 31, 7, 3, 0, 0], (
        "one image is not tested"
    )
    for parts in found:
        assert sorted(np.concatenate(list(parts.values()))) == list(range(len(labels)))
        train, val, test = (np.bincount(labels[parts[name]], minlength=6) for name in NAMES)
        assert (train > 0).all()
        assert test[:2].tolist() in ([16, 6], [16, 7])
        assert val[:2].tolist() in ([12, 4], [12, 5])
        assert train[3] + val[3] + test[3] == 3
    again = folds(labels, names, count=5, seed=0, content=content)
    other = folds(labels, names, count=5, seed=1, content=content)
    assert all((a["test"] == b["test"]).all() for a, b in zip(found, again, strict=True))
    assert [parts["test"].tolist() for parts in found] != [parts["test"].tolist() for parts in other]


def test_no_source_is_in_two_parts_of_a_fold_or_tested_twice():
    random = np.random.default_rng(0)
    for seed in range(5):
        groups, labels = random.integers(0, 60, 300), random.integers(0, 3, 300)
        found = folds(labels, list("abc"), count=3, seed=seed, groups=groups)
        assert sum(len(parts["test"]) for parts in found) == 300
        assert all(on_two_sides(parts, groups) == 0 for parts in found)
        sizes = [len(parts["test"]) for parts in found]
        assert max(sizes) - min(sizes) < 30


def test_a_fold_that_cannot_be_divided_is_refused():
    with pytest.raises(InputError, match="no images for"):
        folds(np.arange(4), list("abcd"), count=2, seed=0)
