"""The pages datasets and super-classes in every state, through Streamlit's own test driver (no browser)."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from gmaug_core import intake, workspace
from gmaug_core.data import dataset
from gmaug_core.files import write_json
from gmaug_core.intake import jobs
from gmaug_core.ui import ROOT, address, overview
from gmaug_core.workspace import agreement, people
from gmaug_core.workspace.grouping import Grouping

pytestmark = pytest.mark.slow


@pytest.fixture
def open_page(home):
    """Open a page inside the frame, as a person would: open_page("super_classes", dataset=...)."""

    def run(name: str = "datasets", **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        if name != "datasets":
            app.switch_page(f"../../pages/{name}.py")
        app.run()
        assert not app.exception
        return app

    return run


def place_of_title(app: AppTest) -> int:
    return next(place for place, found in app.main.children.items() if found.type == "title")


def words(app: AppTest) -> str:
    """Everything that is written on the page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "success", "info")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def write_images(folder, classes: dict[str, int], *, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    for name, n in classes.items():
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(random.integers(0, 256, (18, 18, 3), np.uint8)).save(folder / name / f"{i}.png")


# --- datasets ---


def test_an_empty_workspace_offers_an_import(open_page):
    app = open_page()
    assert app.title[0].value == "Datasets"
    assert not app.selectbox
    assert app.text_input(key="import-path")


def test_the_demo_is_shown_with_counts_and_next_steps(open_page, demo):
    app = open_page()
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Images"] == "1,121"
    assert metrics["Imbalance ratio"] == "20 : 1"
    assert metrics["Train / val / test"] == "341 / 280 / 500"
    assert app.query_params["dataset"] == demo
    assert "What next" in words(app)
    app.toggle(key="log-counts").set_value(True).run()
    assert not app.exception


def test_the_address_chooses_the_dataset_and_the_picker_changes_it(open_page, demo, tmp_path):
    write_images(tmp_path / "two", {"a": 4, "b": 2})
    other = intake.import_path(tmp_path / "two").dataset_id
    app = open_page(dataset=demo)
    assert app.selectbox(key="dataset").value == demo
    app.selectbox(key="dataset").set_value(other).run()
    assert app.query_params["dataset"] == other
    assert {m.label: m.value for m in app.metric}["Images"] == "6"
    app.button(key=f"look-{demo}").click().run()
    assert app.selectbox(key="dataset").value == demo
    app.switch_page("../../pages/super_classes.py").run()
    assert app.selectbox(key="dataset").value == demo
    assert not app.exception
    assert open_page(dataset="never-heard-of").selectbox(key="dataset").value in (demo, other)


def test_names_are_shown_and_never_run(open_page, tmp_path):
    hostile = "**b** <script>alert(1)</script> $x$ :material/home: [l](http://x)\u202e"
    write_images(tmp_path / "set", {"a": 4, "b": 2})
    intake.import_path(tmp_path / "set", name=hostile)
    header = open_page().header[0].value
    for markup in ("<script>", "**b**", " $x$", ":material/", "[l]("):
        assert markup not in header


def test_refused_files_duplicates_and_warnings_are_reported(open_page, tmp_path):
    write_images(tmp_path / "set", {"a": 4, "b": 1})
    (tmp_path / "set" / "a" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "set" / "a" / "copy.png").write_bytes((tmp_path / "set" / "a" / "0.png").read_bytes())
    intake.import_path(tmp_path / "set")
    app = open_page()
    assert "1 file refused" in words(app)
    assert "1 image found more than once" in words(app)
    assert "single training image" in words(app)
    assert any("broken.png" in str(table.value) for table in app.dataframe)
    manifest = dataset.load(dataset.list_datasets()[0].id).manifest
    n = len(manifest.warnings)
    assert [tab.label for tab in app.tabs][-1] == f"Import report · :orange[{n} to look at]"


def test_images_that_are_or_look_the_same_are_grouped_and_two_labels_come_first(home, tmp_path):
    random = np.random.default_rng(0)
    base = np.kron(random.integers(0, 200, (6, 6, 3), np.uint8), np.ones((6, 6, 1), np.uint8))
    write_images(tmp_path / "set", {"a": 4, "b": 4})
    for name, pixels in (
        ("a/same", base),
        ("b/same", base),
        ("a/one", base[:, ::-1]),
        ("a/two", base[:, ::-1] + 1),
    ):
        Image.fromarray(pixels).save(tmp_path / "set" / f"{name}.png")
    data = dataset.load(intake.import_path(tmp_path / "set").dataset_id)
    found = overview.alike(data.manifest)
    assert [(title, said) for title, said, _ in found] == [
        ("a · b", "the same image"),
        ("a", "look the same"),
    ]
    files = data.manifest.images.file
    assert [sorted(files[i].rpartition("/")[2] for i in members) for *_, members in found] == [
        ["same.png", "same.png"],
        ["one.png", "two.png"],
    ]


def test_import_by_path_runs_in_its_own_process_and_ends_as_the_chosen_dataset(
    open_page, demo, tmp_path, monkeypatch
):
    write_images(tmp_path / "mushrooms", {"amanita": 5, "boletus": 2})
    monkeypatch.setenv("GMAUG_IMPORT_ROOTS", str(tmp_path))
    app = open_page()
    app.text_input(key="import-path").set_value(str(tmp_path / "mushrooms")).run()
    next(button for button in app.button if button.label == "Import").click().run()
    assert not app.exception
    assert not app.error
    deadline = time.monotonic() + 60
    while jobs.recent()[0]["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    app.run()
    app.run()
    assert "mushrooms" in words(app)
    assert "is imported" in words(app)
    (done,) = jobs.recent()
    assert done["dataset"] in [summary.id for summary in dataset.list_datasets()]
    assert "is imported" in words(open_page())  # whoever comes back hears of it
    app.button(key=f"dismiss-{done['token']}").click().run()
    for page in (app, open_page()):  # and no more, once it was dismissed
        assert "is imported" not in words(page)


def test_a_look_names_the_readings_and_one_is_chosen(open_page, demo, tmp_path, monkeypatch):
    for k, name in enumerate(("fungi/0", "fungi/1", "mammals/2", "mammals/3")):
        write_images(tmp_path / "near" / name, {"": 2}, seed=k)
    monkeypatch.setenv("GMAUG_IMPORT_ROOTS", str(tmp_path))
    app = open_page()
    app.text_input(key="import-path").set_value(str(tmp_path / "near")).run()
    look = next(button for button in app.button if button.label == "Look first")
    look.click().run()
    assert "It can be read in several ways" in words(app)
    app.button(key="take-0").click().run()
    assert app.text_input(key="import-level").value == "1"
    assert "Would read **2 classes" in words(app)
    assert not app.exception


def test_a_path_outside_the_allowed_folders_is_refused_in_words(open_page, demo, tmp_path, monkeypatch):
    monkeypatch.setenv("GMAUG_IMPORT_ROOTS", str(tmp_path / "allowed"))
    app = open_page()
    app.text_input(key="import-path").set_value("/etc").run()
    before = place_of_title(app)
    next(button for button in app.button if button.label == "Import").click().run()
    assert "may import from" in app.error[0].value
    assert "What to do" in app.error[0].value
    assert jobs.recent() == []
    assert place_of_title(app) == before, "in the browser the form that was filled in stays open"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "running", "step": 3, "total": 9}, None),
        (
            {
                "state": "failed",
                "error": {"what": "'x.zip' is not a zip", "expected": "a zip", "todo": "zip it"},
            },
            "is not a zip",
        ),
        ({"state": "running"}, "ended before it was done"),
        ({"state": "finished", "report": {"created": False}}, "was here already"),
        (
            {
                "state": "finished",
                "report": {"created": True, "accepted": 7, "counts": {"a": 7}, "refused": [{}]},
            },
            "1 file refused",
        ),
        (
            {
                "state": "finished",
                "report": {
                    "created": True,
                    "accepted": 7,
                    "counts": {"a": 7},
                    "refused": [],
                    "warnings": ["!"],
                },
            },
            "1 thing to look at",
        ),
    ],
)
def test_every_state_of_an_import_is_told(open_page, demo, home, monkeypatch, change, expected):
    token = jobs.new_token()
    age = 100 if expected and "ended before" in expected else 0
    state = {
        "token": token,
        "person": people.name(),
        "source": "/x/shells.zip",
        "name": "shells",
        "step": 0,
        "total": 0,
        "dataset": demo,
    }
    state["started"] = time.time() - age
    write_json(home / "imports" / f"{token}.json", state | change)
    if expected is None:
        monkeypatch.setattr(jobs, "holder", lambda lock: 1)
    app = open_page()
    assert expected is None or expected in words(app).replace("\\", "")
    if expected:
        app.button(key=f"dismiss-{token}").click().run()
        assert expected not in words(app).replace("\\", "")
        assert not app.exception


