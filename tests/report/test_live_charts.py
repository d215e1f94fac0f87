"""Live charts: they draw what the metrics say, thin what is long, and draw nothing before there is any."""

from __future__ import annotations

import json

import pytest

from gmaug_core import runs
from gmaug_core.report import live_charts


@pytest.fixture
def rows(finished_run):
    return runs.read_metrics(finished_run)[0]


def test_live_charts_draw_what_there_is_and_nothing_before(rows):
    for chart in (live_charts.convergence, live_charts.training, live_charts.classifiers):
        assert chart([]) is None
        assert chart(rows) is not None
    values = live_charts.convergence(rows).to_dict()["datasets"]
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
    points = next(iter(live_charts.training([row]).to_dict()["datasets"].values()))
    assert {point["what"]: point["value"] for point in points} == {"generator": 0.5, "discriminator": 0.7}


def test_what_a_resumed_run_did_again_is_drawn_once():
    """Stopped at 30 and begun again at 20: one line, with the values that came later."""
    generator = [
        {"stage": "generator", "kimg": k, "loss": v} for k, v in ((10, 3), (20, 2), (30, 9), (30, 1))
    ]
    points = next(iter(live_charts.training(generator).to_dict()["datasets"].values()))
    assert [(point["kimg"], point["value"]) for point in points] == [(10, 3), (20, 2), (30, 1)]
    trained = {"stage": "baseline", "step": 0, "variant": "baseline", "val_accuracy": 0.5}
    steps = [(0, 10, 0.5), (0, 20, 0.9), (1, 10, 0.4), (0, 20, 0.6), (1, 20, 0.7)]
    rows = [trained | {"seed": seed, "sgd_step": step, "val_accuracy": v} for seed, step, v in steps]
    points = next(iter(live_charts.classifiers(rows)[1].to_dict()["datasets"].values()))
    assert {each["step"]: (each["value"], each["seeds"]) for each in points} == {
        10: (pytest.approx(0.45), 2),
        20: (pytest.approx(0.65), 2),
    }


def test_classifiers_show_validation_where_it_is_reported_and_their_loss_otherwise():
    row = {"stage": "baseline", "step": 10, "variant": "baseline", "seed": 1, "loss": 0.5}
    assert "loss" in live_charts.classifiers([row])[0]
    assert "Validation" in live_charts.classifiers([row, row | {"val_accuracy": 0.9}])[0]


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
    points = next(iter(live_charts.convergence(rows).to_dict()["datasets"].values()))
    assert len(points) <= 2100
    assert points[-1]["value"] == 9999


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
    caption, chart = live_charts.snapshots(history)
    assert "250 samples" in caption
    assert "180 real" in caption
    document = json.dumps(chart.to_dict())
    assert document.count('"what": "KID"') == 2, "a snapshot reported again by a resumed run counts once"
    assert live_charts.snapshots(history[:1]) is None
    assert live_charts.snapshots([{"stage": "generator", "quality": {"kimg": 1.0, "diversity": 1.0}}]) is None


def test_sets_without_a_value_yet_are_not_drawn():
    nothing = {"name": "b", "n": 2, "value": None, "ci_low": None, "ci_high": None, "pairs": 1}
    row = {"name": "a", "n": 9, "value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "pairs": 9}
    assert live_charts.convergence([{"step": 1, "total": 2, "sets": [nothing]}]) is None
    assert live_charts.convergence([{"step": 1, "total": 2, "sets": [nothing, row]}]) is not None
