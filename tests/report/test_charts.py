"""Charts: what they show is what the table says, names are never markup, and every state of the data
draws.
"""

from __future__ import annotations

import json

import pytest
import run_fixture

from gmaug_core import runs
from gmaug_core.data.demo import make_demo
from gmaug_core.report import charts
from gmaug_core.scoring.law import paper_law, paper_points, printed_equation

NASTY = "<b>x</b> & $y$ [a](b)"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(tmp_path_factory.mktemp("figures")))
        paths = run_fixture.make_run(make_demo(), token="figures")
        yield runs.read_result(paths), runs.read_metrics(paths)[0]


def test_the_curve_holds_the_papers_points_the_law_its_band_and_own_runs():
    own = [{"name": NASTY, "x": 0.43, "gain": 0.8, "low": -1.0, "high": 2.6}]
    figure = charts.curve(paper_law(), paper_points(), runs=own, here=0.2)
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["the paper's datasets"].y) == [point.gain for point in paper_points()]
    assert traces["your runs"].error_y.array[0] == pytest.approx(1.8)
    assert "<b>" not in json.dumps(figure.to_plotly_json()["data"][-2]["customdata"][0][0], default=str)
    assert traces["this dataset, predicted"].y[0] == pytest.approx(paper_law().predict(0.2)[0])
    at = abs(traces["fitted law"].x - 0.2).argmin()
    assert traces["fitted law"].y[at] == pytest.approx(paper_law().predict(0.2)[0], rel=0.05)
    assert traces["equation 4 as printed"].y[at] == pytest.approx(printed_equation(0.2), rel=0.05)
    assert figure.layout.yaxis.range[0] < -1
    assert figure.layout.yaxis.range[1] > 83


def test_the_curve_makes_room_for_harm():
    own = [{"name": "bad", "x": 0.2, "gain": -40.0, "low": -60.0, "high": -20.0}]
    assert charts.curve(paper_law(), paper_points(), runs=own).layout.yaxis.range[0] < -60


def test_neighbouring_names_do_not_cover_each_other():
    above = dict(
        zip([point.name for point in paper_points()], charts.label_above(paper_points()), strict=True)
    )
    assert above["Birds"]
    assert not above["UTKFace"]
    assert above["Amphibians"]
    assert above["Fungi"]
    assert not above["Reptiles"]


def test_the_forest_shows_every_variant_with_its_interval_and_seeds(result):
    found, _ = result
    for measure in ("accuracy", "balanced_accuracy"):
        figure = charts.forest(found, measure)
        means = [trace.x[0] for trace in figure.data if trace.error_x.array is not None]
        expected = [100 * measured[measure]["mean"] for *_, measured in reversed(charts.variants(found))]
        assert means == pytest.approx(expected)
        assert sum(len(trace.x) == 3 for trace in figure.data) == 5  # three seeds a variant


def test_class_names_are_text(result):
    found = json.loads(json.dumps(result[0]).replace('"9"', json.dumps(NASTY)))
    for figure in (charts.per_class(found), charts.balance(found)):
        text = json.dumps(figure.to_plotly_json(), default=lambda value: value.tolist())
        assert "<b>x" not in text
        assert "&lt;b&gt;x" in text


def test_the_rarest_class_is_on_top_and_hundreds_are_cut(result):
    found, _ = result
    figure = charts.per_class(found)
    assert figure.data[0].y[-1].startswith("9 (5)")
    many = found | {
        "per_class": [dict(found["per_class"][0], **{"class": f"c{k}", "train": k}) for k in range(300)]
    }
    assert len(charts.per_class(many).data[0].y) == charts.MAX_CLASSES
    assert charts.per_class(many, compare="oversampling").data[0].name == "Oversampling"


def test_live_charts_draw_what_there_is_and_nothing_before(result):
    _, rows = result
    for chart in (charts.convergence, charts.training, charts.classifiers):
        assert chart([]) is None
        assert chart(rows) is not None
    values = charts.convergence(rows).to_dict()["datasets"]
    assert {row["set"] for row in next(iter(values.values()))} == {"round", "straight", "mixed"}


def test_only_losses_are_drawn_as_losses():
    row = {
        "stage": "generator",
        "kimg": 1.0,
        "loss": 0.5,
        "loss_d": 0.7,
        "lambda": 0.1,
        "r1": 0.2,
        "img_per_s": 600.0,
        "seconds": 60.0,
    }
    points = next(iter(charts.training([row]).to_dict()["datasets"].values()))
    assert {point["what"]: point["value"] for point in points} == {"generator": 0.5, "discriminator": 0.7}


def test_classifiers_show_validation_where_it_is_reported_and_their_loss_otherwise():
    row = {"stage": "baseline", "step": 10, "variant": "baseline", "seed": 1, "loss": 0.5}
    assert "loss" in charts.classifiers([row])[0]
    assert "Validation" in charts.classifiers([row, row | {"val_accuracy": 0.9}])[0]


def test_a_long_history_is_thinned_and_keeps_its_end():
    rows = [
        {
            "stage": "score",
            "step": k,
            "total": 10**5,
            "sets": [{"name": "a", "value": k, "ci_low": k, "ci_high": k, "pairs": k}],
        }
        for k in range(10_000)
    ]
    points = next(iter(charts.convergence(rows).to_dict()["datasets"].values()))
    assert len(points) <= 2100
    assert points[-1]["value"] == 9999


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
    assert charts.convergence([{"step": 1, "total": 2, "sets": [nothing]}]) is None
    assert charts.convergence([{"step": 1, "total": 2, "sets": [nothing, row]}]) is not None


def test_classes_called_by_numbers_are_categories():
    rows = [
        {"name": str(k), "n": 3, "value": 0.1 * k, "ci_low": 0.1 * k, "ci_high": 0.1 * k, "pairs": 9}
        for k in (7, 2)
    ]
    assert charts.super_classes(rows).layout.yaxis.type == "category"
    layout = charts.matrix([[0.4, 0.2], [0.2, 0.5]], ["0", "7"]).layout
    assert layout.xaxis.type == layout.yaxis.type == "category"


def test_quality_at_snapshots_states_its_n():
    row = {
        "kimg": 10.0,
        "kid": 0.4,
        "consistency": 0.7,
        "consistency_tail": 0.5,
        "n_real": 180,
        "n_synthetic": 250,
    }
    history = [
        {"stage": "generator", "kimg": 9.0, "loss": 1.0},
        {"stage": "generator", "kimg": 10.0, "quality": row},
    ]
    history += [{"stage": "generator", "kimg": 20.0, "quality": row | {"kimg": 20.0}}] * 2
    caption, chart = charts.snapshots(history)
    assert "250 samples" in caption
    assert "180 real" in caption
    document = json.dumps(chart.to_dict())
    assert document.count('"what": "KID"') == 2, "a snapshot reported again by a resumed run counts once"
    assert charts.snapshots(history[:1]) is None
    assert charts.snapshots([{"stage": "generator", "quality": {"kimg": 1.0, "diversity": 1.0}}]) is None