# --- super-classes ---


def test_without_a_dataset_super_classes_say_what_to_do(open_page):
    assert "No dataset yet" in words(open_page("super_classes"))


def test_a_proposal_is_shown_and_not_yet_stored(open_page, demo):
    app = open_page("super_classes")
    assert app.selectbox(key=f"grouping-{demo}").value == "shape"
    assert workspace.groupings.stored(demo) == []
    assert app.get("bidi_component")[0].proto.component_name == "gmaug_board"


def test_the_label_of_a_grouping_never_changes_under_the_browser(open_page, demo):
    """A browser sends an option back by its label: one that changed when it was stored chose another one."""
    app = open_page("super_classes")
    before = app.selectbox(key=f"grouping-{demo}").options
    assert "Each on its own (nothing grouped)" in before
    proposal = workspace.groupings.current(dataset.load(demo), "shape")[0]
    workspace.groupings.save(demo, proposal, revision=0)
    assert app.run().selectbox(key=f"grouping-{demo}").options == before


def test_a_link_opens_the_grouping_that_it_was_taken_from(open_page, demo):
    app = open_page("super_classes")
    app.selectbox(key=f"grouping-{demo}").set_value("identity").run()
    assert app.query_params["grouping"] == "identity"
    other = open_page("super_classes", dataset=demo, grouping="identity")
    assert other.selectbox(key=f"grouping-{demo}").value == "identity"


