"""Pages and command line over one workspace: everything that both can show, they show alike."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
import run_fixture
from nowhere import Nowhere
from streamlit.testing.v1 import AppTest

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import AugmentationConfig, SelectionConfig, augmentation_config
from gmaug_core.data import dataset
from gmaug_core.report.html import html_report
from gmaug_core.runs import launch
from gmaug_core.ui import ROOT, text
from gmaug_core.workspace import reviews

pytestmark = pytest.mark.slow  # pages over a workspace of many runs


@pytest.fixture
def demo(demo) -> str:
    """The demo dataset with scores under two groupings, runs in several states, and a person's decisions."""
    run_fixture.make_score(demo, "shape", 0.30)
    run_fixture.make_score(demo, "identity", 0.20)
    for state in ("failed", "cancelled", "lost", "finished"):
        run_fixture.make_run(demo, state=state, token=f"both-{state}", per_class=6)
    reviews.save("augmentation-both-finished", {0: "keep", 1: "reject", 2: "reject"})
    return demo


@pytest.fixture
def ask(capsys):
    """What a verb answers with --json."""

    def answer(*arguments: str):
        capsys.readouterr()
        assert cli.main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return answer


def page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    if name != "datasets":
        app.switch_page(f"../../pages/{name}.py")
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """All text of a page, without Markdown's escapes."""
    kinds = ("markdown", "caption", "info", "warning", "success", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind)).replace("\\", "")


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The table of a page that has this column: the widest one."""
    found = [item.value for item in (*app.dataframe, *app.table) if column in item.value.columns]
    return max(found, key=lambda each: len(each.columns))


def test_datasets_and_counts(demo, ask):
    app, (listed,), shown = page("datasets"), ask("datasets"), ask("show", demo)
    assert [shown["name"]] == app.selectbox(key="dataset").options
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Images"] == f"{shown['images']:,}" == f"{listed['n_images']:,}"
    assert metrics["Train / val / test"] == " / ".join(str(n) for n in shown["splits"].values())
    assert metrics["Imbalance ratio"] == f"{shown['imbalance_ratio']:g} : 1"


def test_groupings_their_newest_score_and_what_follows_from_it(demo, ask):
    app = page("augmentation")
    choice = app.selectbox(key=f"aug-grouping-{demo}")
    names = ask("show", demo)["groupings"]
    assert choice.options == [text.grouping(name) for name in names]
    assert choice.value == ask("predict", demo)["grouping"]
    assert len(names) == 2
    for name in names:
        app.selectbox(key=f"aug-grouping-{demo}").set_value(name).run()
        answer = ask("predict", demo, "--grouping", name)
        assert f"a relative gain of {answer['gain_percent']:+.1f} %" in words(app)
        assert answer["advice"]["text"] in words(app)


def test_runs_and_their_states(demo, ask):
    shown = table(page("augmentation"), "state")
    listed = [row for row in ask("runs") if row["kind"] == "augmentation"]
    assert sorted(shown["state"]) == sorted(row["state"] for row in listed)
    assert {row["state"] for row in listed} == {"failed", "cancelled", "lost", "finished"}
    for row in listed:
        assert ask("status", row["run"])["state"] == row["state"]


def test_what_a_run_was_worth(demo, ask):
    run = "augmentation-both-finished"
    app, result = page("gains", run=run), ask("status", run)["result"]
    shown = table(app, "accuracy, %")
    variants = [result["baseline"], result["augmented"], *result["controls"].values()]
    assert len(shown) == len(variants)
    for cell, variant in zip(shown["accuracy, %"], variants, strict=True):
        found = variant["accuracy"]
        figures = [100 * found[key] for key in ("mean", "ci_low", "ci_high")]
        assert [float(number) for number in re.findall(r"[\d.]+", cell)] == [round(n, 2) for n in figures]
    through = table(app, "real accepted, %").to_dict("records")
    for shown, row in zip(through, ask("table", run, "acceptance"), strict=True):
        assert shown["class"] == row["class"]
        assert shown["real accepted, %"] == (
            f"{row['real accepted %']:.0f} ({row['real low']:.0f} to {row['real high']:.0f}) of "
            f"{row['real images']:,}"
        )
        assert shown["synthetic accepted, %"] == (
            f"{row['synthetic accepted %']:.0f} of {row['synthetic images']:,}"
        )
    assert "real validation images, which no judge was trained on" in words(app)
    metrics = {metric.label: metric.value for metric in app.metric}
    gain = result["relative_gain_percent"]["value"]
    assert metrics["Measured relative gain"].replace("\u2212", "-") == f"{gain:+.2f} %"


def test_own_points_and_the_law_with_them(demo, ask):
    app = page("gains")
    app.segmented_control(key="law").set_value("with_mine").run()
    law = ask("fit", "--with-runs")
    assert [point["run"] for point in law["runs"]] == ["augmentation-both-finished"]
    assert f"Fitted to {law['n']} datasets" in words(app)
    said = words(app).replace("\u2212", "-")
    assert f"{law['amplitude']:.1f} \u00b7 exp(-{law['rate']:.3f}" in said


def test_samples_with_peoples_decisions(demo, ask):
    run = "augmentation-both-finished"
    said, rows = words(page("samples", run=run)), ask("samples", run)
    accepted = ask("samples", run, "--accepted")
    assert f"**{len(rows):,}** samples" in said
    assert f"{len(accepted):,} accepted" in said
    assert f"{len(rows) - len(accepted):,} rejected" in said
    decided = [row for row in rows if row["review"]]
    assert len(decided) == 3
    assert f"{len(decided)} decided by people" in said
    kept = sum(row["review"] == "keep" or (row["accepted"] and not row["review"]) for row in rows)
    assert f"so **{kept:,}** are kept" in said


def test_an_equivalence(demo, ask, tmp_path):
    run = run_fixture.make_run(demo, kind="equivalence").id
    app, result = page("equivalence", run=run), ask("status", run)["result"]
    assert result["sentence"] in words(app)
    shown = table(app, "worth real ones")
    measured = [row for row in result["exchange"] if row["measured"] and row["measure"] == result["measure"]]
    assert len(shown) == len(measured)
    assert ask("report", run, "--out", str(tmp_path / "e.html"))["bytes"] == len(html_report(run).encode())


def test_export_and_report(demo, ask, tmp_path):
    run = "augmentation-both-finished"
    app, result = page("gains", run=run), ask("status", run)["result"]
    offered = {button.proto.label: button.proto.disabled for button in app.get("download_button")}
    assert offered["HTML report"] is False
    assert offered["Balanced dataset (zip)"] is False
    assert ask("report", run, "--out", str(tmp_path / "r.html"))["bytes"] == len(html_report(run).encode())
    rows = ask("table", run, "variants", "--out", str(tmp_path / "v.csv"))
    assert len(rows) == 2 + len(result["controls"])
    classes = ask("table", run, "classes")
    assert {row["class"] for row in classes} == {row["class"] for row in result["per_class"]}
    failed = page("gains", run="augmentation-both-failed")
    assert not failed.get("download_button")
    assert cli.main(["report", "augmentation-both-failed", "--out", str(tmp_path / "none.html")]) != 0
    assert cli.main(["table", "augmentation-both-failed", "classes"]) != 0


def test_what_is_known_before_a_run(demo, capsys, monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "start", Nowhere().start)
    run_fixture.make_run(demo, kind="verdict")
    app = page("augmentation")
    for seeds in (3, 8):
        app.number_input(key="aug-seeds").set_value(seeds).run()
        capsys.readouterr()
        grouping = app.selectbox(key=f"aug-grouping-{demo}").value
        assert (
            cli.main(["augment", demo, "--detach", "--seeds", f"{seeds}", "--set", f"grouping={grouping}"])
            == 0
        )
        printed = capsys.readouterr().out.splitlines()
        verdict, visible, time = printed[:3]
        assert "Train three times as long first" in verdict
        assert f"Smallest visible gain with {seeds} seeds" in visible
        for line in (verdict, visible, time):
            assert line in words(app)
        assert "first reading" not in printed[3]


def test_every_image_is_kept_where_a_person_asks_for_it(demo, monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "start", Nowhere().start)
    app, tag = page("augmentation"), f"quick-edm-{demo}"
    app.selectbox(key=f"mode-{tag}").set_value("none").run()
    assert not app.exception
    assert app.number_input(key=f"alpha-none-{tag}").disabled
    app.button(key="aug-start").click().run()
    assert cli.main(["augment", demo, "--detach", "--set", "selection.mode=none"]) == 0
    by_line, by_form = (
        runs.RunConfigFile.read(paths.config).settings_as(AugmentationConfig).selection
        for paths in runs.list_runs("augmentation", demo)[:2]
    )
    assert by_line == by_form == SelectionConfig(mode="none")


def test_how_the_method_works_is_said_alike_by_form_line_and_python(demo, monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "start", Nowhere().start)
    wanted = {
        "selection": {
            "mode": "calibrated",
            "threshold": 0.8,
            "judge": "cross_fitted",
            "judge_folds": 3,
            "gates": ("copy", "repeat"),
            "gate_share": 0.9,
        },
        "amounts": (0.5, 2.0),
        "folds": 4,
        "probe": "ask",
        "grouping": "shape",
    }
    app, tag = page("augmentation"), f"quick-edm-{demo}"
    app.selectbox(key=f"mode-{tag}").set_value("calibrated").run()
    app.number_input(key=f"alpha-calibrated-{tag}").set_value(0.8)
    app.selectbox(key=f"judge-{tag}").set_value("cross_fitted").run()
    app.number_input(key=f"judge-folds-{tag}").set_value(3)
    app.multiselect(key=f"gates-{tag}").set_value(["copy", "repeat"]).run()
    app.number_input(key=f"gate-share-{tag}").set_value(0.9)
    app.multiselect(key=f"amounts-{tag}").set_value([0.5, 2.0])
    app.number_input(key=f"folds-{tag}").set_value(4)
    app.selectbox(key=f"probe-{tag}").set_value("ask")
    app.selectbox(key=f"aug-grouping-{demo}").set_value("shape").run()
    assert not app.exception
    app.button(key="aug-start").click().run()
    given = [
        f"selection.{key}={json.dumps(value) if isinstance(value, tuple) else value}"
        for key, value in wanted["selection"].items()
    ]
    given += [f"amounts={json.dumps(wanted['amounts'])}", "folds=4", "probe=ask", "grouping=shape"]
    line = [part for each in given for part in ("--set", each)]
    assert cli.main(["augment", demo, "--detach", *line]) == 0
    by_line, by_form = (
        runs.RunConfigFile.read(paths.config).settings for paths in runs.list_runs("augmentation", demo)[:2]
    )
    assert by_line == by_form
    data = dataset.load(demo)
    by_python = augmentation_config(
        demo, image_size=data.image_size, colour=data.colour, symmetric=data.symmetric, overrides=wanted
    )
    for key in wanted:
        assert getattr(by_python, key) == getattr(by_form, key), key
