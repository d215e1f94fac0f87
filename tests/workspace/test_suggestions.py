"""Clusters to start from: those that are there are found, with their number; one alone keeps its name."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.workspace import suggestions


def distances(points) -> np.ndarray:
    column = np.array(points, float)
    return np.abs(column[:, None] - column[None, :])


def test_the_clusters_that_are_there_are_found_with_their_number():
    made = suggestions.suggest("abcdefg", distances([0, 0.1, 5, 5.1, 5.2, 10, 10.1]))
    assert made.grouping.super_classes["group 1"] == ("c", "d", "e")
    assert made.grouping.super_classes["group 2"] == ("a", "b")
    assert made.grouping.super_classes["group 3"] == ("f", "g")
    assert made.silhouette > 0.6
    two = suggestions.suggest("abcd", distances([0, 0.1, 5, 5.1]), 2)
    assert set(two.grouping.super_classes.values()) == {("a", "b"), ("c", "d")}


def test_of_many_numbers_some_are_tried_and_then_those_around_the_best(monkeypatch):
    monkeypatch.setattr(suggestions, "MOST_CUTS", 10)  # of 26 from 5 to 30: every third one
    tried: list[int] = []
    silhouette = suggestions._silhouette
    monkeypatch.setattr(
        suggestions, "_silhouette", lambda d, labels: tried.append(max(labels)) or silhouette(d, labels)
    )
    points = np.repeat(np.arange(13) * 10, 5)[:60] + np.random.default_rng(0).normal(scale=0.1, size=60)
    made = suggestions.suggest([str(i) for i in range(60)], distances(points))
    assert len(made.grouping.super_classes) == 12  # 60 points are of twelve
    assert len(tried) < 15


def test_the_silhouette_is_sklearns_on_the_points():
    from sklearn.metrics import silhouette_score

    points = np.random.default_rng(0).normal(size=20)
    made = suggestions.suggest([str(i) for i in range(20)], distances(points), 4)
    label = [list(made.grouping.super_classes).index(made.grouping.super_of[str(i)]) for i in range(20)]
    assert made.silhouette == pytest.approx(silhouette_score(points[:, None], label))
    assert "hardly any structure" not in made.words
    rough = suggestions.Suggestion(made.grouping, "their pictures", 0.09)
    assert rough.words.endswith("by their pictures (silhouette 0.09: hardly any structure, look at each)")


@pytest.mark.parametrize("k", [0, 3, -1])
def test_a_number_that_does_not_fit_is_refused(k):
    with pytest.raises(InputError, match="cannot be made"):
        suggestions.suggest(["a", "b"], distances([0, 1]), k)


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_sub_classes(n):
    made = suggestions.suggest("ab"[:n], distances(range(n)))
    made.grouping.validate("ab"[:n])
    assert made.silhouette is None


def test_a_title_is_never_that_of_a_sub_class_that_stands_elsewhere():
    made = suggestions.suggest(["group 1", "b", "c"], distances([9, 0, 0.1]), 2)
    made.grouping.validate(["group 1", "b", "c"])
    assert made.grouping.super_classes["group 1"] == ("group 1",)


def test_likeness_is_a_distance_where_all_of_it_was_measured():
    assert suggestions.by_likeness([[0.5, 0.2], [0.2, 0.4]])[0, 1] == pytest.approx(0.8)
    assert suggestions.by_likeness([[0.5, None], [None, 0.4]]) is None


def test_digits_that_look_alike_are_near(demo):
    data = dataset.load(demo)
    found = suggestions.by_pictures(data)
    assert np.allclose(found, found.T)
    assert found[3, 9] < found[0, 1]  # a three is nearer to a nine than a nought to a one
    suggestions.suggest(data.class_names, found).grouping.validate(data.class_names)