def test_a_grouping_that_is_gone_is_told_to_who_looked_at_it(open_page, demo):
    data = dataset.load(demo)
    workspace.groupings.add(data, "mine", workspace.groupings.current(data, "shape")[0])
    app, other = (open_page("super_classes", dataset=demo, grouping="mine") for _ in range(2))
    app.button(key=f"delete-{demo}-mine").click().run()
    assert "'mine' is deleted" in words(app)
    assert "There is no grouping" not in words(app)
    assert "it was deleted, and Restore brings it back" in words(other.run())
    assert "There is no grouping 'nowhere'" in words(open_page("super_classes", grouping="nowhere"))


def test_going_back_shows_the_dataset_and_the_grouping_of_the_address_again(
    open_page, demo, tmp_path, monkeypatch
):
    write_images(tmp_path / "two", {"a": 4, "b": 2})
    other = intake.import_path(tmp_path / "two").dataset_id
    app = open_page("super_classes", dataset=demo, grouping="identity")
    app.selectbox(key=f"grouping-{demo}").set_value("shape").run()
    app.selectbox(key="dataset").set_value(other).run()
    assert app.query_params["dataset"] == other
    monkeypatch.setattr(address, "turned", lambda: True)
    app.query_params["dataset"], app.query_params["grouping"] = demo, "identity"
    app.run()
    assert app.selectbox(key="dataset").value == demo
    assert app.selectbox(key=f"grouping-{demo}").value == "identity"
    app.query_params["dataset"] = "nowhere"
    assert "There is no dataset 'nowhere'" in words(app.run())
    assert app.selectbox(key="dataset").value == demo


def test_a_server_that_was_restarted_goes_on_with_the_dataset_that_the_browser_shows(
    open_page, demo, tmp_path
):
    write_images(tmp_path / "two", {"a": 4, "b": 2})
    intake.import_path(tmp_path / "two")  # it comes first
    shown = open_page(dataset=demo).selectbox(key="dataset")
    assert open_page().selectbox(key="dataset").value != demo
    app = AppTest.from_file(str(ROOT / "gmaug_core" / "ui" / "frame.py"), default_timeout=60)
    app.switch_page("../../pages/gains.py")
    app._run(WidgetStates(widgets=[shown._widget_state]))  # a click in the navigation: without an address
    assert app.selectbox(key="dataset").value == demo
    assert app.query_params["dataset"] in (demo, [demo])


