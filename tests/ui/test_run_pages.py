"""The pages about runs, in every state a run can have: nothing breaks, the next step is said, names are
text.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import corpus
import pytest
import run_fixture
import streamlit as st
from nowhere import Nowhere
from streamlit.testing.v1 import AppTest

from gmaug_core import intake, runs, workspace
from gmaug_core.config import SimilarityConfig
from gmaug_core.data.demo import make_demo
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.files import write_json
from gmaug_core.method.variants import short
from gmaug_core.report import acceptance
from gmaug_core.runs import launch
from gmaug_core.runs.estimate import Estimate
from gmaug_core.ui import address, launching, live

pytestmark = pytest.mark.slow  # a page opens in a second or two, and here are many
ROOT = Path(__file__).resolve().parent.parent.parent
AMOUNTS = ("How many synthetic images", "Use them, 1 times", "Before and after, image by image", "wrong both")
PAGES = ("similarity", "augmentation", "samples", "gains")


@pytest.fixture
def as_if_alive(monkeypatch):
    monkeypatch.setattr(launch.LOCAL, "alive", lambda _: True)


def open_page(name: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=30)
    at.switch_page(f"../../pages/{name}.py")
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception[0].stack_trace if at.exception else ""
    return at


def words(at: AppTest) -> str:
    """All that a person could read."""
    kinds = (
        "markdown",
        "caption",
        "info",
        "warning",
        "error",
        "success",
        "title",
        "header",
        "subheader",
        "metric",
        "button",
    )
    return "\n".join(
        str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        for kind in kinds
        for element in at.get(kind)
    )


@pytest.mark.parametrize("page", PAGES)
def test_without_any_dataset_the_first_step_is_said(home, page):
    assert "No dataset yet" in words(open_page(page))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("similarity", "No score yet"),
        ("augmentation", "No run yet"),
        ("samples", "No synthetic images yet"),
        ("gains", "No finished run yet"),
    ],
)
def test_without_a_run_the_next_step_is_said(demo, page, said):
    assert said in words(open_page(page))


def test_a_link_to_what_is_not_here_says_so(finished_run):
    assert "There is no dataset 'nope'" in words(open_page("gains", dataset="nope"))
    assert "There is no dataset 'nope'" in words(open_page("datasets", dataset="nope"))
    assert "of this address is not among the augmentation runs" in words(
        open_page("gains", run="augmentation-nothere")
    )


def test_going_back_shows_the_run_of_the_address_again(demo, monkeypatch):
    first, second = (run_fixture.make_run(demo, token=f"back-{k}", per_class=4).id for k in "ab")
    at = open_page("gains", dataset=demo, run=first)
    at.selectbox(key=f"run-augmentation-{demo}").set_value(second).run()
    assert at.query_params["run"] == second
    at.query_params["run"] = first
    at.run()  # a click on a page whose address is behind
    assert at.query_params["run"] == second
    monkeypatch.setattr(address, "turned", lambda: True)
    at.query_params["run"] = first
    at.run()
    assert at.selectbox(key=f"run-augmentation-{demo}").value == first
    assert at.query_params["run"] in (first, [first])
    at.query_params["run"] = "augmentation-nothere"
    assert "of this address is not among the augmentation runs" in words(at.run())
    assert at.selectbox(key=f"run-augmentation-{demo}").value == first


def test_a_run_that_somebody_else_deleted_is_told_to_who_looked_at_it(demo):
    run_fixture.make_run(demo, token="stays", per_class=4)
    gone = run_fixture.make_run(demo, token="goes", per_class=4).id
    at, other = (open_page("gains", dataset=demo, run=gone) for _ in range(2))
    at.button(key=f"delete-{gone}").click().run()
    assert "to the bin, where it stays" in words(at)
    assert "of this address is not among" not in words(at)
    assert "It is in the bin" in words(other.run())


def test_a_link_to_a_sample_that_the_run_has_not_says_so(finished_run):
    assert "This run has no sample 99999" in words(open_page("samples", run=finished_run.id, sample="99999"))
    assert "This run has no sample" not in words(open_page("samples", run=finished_run.id, sample="1"))


def test_a_part_of_a_page_whose_run_is_gone_asks_for_the_whole_page(finished_run, monkeypatch):
    asked = []
    monkeypatch.setattr(st, "rerun", lambda: asked.append("page"))
    assert launching.still(finished_run.id) == finished_run
    assert not asked
    launching.still("augmentation-nothere")
    assert asked == ["page"]


@pytest.mark.parametrize(("page", "said"), [("gains", "No finished run"), ("samples", "No synthetic images")])
def test_what_a_page_waits_for_comes_by_itself(demo, as_if_alive, monkeypatch, page, said):
    paths = run_fixture.make_run(demo, state="running", token="waited-for", per_class=4)
    looks = []
    monkeypatch.setattr(st, "fragment", lambda run_every: lambda look: looks.append(look) or look)
    assert said in words(open_page(page))
    asked = []
    monkeypatch.setattr(st, "rerun", lambda: asked.append("page"))
    looks[-1]()
    assert asked == []
    write_json(paths.status, json.loads(paths.status.read_text()) | {"state": "cancelled"})
    looks[-1]()
    assert asked == ["page"]


def test_a_result_that_cannot_be_read_takes_no_list_down(finished_run):
    finished_run.result.write_text("{")
    table = open_page("augmentation").dataframe[0].value
    assert list(table["state"]) == ["finished; its result cannot be read"]


def test_another_dataset_takes_the_run_out_of_the_address(finished_run, tmp_path):
    demo = make_demo()
    images = {f"{name}/{k}.png": corpus.png(k + 10 * ord(name)) for name in "ab" for k in range(2)}
    other = intake.import_path(corpus.make_folder(tmp_path / "other", images)).dataset_id
    at = open_page("gains", dataset=demo)
    assert at.query_params["run"] == finished_run.id
    at.selectbox(key="dataset").set_value(other).run()
    assert at.query_params["dataset"] == other
    assert "run" not in at.query_params


@pytest.mark.parametrize("state", ["queued", "running", "failed", "cancelled", "lost"])
@pytest.mark.parametrize("kind", ["similarity", "augmentation"])
def test_an_unfinished_run_says_how_it_stands(demo, monkeypatch, kind, state):
    run_fixture.make_run(demo, state=state, kind=kind, token=f"{kind[:3]}-{state}")
    if state in ("queued", "running"):
        monkeypatch.setattr(launch.LOCAL, "alive", lambda _: True)
    said = words(open_page(kind))
    assert f": {state}]" in said
    expected = {
        "queued": "Waiting to begin",
        "running": "Stop",
        "failed": "The loss became infinite",
        "cancelled": "was stopped",
        "lost": "is gone",
    }[state]
    assert expected in said
    assert ("Resume" in said) == (state in ("failed", "cancelled", "lost"))
    if kind == "augmentation":
        assert "No finished run yet" in words(open_page("gains"))
        assert "No synthetic images yet" in words(open_page("samples"))


@pytest.mark.parametrize("page", PAGES)
def test_a_finished_run_is_shown(demo, page):
    run_fixture.make_run(demo, kind="similarity", token="score")
    paths = run_fixture.make_run(demo, token="augment", per_class=10)
    at = open_page(page)
    said = words(at)
    expected = {
        "similarity": [
            "0.4310",
            "Not decided by the score",
            "runner",
            "all pairs",
            "0.1652",
            "its base rounded to 0.94",
            "most similar pairs",
        ],
        "augmentation": ["What it costs", "Not decided by the score", "took"],
        "samples": ["closed-set", "accepted", "rejected", "Your decision wins"],
        "gains": ["relative gain", "The law had predicted", "Better than", "draw budget", paths.id, *AMOUNTS],
    }[page]
    for text in expected:
        assert text in said, (text, said)
    assert all(metric.help for metric in at.metric), "every figure says on hover what it is"


def test_a_stalled_run_is_called_stalled(demo, as_if_alive):
    paths = run_fixture.make_run(demo, state="running", token="stalled")
    document = json.loads(paths.status.read_text())
    write_json(paths.status, document | {"progress_at": document["progress_at"] - 600})
    assert "Nothing has moved for 10 min" in words(open_page("augmentation"))


def test_stop_writes_the_stop_file_and_says_so(demo, as_if_alive):
    paths = run_fixture.make_run(demo, state="running", token="stopping")
    at = open_page("augmentation")
    at.button(key=f"stop-{paths.id}").click().run()
    assert paths.stop.exists()
    at = open_page("augmentation")
    assert "Asked to stop" in words(at)
    assert at.button(key=f"stop-{paths.id}").disabled


def test_measure_submits_one_run_whatever_is_clicked(demo, monkeypatch):
    started = []
    monkeypatch.setattr(
        launch.LOCAL, "start", lambda paths: (started.append(paths.id), paths.lock.touch()), raising=False
    )
    at = open_page("similarity")
    at.button(key="score-start").click().run()
    assert not at.exception
    assert len(started) == 1
    assert runs.RunConfigFile.read(runs.find(started[0]).config).settings.grouping == "shape"
    assert at.query_params["run"] in (started[0], [started[0]])


def test_launch_uses_what_was_chosen(demo, monkeypatch):
    started = []
    monkeypatch.setattr(
        launch.LOCAL, "start", lambda paths: (started.append(paths), paths.lock.touch()), raising=False
    )
    at = open_page("augmentation")
    at.radio(key="aug-generator-quick").set_value("stylegan2").run()
    tag = f"quick-stylegan2-{demo}"
    at.number_input(key=f"kimg-{tag}").set_value(5.0)
    at.text_area(key=f"more-{tag}").set_value("classifier.steps=50\nseeds=2").run()
    assert not at.exception
    at.button(key="aug-start").click().run()
    assert not at.exception
    assert len(started) == 1
    settings = runs.RunConfigFile.read(started[0].config).to_dict()["settings"]
    assert settings["generator"]["name"] == "stylegan2"
    assert settings["generator"]["kimg"] == 5
    assert settings["classifier"]["steps"] == 50
    assert settings["seeds"] == 2
    assert settings["preset"] == "quick"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clasifier.steps=5", "clasifier"),
        ("generator.kimg=-1", "kimg"),
        ("nonsense", "nonsense"),
        ("generator.pretrained=/etc/passwd", "not in a folder"),
    ],
)
def test_a_bad_setting_is_explained_and_nothing_can_be_launched(demo, line, said):
    at = open_page("augmentation")
    at.text_area(key=f"more-quick-edm-{demo}").set_value(line).run()
    assert said in words(at)
    assert at.button(key="aug-start").disabled
    assert not at.exception


def test_another_profile_gets_no_prediction(demo):
    paths = run_fixture.make_run(demo, kind="similarity", token="profile")
    write_json(paths.result, json.loads(paths.result.read_text()) | {"profile": "uniform7"})
    said = words(open_page("similarity"))
    assert "No prediction" in said
    assert "Refused" in said
    assert "In the paper augmentation worked" not in said


def test_a_super_class_of_one_sub_class_is_explained_and_an_edited_grouping_is_noticed(demo):
    paths = run_fixture.make_run(demo, kind="similarity", token="single")
    config = json.loads(paths.config.read_text())
    write_json(paths.config, config | {"grouping": {"round": ["0"], "rest": [str(k) for k in range(1, 10)]}})
    said = words(open_page("similarity"))
    assert "inside a class" in said
    assert "has been edited since" in said


def test_nothing_to_score_fails_in_words_and_the_page_shows_them(home, tmp_path):
    one_each = {f"{name}/0.png": corpus.png(ord(name)) for name in "abcd"}
    made = intake.import_path(corpus.make_folder(tmp_path / "single", one_each)).dataset_id
    paths = runs.find(launch.submit(SimilarityConfig(dataset=made), where=Nowhere()))
    work = subprocess.run([sys.executable, "-m", "gmaug_core.worker", paths.folder], cwd=ROOT, check=False)
    assert work.returncode == 1
    said = words(open_page("similarity")).replace("\\", "")  # Markdown's escapes
    assert "No super-class has two training images" in said
    assert "group sub-classes together" in said
    assert "Resume" in said


def test_a_damaged_run_is_named_and_the_others_are_shown(demo):
    run_fixture.make_run(demo, kind="similarity", token="whole")
    broken = run_fixture.make_run(demo, kind="similarity", token="broken")
    broken.config.write_text("{")
    said = words(open_page("similarity"))
    assert "is damaged and cannot be shown" in said
    assert "0.4310" in said
    assert "is damaged and cannot be shown" not in words(open_page("augmentation"))


def test_gains_without_a_prediction_and_without_accepted_samples(demo):
    paths = run_fixture.make_run(demo, token="bare", per_class=4)
    result = json.loads(paths.result.read_text())
    result |= {"predicted": None, "quality": {"n_real": 0, "n_synthetic": 0}}
    result["accepted"] = {"total": 0, "per_class": {}}
    result["relative_gain_percent"] |= {"value": None, "ci_low": None, "ci_high": None, "values": []}
    write_json(paths.result, result)
    assert "cannot be computed" in words(open_page("gains"))


def test_gains_say_why_nothing_was_predicted_and_a_refused_run_is_nowhere_on_the_curve(demo):
    paths = run_fixture.make_run(demo, token="refused", per_class=4)
    result = json.loads(paths.result.read_text())
    result |= {"predicted": None, "not_predicted": "No prediction: these images are stored at 16 px."}
    result["score"]["stored"] = {"median": 16.0, "least": 16, "side": 128, "enlarged": 1.0}
    write_json(paths.result, result)
    at = open_page("gains")
    said = words(at)
    assert "stored at 16 px" in said
    assert "has no place on this curve" in said
    assert "Why there is none is said below." in said
    assert at.segmented_control(key="law").options == ["The paper's points"]


def test_the_gain_stands_beside_the_two_accuracies_that_it_is_of(demo):
    paths = run_fixture.make_run(demo, token="aside", per_class=4)
    result = json.loads(paths.result.read_text())
    control = next(iter(result["controls"]))
    result["endpoint"] = result["relative_gain_percent"] | {"control": control, "of": "augmented"}
    write_json(paths.result, result)
    at = open_page("gains")
    shown = {metric.label: metric.value for metric in at.metric}
    accuracy = result["controls"][control]["accuracy"]["mean"]
    assert shown["Without synthetic images"] == f"{100 * accuracy:.2f} %"
    assert f"{short(control)}, accuracy; 95 % interval" in words(at)


def test_the_law_can_be_fitted_again_with_and_without_the_papers_points(demo):
    run_fixture.make_run(demo, token="refit", per_class=4)
    at = open_page("gains")
    at.segmented_control(key="law").set_value("with_mine").run()
    assert not at.exception
    assert "Fitted to 9 datasets" in words(at)
    at.segmented_control(key="law").set_value("mine").run()
    assert not at.exception
    assert "Fitted to" not in words(at)
    assert "at least 3 points" in words(at)


def test_an_interval_on_few_pairs_is_called_approximate(demo):
    paths = run_fixture.make_run(demo, kind="similarity", token="few-pairs")
    result = json.loads(paths.result.read_text())
    result["super_classes"][0] |= {"approximate": True, "exact": False}
    write_json(paths.result, result)
    assert "only approximate" in words(open_page("similarity"))


def test_a_link_to_a_run_opens_its_dataset(demo, tmp_path):
    paths = run_fixture.make_run(demo, token="linked", per_class=4)
    two_classes = {f"{name}/{k}.png": corpus.png(k + 10 * ord(name)) for name in "ab" for k in range(2)}
    other = intake.import_path(corpus.make_folder(tmp_path / "newer", two_classes)).dataset_id
    at = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=30)
    at.query_params["run"] = paths.id
    at.run()
    assert at.query_params["dataset"] in (demo, [demo])
    assert other != demo


def test_hostile_names_are_shown_as_text(demo):
    nasty = ":red[x] $y$ <b>"
    paths = run_fixture.make_run(demo, token="nasty", per_class=4)
    write_json(paths.result, json.loads(paths.result.read_text().replace('"9"', json.dumps(nasty))))
    assert ":red[x]" not in words(open_page("gains"))


def test_a_run_without_a_filter_has_no_threshold_to_move(demo):
    run_fixture.make_run(demo, token="bare", per_class=4, settings={"selection": {"mode": "none"}})
    at = open_page("samples")
    assert acceptance.NO_FILTER in words(at)
    assert "threshold" not in [slider.key for slider in at.slider]


def test_decisions_of_people_are_counted(demo):
    paths = run_fixture.make_run(demo, token="people", per_class=6)
    workspace.reviews.save(paths.id, {0: "keep", 1: "reject"})
    MapFiles(paths.samples).table.write_bytes(b"no table")
    said = words(open_page("samples", map="true"))
    assert "2 decided by people" in said
    assert "the map of this run, is damaged" in said.replace("\\", "")
    assert "Make the map" in said


def test_a_run_that_heeds_decisions_is_looked_at_once_it_is_started(demo, monkeypatch):
    paths = run_fixture.make_run(demo, token="parent", per_class=6)
    workspace.reviews.save(paths.id, {0: "keep", 1: "reject"})
    started = []
    monkeypatch.setattr(launch.LOCAL, "start", lambda run: started.append(run.id))
    at = open_page("samples")
    at.button(key="retrain").click().run()
    assert not at.exception
    assert [at.query_params["run"]] == started != [paths.id]


def test_filters_are_saved_under_a_name_and_set_again(demo):
    paths = run_fixture.make_run(demo, token="views", per_class=6)
    at = open_page("samples", verdict="rejected", score="0.1,0.9")
    at.text_input(key="view-name").set_value("doubtful")
    at.button(key="view-save").click().run()
    (view,) = workspace.views.load(paths.id)
    assert (view.name, view.given["verdict"]) == ("doubtful", "rejected")
    at.button(key="clear").click().run()
    assert at.selectbox(key="verdict").value == "all"
    at.button(key="view-doubtful").click().run()
    assert not at.exception
    assert at.selectbox(key="verdict").value == "rejected"
    assert at.button(key="view-doubtful").disabled  # it is what is shown
    workspace.views.save(paths.id, "gone", {"step": 99, "name": "no class", "threshold": 1e9, "low": 0.5})
    at.run()
    at.button(key="view-gone").click().run()
    assert not at.exception
    assert at.selectbox(key="class").value == "all"
    at.button(key="view-delete-doubtful").click().run()
    assert [view.name for view in workspace.views.load(paths.id)] == ["gone"]


def test_metrics_are_read_once_and_thinned(demo):
    paths = run_fixture.make_run(demo, state="failed", token="history")
    before = live.history(paths)
    with paths.metrics.open("a") as file:
        for k in range(9000):
            file.write(
                json.dumps({"stage": "generator", "step": k, "total": 9000, "kimg": k, "loss": 1.0}) + "\n"
            )
    after = live.history(paths)
    assert len(before) < len(after) <= live.HISTORY_ROWS + 500
    assert after[-1]["step"] == 8999


def test_the_cost_is_measured_when_asked(demo, monkeypatch):
    asked = []
    found = Estimate(
        seconds_per_kimg=2.0,
        sampling_img_per_s=50.0,
        memory_mb=2048.0,
        training_seconds=600.0,
        kimg=300.0,
        steps=9,
        device="x",
    )
    monkeypatch.setattr(
        launch, "estimate", lambda config, data, where: (asked.append((config, data.id, where)), found)[1]
    )
    at = open_page("augmentation")
    assert not asked
    at.button(key="aug-estimate").click().run()
    assert "10 min" in words(at)
    assert "2.0 GB" in words(at)
    assert len(asked) == 1
    at.number_input(key=f"minutes-quick-edm-{demo}").set_value(3.0).run()
    assert len(asked) == 1
    assert "for 3 minutes" in words(at)
    assert not at.exception
