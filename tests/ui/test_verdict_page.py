"""The page Verdict: nothing yet, at work, finished; and what Measure would start."""

from __future__ import annotations

from pathlib import Path

import pytest
import run_fixture
import verdict_fixture
from nowhere import Nowhere
from streamlit.testing.v1 import AppTest

from gmaug_core import runs
from gmaug_core.config import VerdictConfig
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.runs import launch

pytestmark = pytest.mark.slow  # a page opens in a second or two
ROOT = Path(__file__).resolve().parent.parent.parent


def open_page() -> AppTest:
    at = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=30)
    at.switch_page("../../pages/verdict.py").run()
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "header", "subheader", "metric", "button")
    return "\n".join(
        str(getattr(each, "value", "")) + str(getattr(each, "label", ""))
        for kind in kinds
        for each in at.get(kind)
    )


def test_measure_starts_what_was_asked_for(demo, monkeypatch):
    nowhere = Nowhere()
    monkeypatch.setattr(launch.LOCAL, "start", nowhere.start)
    at = open_page()
    assert "No verdict yet" in words(at)
    at.radio(key="verdict-reading").set_value("fast").run()
    at.number_input(key="verdict-seeds").set_value(5).run()
    at.button(key="verdict-start").click().run()
    assert not at.exception
    (paths,) = runs.list_runs("verdict", demo)
    settings = runs.RunConfigFile.read(paths.config).settings_as(VerdictConfig)
    assert settings.fast
    assert settings.augmentation.seeds == 5
    assert settings.augmentation.dataset == settings.dataset == demo


def test_the_best_of_several_is_said_to_be_told_too_high(demo):
    run_fixture.make_run(demo, kind="verdict")
    assert "by chance that is told too high" in words(open_page())


def test_finished_it_says_the_verdict_first(demo):
    run_fixture.make_run(demo, kind="verdict")
    said = words(open_page())
    for part in (
        "Train longer first",
        "Decided by",
        "What would change it",
        "Smallest visible gain",
        "are worth 340",
        "would accept **35% \\[31%, 39%\\] of 607 real validation images**",
    ):
        assert part in said


def test_a_run_without_a_result_leads_to_the_one_that_has_one(demo):
    done = run_fixture.make_run(demo, kind="verdict", token="done")
    stopped = run_fixture.make_run(demo, kind="verdict", state="cancelled", token="stopped")
    at = open_page()
    if at.query_params["run"] != stopped.id:  # made within one moment
        at.selectbox(key=f"run-verdict-{demo}").set_value(stopped.id).run()
    assert "Train longer first" not in words(at)
    at.button(key="earlier-verdict").click().run()
    assert not at.exception
    assert at.query_params["run"] == done.id
    assert "Train longer first" in words(at)


def test_while_it_works_it_shows_how_far(demo, monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "alive", lambda _: True)
    run_fixture.make_run(demo, kind="verdict", state="running")
    said = words(open_page())
    assert "First reading" in said
    assert "Decided by" not in said


def test_while_it_works_its_first_reading_stands_there(demo, monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "alive", lambda _: True)
    paths = run_fixture.make_run(demo, kind="verdict", state="running")
    verdict_fixture.verdict(run=paths.id, dataset=demo, fast=True).write(paths.folder / Verdict.FIRST)
    said = words(open_page())
    assert "may say something else" in said
    assert "Decided by" in said
    assert "Fast reading" in said