def test_a_class_without_training_images_breaks_no_page(open_page, tmp_path):
    write_images(tmp_path / "set" / "train", {"oak": 6, "elm": 5})
    write_images(tmp_path / "set" / "test", {"oak": 4, "elm": 4, "yew": 4}, seed=1)
    held_out = intake.import_path(tmp_path / "set").dataset_id
    app = open_page(dataset=held_out)
    for page in sorted((ROOT / "pages").glob("*.py")):
        app.switch_page(f"../../pages/{page.name}").run()
        assert not app.exception, page.stem
        assert app.selectbox(key="dataset").value == held_out, page.stem


def test_identity_is_copied_before_it_is_edited(open_page, demo):
    app = open_page("super_classes")
    app.selectbox(key=f"grouping-{demo}").set_value("identity").run()
    assert "variety" in words(app)
    app.text_input(key="begin-name").set_value("by habitat").run()
    next(button for button in app.button if button.label == "Start grouping").click().run()
    assert not app.exception
    assert app.selectbox(key=f"grouping-{demo}").value == "by habitat"
    assert workspace.groupings.load(demo, "by habitat")[0].super_classes["0"] == ("0",)
    assert "one sub-class only" in words(app)
    assert "Step 1 of 3: Species" in words(app)
    app.button(key=f"step-habitat-{demo}-by habitat").click().run()
    assert "Step 2 of 3: Habitat" in words(app)


def test_a_grouping_begins_with_a_suggestion(open_page, demo):
    app = open_page("super_classes")
    app.radio(key="begin-way").set_value("looks").run()
    app.text_input(key="begin-name").set_value("by looks").run()
    next(button for button in app.button if button.label == "Start grouping").click().run()
    assert not app.exception
    assert "Suggested by looks" in words(app)
    assert len(workspace.groupings.load(demo, "by looks")[0].super_classes) < 10
    assert app.text_input(key="begin-name").value == "my grouping", "the next one gets a free name"


def test_a_copy_needs_a_free_name(open_page, demo):
    app = open_page("super_classes")
    app.text_input(key=f"copy-{demo}-shape").set_value("identity").run()
    next(button for button in app.button if button.label == "Make the copy").click().run()
    assert "cannot be called" in app.error[0].value
    assert workspace.groupings.stored(demo) == []


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("halves.json", json.dumps({"low": list("01234"), "high": list("56789")}), None),
        (
            "halves.csv",
            "sub_class;super_class\n" + "\n".join(f"{i};{'low' if i < 5 else 'high'}" for i in range(10)),
            None,
        ),
        ("bad.json", json.dumps({"low": list("01234"), "high": ["5", "6", "7", "8", "nine"]}), "nine"),
        ("bad.csv", "0", "row 1"),
        ("empty.csv", "", "empty"),
        ("twice.json", json.dumps({"low": list("0123456789"), "high": ["0"]}), "more than one"),
    ],
)
def test_grouping_files_are_imported_whole_or_not_at_all(open_page, demo, file, content, problem):
    workspace.groupings.save(demo, Grouping("kept", {"all": [str(i) for i in range(10)]}), revision=0)
    app = open_page("super_classes")
    uploader = app.get("file_uploader")[0]
    uploader.set_value((file, content.encode(), "text/plain")).run()
    next(button for button in app.button if button.label == "Import the file").click().run()
    assert not app.exception
    if problem:
        assert problem in app.error[0].value.replace("\\", "").lower()
        assert workspace.groupings.stored(demo) == ["kept"]
    else:
        assert workspace.groupings.load(demo, "halves")[0].super_classes["low"] == tuple("01234")
        assert app.selectbox(key=f"grouping-{demo}").value == "halves"


def test_an_edit_elsewhere_is_taken_over_at_the_next_look(open_page, demo):
    groups = {"all": [str(i) for i in range(10)]}
    workspace.groupings.save(demo, Grouping("mine", groups), revision=0)
    app = open_page("super_classes")
    workspace.groupings.save(demo, Grouping("mine", groups).move("3", "odd"), revision=1)
    app.run()
    state = app.session_state[f"board-{demo}-mine"]
    assert state.revision == 2
    assert state.grouping.super_classes["odd"] == ("3",)
    assert workspace.groupings.names(dataset.load(demo))[0] == "mine"


