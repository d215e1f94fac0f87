"""The table of runs on the Augmentation page: filter, compare, note, pin, command; one truth in the form."""

from __future__ import annotations

import pytest
import run_fixture
from streamlit.testing.v1 import AppTest

from gmaug_core import runs
from gmaug_core.runs import launch
from gmaug_core.ui import ROOT
from gmaug_core.workspace import marks

pytestmark = pytest.mark.slow


def open_page(**state: object) -> AppTest:
    at = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=60)
    at.run()
    at.switch_page("../../pages/augmentation.py")
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "success", "error", "code")
    return "\n".join(str(element.value) for kind in kinds for element in at.get(kind)).replace("\\", "")


def table(at: AppTest):
    return next(item.value for item in at.dataframe if "state" in item.value.columns)


def test_runs_are_filtered_noted_pinned_and_taken_along(demo, monkeypatch):
    run_fixture.make_run(demo, token="done", per_class=6)
    stopped = run_fixture.make_run(demo, state="cancelled", token="stopped", per_class=6).id
    at = open_page(**{f"run-augmentation-{demo}": stopped})
    assert len(table(at)) == 2
    at.text_input(key=f"tags-{stopped}").set_value("slow, try").run()
    at.button(key=f"keep-{stopped}").click().run()
    at.button(key=f"pin-{stopped}").click().run()
    assert marks.load()[stopped] == marks.Mark("", ("slow", "try"), pinned=True)
    at.text_input(key=f"runs-filter-{demo}").set_value("SLOW").run()
    assert list(table(at)["tags"]) == ["slow, try"]
    assert f"gmaug augment {demo}" in words(at)
    started = []
    monkeypatch.setattr(launch.LOCAL, "start", lambda paths: (started.append(paths), paths.lock.touch()))
    at.button(key=f"again-{stopped}").click().run()
    assert not at.exception
    (made,) = started
    assert at.query_params["run"] in (made.id, [made.id])
    assert runs.RunConfigFile.read(made.config).settings.dataset == demo


def test_two_runs_are_beside_each_other(demo):
    run_fixture.make_run(demo, token="number-one", per_class=6)
    run_fixture.make_run(demo, token="number-two", per_class=6)
    at = open_page(**{f"runs-{demo}": {"selection": {"rows": [0, 1], "columns": [], "cells": []}}})
    assert "2 runs beside each other" in words(at)
    assert "Accuracy with synthetic images" in words(at)


def test_a_typed_line_that_wins_over_a_field_is_told(demo):
    at = open_page()
    at.text_area(key=f"more-quick-edm-{demo}").set_value("generator.kimg=2\nseeds=3").run()
    assert "generator.kimg is **2**, not" in words(at)
    assert "seeds" not in "".join(w.value for w in at.warning)
    assert "draws at most" in words(at)
