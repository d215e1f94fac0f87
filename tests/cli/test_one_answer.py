"""One question, one answer: what the law says of a dataset, on the page and on the command line."""

from __future__ import annotations

import json

import pytest
import run_fixture
from streamlit.testing.v1 import AppTest

from gmaug_core.cli import main as cli
from gmaug_core.data import dataset
from gmaug_core.files import write_json
from gmaug_core.ui import ROOT
from gmaug_core.workspace import groupings

pytestmark = pytest.mark.slow


@pytest.fixture
def demo(demo) -> str:
    """The demo dataset, scored twice: first grouping shape at .30, later grouping identity at .20."""
    run_fixture.make_score(demo, "shape", 0.30)
    run_fixture.make_score(demo, "identity", 0.20)
    return demo


def predicted(capsys, *arguments: str) -> dict:
    """What `predict` answers, or its error."""
    capsys.readouterr()
    cli.main(["predict", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def page(demo: str, grouping: str | None = None) -> str:
    """What the augmentation page says under a grouping, or under the one that it proposes."""
    app = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=60)
    app.switch_page("../../pages/augmentation.py").run()
    if grouping:
        app.selectbox(key=f"aug-grouping-{demo}").set_value(grouping).run()
    assert not app.exception
    said = "\n".join(str(box.value) for kind in ("success", "info", "warning") for box in app.get(kind))
    return said.replace("\\", "")  # Markdown's escapes


def test_without_a_grouping_both_answer_for_the_one_that_the_pages_propose(demo, capsys):
    answer = predicted(capsys, demo)
    assert answer["ssim_supsubcls"] == 0.30
    assert answer["advice"]["text"] in page(demo)


@pytest.mark.parametrize(("grouping", "score"), [("shape", 0.30), ("identity", 0.20)])
def test_both_answer_for_the_grouping_that_was_asked_for(demo, capsys, grouping, score):
    answer = predicted(capsys, demo, "--grouping", grouping)
    assert (answer["grouping"], answer["ssim_supsubcls"]) == (grouping, score)
    assert answer["advice"]["text"] in page(demo, grouping)


def test_an_edited_grouping_has_no_score_until_it_is_measured_again(demo, capsys):
    now, _ = groupings.current(dataset.load(demo), "shape")
    revision = groupings.save(demo, now.move("0", "straight"), revision=0)
    assert "has not been measured" in page(demo, "shape")
    assert "'shape'" in predicted(capsys, demo)["error"]["what"]
    assert predicted(capsys, demo, "--grouping", "identity")["ssim_supsubcls"] == 0.20
    groupings.save(demo, now, revision=revision)
    assert predicted(capsys, demo)["ssim_supsubcls"] == 0.30


def test_a_score_of_another_profile_is_no_answer(demo, capsys):
    run_fixture.make_score(demo, "shape", 0.11, profile="uniform7")
    answer = predicted(capsys, demo)
    assert answer["ssim_supsubcls"] == 0.30
    assert answer["advice"]["text"] in page(demo)


def test_both_refuse_a_score_of_enlarged_images(demo, capsys):
    paths = run_fixture.make_score(demo, "shape", 0.40)
    small = {"median": 16.0, "least": 16, "side": 128, "enlarged": 1.0}
    write_json(paths.result, json.loads(paths.result.read_text()) | {"stored": small})
    answer = predicted(capsys, demo)
    assert answer["ssim_supsubcls"] == 0.40
    assert answer["gain_percent"] is answer["low"] is answer["high"] is None
    assert answer["advice"]["verdict"] == "refused"
    assert answer["advice"]["text"] in page(demo)


def test_a_target_below_every_class_adds_nothing(demo, capsys):
    answer = predicted(capsys, demo, "--target", "1")
    assert (answer["advice"]["verdict"], answer["gain_percent"]) == ("nothing to add", None)