def test_the_score_follows_an_edit(open_page, bars):
    one, two, three = bars.class_names
    mine = Grouping("mine", {"a": [one, two, three]})
    workspace.groupings.save(bars.id, mine, revision=0)
    app = open_page("super_classes")
    assert "Measure similarity once" in words(app)
    bars.images("paper")  # as any score of it does
    app.run()
    assert "**SSIM-supSubCls 0." in words(app)
    assert "the last edit" not in words(app)
    workspace.groupings.save(bars.id, mine.alone(three), revision=1)
    app.run()
    assert "· the last edit: +0." in words(app)  # what is apart is more alike inside
    links = [link.proto for link in app.get("page_link")]
    assert links
    assert all(f"dataset={bars.id}" in link.query_string for link in links), "in a new tab too"
    app.selectbox(key=f"grouping-{bars.id}").set_value("identity").run()
    app.switch_page("../../pages/similarity.py").run()
    assert app.selectbox(key=f"score-grouping-{bars.id}").value == "identity", "the one looked at last"


def test_two_peoples_groupings_are_compared_merged_and_settled(open_page, demo):
    data = dataset.load(demo)
    shape, _ = workspace.groupings.current(data, "shape")
    workspace.groupings.add(data, "ann", shape, person="ann")
    workspace.groupings.add(data, "ben", shape.move("9", "straight"), person="ben")
    app = open_page("super_classes", dataset=demo, grouping="ann", view="Compare groupings")
    assert app.multiselect(key=f"compared-{demo}").value == ["ann", "ben"]  # not what the folders propose
    (index,) = [metric.value for metric in app.metric if "adjusted Rand" in metric.label]
    assert index == f"{agreement.adjusted_rand(shape, shape.move('9', 'straight')):.2f}"
    assert list(app.dataframe[0].value["made by"]) == ["ann", "ben"]
    app.button(key="as-ben-9").click().run()
    assert not app.exception
    assert workspace.groupings.load(demo, "ann")[0].super_of["9"] == "straight"
    assert "They agree about every sub-class" in words(app)
    workspace.groupings.undo(demo, "ann", revision=2)
    app.run()
    app.text_input(key="merged-name").set_value("both").run()
    next(button for button in app.button if button.label == "Merge them").click().run()
    assert workspace.groupings.load(demo, "both")[0].super_of["9"] == "9"
    assert app.selectbox(key=f"grouping-{demo}").value == "both"


# --- deleting ---


def test_a_dataset_is_renamed_deleted_and_restored_on_the_page(open_page, demo, tmp_path):
    write_images(tmp_path / "two", {"a": 4, "b": 2})
    other = intake.import_path(tmp_path / "two").dataset_id
    app = open_page(dataset=other)
    app.text_input(key=f"rename-{other}").set_value("Two of them")
    app.button(key=f"renamed-{other}").click().run()
    assert app.header[0].value == "Two of them"
    app.button(key=f"delete-{other}").click().run()
    assert "It is in the bin, for 30 days more" in words(open_page(dataset=other))
    assert not app.exception
    assert "Moved Two of them to the bin" in words(app)
    assert [summary.id for summary in dataset.list_datasets()] == [demo]
    late = open_page(dataset=demo)
    restore = next(b.key for b in app.button if str(b.key).startswith("restore-"))
    app.button(key=restore).click().run()
    assert "is back" in words(app)
    assert len(dataset.list_datasets()) == 2
    late.button(key=restore).click().run()  # the second of two people
    assert "Two of them is no longer in the bin: somebody was faster" in words(late)
    assert not late.error


def test_a_grouping_is_deleted_and_restored_on_the_page(open_page, demo):
    data = dataset.load(demo)
    workspace.groupings.add(data, "mine", Grouping("mine", {"all": list(data.class_names)}))
    app = open_page("super_classes", dataset=demo, grouping="mine")
    app.button(key=f"delete-{demo}-mine").click().run()
    assert not app.exception
    assert "mine" not in app.selectbox(key=f"grouping-{demo}").options
    app.button(key=f"restore-{demo}-mine").click().run()
    assert app.selectbox(key=f"grouping-{demo}").value == "mine"
