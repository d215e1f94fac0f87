"""A person's own runs on the curve, and the law fitted again with them, on the command line too."""

from __future__ import annotations

import json

import numpy as np
import pytest
import run_fixture

from gmaug_core.cli import main as cli
from gmaug_core.errors import InputError
from gmaug_core.files import write_json
from gmaug_core.report import points
from gmaug_core.runs import RunPaths
from gmaug_core.scoring.paper import paper_law, refit


def finished(demo: str, token: str, **changes) -> RunPaths:
    """A finished run; changes: x (the score), profile, gain (low, value, high), status, stored
    (how large its images are), content (version of the dataset)."""
    paths = run_fixture.make_run(demo, token=token, per_class=2)
    result = json.loads(paths.result.read_text())
    result["score"]["profile"] = changes.get("profile", "paper")
    result["score"]["ssim_supsubcls"]["value"] = changes.get("x", 0.3)
    low, value, high = changes.get("gain", (1.0, 3.0, 5.0))
    result["relative_gain_percent"] |= {"value": value, "ci_low": low, "ci_high": high}
    result["status"] = changes.get("status", "measured")
    result["score"]["stored"] = changes.get("stored", run_fixture.STORED)
    write_json(paths.result, result)
    if "content" in changes:
        config = json.loads(paths.config.read_text())
        write_json(paths.config, config | {"dataset_version": changes["content"]})
    return paths


def test_only_finished_runs_with_a_gain_at_the_laws_profile_are_points(demo):
    good = finished(demo, "good", x=0.25)
    finished(demo, "other", profile="uniform7")
    finished(demo, "no-gain", gain=(None, None, None))
    run_fixture.make_run(demo, state="failed", token="failed")
    (point,) = points.own_points()
    assert (point.run, point.x, point.gain, point.low, point.high) == (good.id, 0.25, 3.0, 1.0, 5.0)
    assert point.se == pytest.approx(4 / (2 * 1.96))


def test_a_refit_weighs_each_run_by_its_error_and_leaves_out_those_without(demo):
    given = {"a1": (0.2, (20.0, 30.0, 40.0)), "b1": (0.3, (2.0, 4.0, 6.0)), "c1": (0.4, (0.5, 1.0, 1.5))}
    for token, (x, gain) in (given | {"one-seed": (0.3, (9.0, 9.0, 9.0))}).items():
        finished(demo, token.replace("1", "-run"), x=x, gain=gain, content=token)
    own = points.own_points()
    assert len(own) == 4
    assert len(points.usable(own)) == 3
    alone = points.law_with(own, with_paper=False)
    expected = refit(
        [x for x, _ in given.values()],
        [gain[1] for _, gain in given.values()],
        [(gain[2] - gain[0]) / (2 * 1.96) for _, gain in given.values()],
        x_se=[own[0].x_se] * 3,
        with_paper=False,
    )
    assert alone.n == 3
    assert np.isclose(alone.amplitude, expected.amplitude, rtol=1e-6)
    assert points.law_with(own, with_paper=True).n == paper_law().n + 3


def test_a_run_that_tested_nothing_is_no_point(demo):
    finished(demo, "nothing", status="not tested", gain=(0.0, 0.0, 0.0))
    assert points.own_points() == []


def test_a_run_on_enlarged_images_is_no_point_and_an_old_one_asks_its_dataset(demo):
    small = {"median": 32.0, "least": 32, "side": 128, "enlarged": 1.0}
    finished(demo, "small", stored=small)
    old = finished(demo, "before", stored=None)  # the demo's digits are 16 px
    assert points.own_points() == []
    result = json.loads(old.result.read_text())
    write_json(old.result, result | {"dataset": "deleted-since"})
    assert [point.run for point in points.own_points()] == [old.id]


def test_a_damaged_result_does_not_hide_the_others(demo, caplog):
    good, broken = finished(demo, "good"), finished(demo, "broken")
    broken.result.write_text("{")
    assert [point.run for point in points.own_points()] == [good.id]
    assert broken.id in caplog.text


def test_three_runs_of_one_dataset_are_one_point(demo):
    once = finished(demo, "first", x=0.1324, gain=(-3.6, -0.7, 2.2))
    before = points.law_with(points.own_points(), with_paper=True)
    finished(demo, "second", x=0.1324, gain=(-3.4, -0.5, 2.4))
    finished(demo, "third", x=0.1324, gain=(-3.8, -0.9, 2.0))
    three = points.own_points()
    (one,) = points.by_dataset(three)
    assert len(three) == 3
    assert one.gain == pytest.approx(-0.7)
    assert one.se == pytest.approx(
        2.9 / 1.96
    )  # the runs share their test images: averaging does not shrink it
    after = points.law_with(three, with_paper=True)
    assert (before.n, after.n) == (9, 9)
    assert after.amplitude == pytest.approx(before.amplitude, rel=1e-3)
    assert once.id in {point.run for point in three}


def test_without_runs_there_is_nothing_to_fit_with(demo):
    with pytest.raises(InputError, match="no finished run"):
        points.law_with([], with_paper=True)


def test_fit_with_runs_answers_as_the_core(demo, capsys):
    finished(demo, "good", x=0.25)
    capsys.readouterr()
    assert cli.main(["fit", "--with-runs", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    law = points.law_with(points.own_points(), with_paper=True)
    assert (answer["amplitude"], answer["rate"], answer["n"]) == (law.amplitude, law.rate, law.n)
    assert [point["x"] for point in answer["runs"]] == [0.25]
    assert cli.main(["fit", "--with-runs", "--without-paper", "--json"]) == 2
    assert cli.main(["fit", "--without-paper"]) == 2
