"""Charts: what they show is what the table says, names are never markup, and every state of the data
draws.
"""

from __future__ import annotations

import json

import pytest
import run_fixture

from gmaug_core.data.demo import make_demo
from gmaug_core.method.result import AugmentationResult
from gmaug_core.report import charts

NASTY = "<b>x</b> & $y$ [a](b)"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("figures")))
        paths = run_fixture.make_run(make_demo(), token="figures")
        yield AugmentationResult.read(paths.result)


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


def test_super_classes_are_ordered_and_the_winner_stands_out():
    rows = [
        {"name": name, "n": 3, "value": v, "ci_low": v - 0.1, "ci_high": v + 0.1, "pairs": 9}
        for name, v in (("b", 0.3), ("a", 0.2))
    ]
    figure = charts.super_classes(rows, argmax="b", merge=0.25)
    assert list(figure.data[-1].y) == ["a", "b"]
    assert list(figure.data[-1].marker.symbol) == [
        "circle",
        "diamond",
    ]


def test_a_matrix_leaves_unknown_cells_empty():
    figure = charts.matrix([[None, 0.2], [0.2, 0.5]], ["a", "<i>"])
    assert figure.data[0].x[1] == "&lt;i&gt;"


def test_sets_without_a_value_yet_are_left_out():
    nothing = {"name": "b", "n": 2, "value": None, "ci_low": None, "ci_high": None, "pairs": 1}
    row = {"name": "a", "n": 9, "value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "pairs": 9}
    assert list(charts.super_classes([nothing, row]).data[-1].y) == ["a"]


def test_classes_called_by_numbers_are_categories():
    rows = [
        {"name": str(k), "n": 3, "value": 0.1 * k, "ci_low": 0.1 * k, "ci_high": 0.1 * k, "pairs": 9}
        for k in (7, 2)
    ]
    assert charts.super_classes(rows).layout.yaxis.type == "category"
    layout = charts.matrix([[0.4, 0.2], [0.2, 0.5]], ["0", "7"]).layout
    assert layout.xaxis.type == layout.yaxis.type == "category"
