"""Charts: what they show is what the table says, names are never markup, and every state of the data
draws.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from gmaug_core.method.result import AugmentationResult
from gmaug_core.report import charts
from gmaug_core.scoring.result import Matrix, SuperClassMean

NASTY = "<b>x</b> & $y$ [a](b)"


@pytest.fixture
def result(finished_result):
    return finished_result


def test_class_names_are_text(result):
    found = AugmentationResult.parse(
        json.loads(json.dumps(result.to_dict()).replace('"9"', json.dumps(NASTY)))
    )
    for figure in (charts.per_class(found), charts.balance(found)):
        text = json.dumps(figure.to_plotly_json(), default=lambda value: value.tolist())
        assert "<b>x" not in text
        assert "&lt;b&gt;x" in text


def test_the_rarest_class_is_on_top_and_hundreds_are_cut(result):
    figure = charts.per_class(result)
    assert figure.data[0].y[-1].startswith("9 (5)")
    first = result.to_dict()["per_class"][0]
    rows = [first | {"class": f"c{k}", "train": k} for k in range(300)]
    many = AugmentationResult.parse(result.to_dict() | {"per_class": rows})
    assert len(charts.per_class(many).data[0].y) == charts.MAX_CLASSES
    assert charts.per_class(many, compare="oversampling").data[0].name == "Oversampling"


def row(name: str, value: float | None) -> SuperClassMean:
    """A super-class of three images; without a value where too few pairs were measured."""
    ends = (None, None) if value is None else (value - 0.1, value + 0.1)
    return SuperClassMean(
        name=name,
        n=3,
        value=value,
        ci_low=ends[0],
        ci_high=ends[1],
        pairs=2,
        exact=False,
        approximate=True,
        se=None if value is None else 0.05,
    )


def matrix(classes: list[str], mean: list[list[float | None]]) -> Matrix:
    """Of classes with three images each."""
    same = [[9] * len(classes)] * len(classes)
    return Matrix(
        classes=classes, n=[3] * len(classes), pairs=same, profile="paper", seed=0, mean=mean, se=mean
    )


def test_super_classes_are_ordered_and_the_winner_stands_out():
    figure = charts.super_classes([row("b", 0.3), row("a", 0.2)], argmax="b", merge=0.25)
    assert list(figure.data[-1].y) == ["a", "b"]
    assert list(figure.data[-1].marker.symbol) == [
        "circle",
        "diamond",
    ]


def test_a_matrix_leaves_unknown_cells_empty():
    figure = charts.matrix(matrix(["a", "<i>"], [[None, 0.2], [0.2, 0.5]]))
    assert figure.data[0].x[1] == "&lt;i&gt;"
    assert np.isnan(figure.data[0].z).tolist() == [[True, False], [False, False]]


def test_sets_without_a_value_yet_are_left_out():
    assert list(charts.super_classes([row("b", None), row("a", 0.2)]).data[-1].y) == ["a"]


def test_classes_called_by_numbers_are_categories():
    assert charts.super_classes([row("7", 0.7), row("2", 0.2)]).layout.yaxis.type == "category"
    layout = charts.matrix(matrix(["0", "7"], [[0.4, 0.2], [0.2, 0.5]])).layout
    assert layout.xaxis.type == layout.yaxis.type == "category"
