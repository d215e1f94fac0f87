"""The page Equivalence: nothing yet and what Measure would start, at work, stopped, finished."""

from __future__ import annotations

from pathlib import Path

import pytest
import run_fixture
from nowhere import Nowhere
from streamlit.testing.v1 import AppTest

from gmaug_core import runs
from gmaug_core.config import EquivalenceConfig
from gmaug_core.runs import launch

pytestmark = pytest.mark.slow  # a page opens in a second or two
ROOT = Path(__file__).resolve().parent.parent.parent


def open_page(**address: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=30)
    for key, value in address.items():
        at.query_params[key] = value
    at.switch_page("../../pages/equivalence.py").run()
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    """Its text, without Markdown's escapes."""
    kinds = ("markdown", "caption", "info", "error", "header", "subheader", "button")
    return "\n".join(
        str(getattr(each, "value", "")) + str(getattr(each, "label", ""))
        for kind in kinds
        for each in at.get(kind)
    ).replace("\\", "")


def test_measure_says_what_it_takes_refuses_what_cannot_be_and_starts_what_was_asked_for(demo, monkeypatch):
    nowhere = Nowhere()
    monkeypatch.setattr(launch.LOCAL, "start", nowhere.start)
    at = open_page()
    said = words(at)
    assert "Nothing measured yet" in said
    assert "classifiers (" in said
    at.text_input(key="equivalence-bases").set_value("90").run()
    assert "more than there are to train on" in words(at)
    assert at.button(key="equivalence-start").disabled
    at.text_input(key="equivalence-bases").set_value("2, 4").run()
    at.button(key="equivalence-start").click().run()
    assert not at.exception
    (paths,) = runs.list_runs("equivalence", demo)
    settings = runs.RunConfigFile.read(paths.config).settings_as(EquivalenceConfig)
    assert settings.base_sizes == (2, 4)
    assert nowhere.started == [paths.id]


def test_finished_it_says_the_answer_first_and_the_price_when_it_is_asked(demo):
    paths = run_fixture.make_run(demo, kind="equivalence")
    at = open_page(run=paths.id)
    said = words(at)
    result = runs.read_result(paths)
    assert result.sentence in said
    for part in (
        "real ones",
        "test images",
        "c2",
        "in the place of",
        "trained without augmentation",
        "Take it with you",
    ):
        assert part in said
    at.number_input(key="equivalence-real-cost").set_value(2.0)
    at.number_input(key="equivalence-hour-cost").set_value(1.0).run()
    assert not at.exception
    assert " hours)" in words(at)


@pytest.mark.parametrize("state", ["running", "cancelled", "failed"])
def test_before_it_is_finished_it_shows_how_far(demo, monkeypatch, state):
    monkeypatch.setattr(launch.LOCAL, "alive", lambda _: state == "running")
    run_fixture.make_run(demo, kind="equivalence", state=state)
    said = words(open_page())
    assert "Train judges" in said
    assert "Take it with you" not in said
    assert ("Resume" in said) == (state != "running")
