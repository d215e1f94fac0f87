"""Reviewing samples.

Every operation counts once whatever the browser sends again, filters find what they say.
"""

from __future__ import annotations

import json

import pytest
import run_fixture
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gmaug_core.data import samples
from gmaug_core.errors import GMAugError
from gmaug_core.report import browsing
from gmaug_core.report.browsing import Filter
from gmaug_core.ui import items
from gmaug_core.ui.gallery import State, apply_ops
from gmaug_core.workspace import reviews


def op(n, sample, decision, mount="m"):
    return {"n": n, "mount": mount, "edits": [[sample, decision]]}


@pytest.fixture
def state(home):
    return State("run-1", 100, {}, mount="m")


def test_decisions_are_stored_and_acknowledged(state):
    apply_ops(state, [op(1, 3, "keep"), op(2, 4, "reject"), op(3, 3, None)])
    assert state.ack == 3
    assert state.decisions == {4: "reject"} == reviews.load("run-1")


def test_one_operation_decides_about_many_and_undoes_it(state):
    apply_ops(state, [op(1, 3, "keep")])
    many = [[sample, "reject"] for sample in range(2, 60)]
    apply_ops(state, [{"n": 2, "mount": "m", "edits": many}])
    assert reviews.load("run-1") == dict.fromkeys(range(2, 60), "reject")
    back = [[sample, "keep" if sample == 3 else None] for sample in range(2, 60)]
    apply_ops(state, [{"n": 3, "mount": "m", "edits": back}])
    assert reviews.load("run-1") == {3: "keep"} == state.decisions


def test_what_is_sent_again_counts_once(state):
    apply_ops(state, [op(1, 3, "keep")])
    reviews.save("run-1", {3: "reject"})  # somebody else, meanwhile
    apply_ops(state, [op(1, 3, "keep"), op(2, 5, "keep")])
    assert reviews.load("run-1") == {3: "reject", 5: "keep"}
    assert state.ack == 2


def reloaded(run: str = "run-1") -> State:
    """What the page that comes next knows."""
    return State(run, 100, dict(reviews.load(run)), reviews.numbers(run))


def resent(state: State, *items: dict) -> list[dict]:
    return [{**item, "n": n, "mount": state.mount} for n, item in enumerate(items, 1)]


def test_the_page_after_a_reload_does_what_the_one_before_had_no_answer_to_and_does_it_once(home):
    first = State("run-1", 100, {})
    done, lost = (
        {"id": f"{first.mount}-{n}", "edits": [[n, "keep"]], "before": [None], "n": n, "mount": first.mount}
        for n in (1, 2)
    )
    apply_ops(first, [done])  # the answer never arrived, nor did the second
    then = reloaded()
    apply_ops(then, resent(then, done, lost))
    assert (then.ack, then.problem, reviews.load("run-1")) == (2, "", {1: "keep", 2: "keep"})
    assert len(reviews.history("run-1")) == 2


def test_what_somebody_else_decided_before_the_page_came_back_stands(home):
    mine = {"id": "earlier-1", "edits": [[1, "keep"], [2, None]], "before": [None, None]}
    undone = {"id": "earlier-2", "edits": [[1, None]], "before": ["keep"]}
    reviews.save("run-1", {1: "reject"}, person="ann")
    then = reloaded()
    apply_ops(then, resent(then, mine, undone))
    assert "somebody else decided first about sample 1 (ann: reject)" in then.problem
    assert (then.ack, reviews.load("run-1")) == (2, {1: "reject"})
    reviews.save("run-1", {1: None}, person="ann")
    apply_ops(then := reloaded(), resent(then, {**mine, "id": "earlier-3"}, {**undone, "id": "earlier-4"}))
    assert (then.ack, then.problem, reviews.load("run-1")) == (2, "", {})


def test_a_lost_message_loses_nothing(state):
    log = [op(n, n % 7, ("keep", "reject", None)[n % 3]) for n in range(1, 31)]
    for end in (4, 19, 30):  # each message carries all that is not acknowledged; those between never arrived
        apply_ops(state, [item for item in log[:end] if item["n"] > state.ack])
    expected = {}
    for item in log:
        expected |= dict(item["edits"])
    assert reviews.load("run-1") == {k: v for k, v in expected.items() if v}


def test_another_sessions_numbers_are_ignored(state):
    apply_ops(state, [op(9, 1, "keep", mount="old")])
    assert state.ack == 0
    assert reviews.load("run-1") == {}


@pytest.mark.parametrize(
    "bad",
    [
        op(1, 100, "keep"),
        op(1, -1, "keep"),
        op(1, "3", "keep"),
        op(1, True, "keep"),
        op(1, 3, "maybe"),
        op(1, 3, ["keep"]),
        {"n": 1, "mount": "m"},
        {"n": 1, "mount": "m", "edits": [[3]]},
        {"n": 1, "mount": "m", "edits": [[3, "keep"], [100, "keep"]]},
    ],
)
def test_a_bad_operation_is_dropped_said_and_acknowledged(state, bad):
    apply_ops(state, [bad, op(2, 7, "keep")])
    assert state.problem
    assert state.ack == 2
    assert reviews.load("run-1") == {7: "keep"}


@pytest.mark.parametrize(
    "rubbish", [None, "x", 3, {}, [1, None, "x"], [{"n": 1}], [{"n": "1", "mount": "m"}]]
)
def test_rubbish_changes_nothing(state, rubbish):
    apply_ops(state, rubbish)
    assert state.ack == 0
    assert state.decisions == {}


def test_of_two_tabs_that_decide_at_once_the_second_is_told(state):
    other = State("run-1", 100, {}, mount="o")
    apply_ops(state, [{"n": 1, "mount": "m", "edits": [[5, "keep"]]}])
    apply_ops(other, [{"n": 1, "mount": "o", "edits": [[5, "reject"]]}])
    assert "somebody else decided first about sample 5" in other.problem
    assert other.ack == 1, "sent again it would be refused again"
    assert reviews.load("run-1") == {5: "keep"}
    apply_ops(state, [{"n": 2, "mount": "m", "edits": [[5, "reject"]]}])  # one's own word may be changed
    assert reviews.load("run-1") == {5: "reject"}
    assert not state.problem


def test_what_could_not_be_saved_is_sent_again(state, monkeypatch):
    def full(*_, **__):
        raise GMAugError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(reviews, "save", full)
        apply_ops(state, [op(1, 3, "keep")])
    assert state.ack == 0
    assert state.decisions == {}
    assert "disk" in state.problem
    apply_ops(state, [op(1, 3, "keep")])
    assert state.ack == 1
    assert reviews.load("run-1") == {3: "keep"}


# --- filters ---


@pytest.fixture
def paths(demo):
    return run_fixture.make_run(demo, token="gallery", per_class=10)


def test_filters_find_what_they_say(paths):
    table = items.table(paths.samples)
    everything = browsing.chosen(table, Filter(), {})
    assert len(everything) == everything["sample"].nunique() == len(samples.all_images(paths.samples))
    accepted, rejected = (
        browsing.chosen(table, Filter(verdict=verdict), {}) for verdict in ("accepted", "rejected")
    )
    assert accepted["accepted"].all()
    assert not rejected["accepted"].any()
    assert len(accepted) + len(rejected) == len(everything)
    narrow = browsing.chosen(table, Filter(seed=1, name="4", step=2), {})
    assert set(narrow["class"]) == {"4"}
    assert set(narrow["step"]) == {2}
    assert set(narrow["seed"]) == {1}
    reason = rejected["reason"].iloc[0]
    assert set(browsing.chosen(table, Filter(reason=reason), {})["reason"]) == {reason}
    low = browsing.chosen(table, Filter(order="score, low first"), {})["probability"]
    assert low.is_monotonic_increasing


def test_decisions_can_be_filtered(paths):
    table = items.table(paths.samples)
    rows = browsing.chosen(table, Filter(), {})
    yes, no = int(rows[rows["accepted"]]["sample"].iloc[0]), int(rows[~rows["accepted"]]["sample"].iloc[0])
    reviews = {yes: "keep", no: "keep"}
    found = {
        d: set(browsing.chosen(table, Filter(decision=d), reviews)["sample"])
        for d in ("keep", "reject", "overruled", "undecided")
    }
    assert found["keep"] == {yes, no}
    assert found["overruled"] == {no}
    assert not found["reject"]
    assert len(found["undecided"]) == len(rows) - 2


def test_the_route_answers_what_the_gallery_asks(paths):
    from gmaug_core.ui.routes import ROUTES

    client = TestClient(Starlette(routes=ROUTES))
    want = Filter(verdict="accepted", name="4")
    answer = client.get(items.url(paths.id, want, "v"))
    rows = browsing.chosen(items.table(paths.samples), want, {})
    assert answer.status_code == 200
    assert answer.json()["sample"] == rows["sample"].tolist()
    assert answer.json()["classes"] == ["4"]
    assert client.get("/runs/nope/items").status_code == 404
    again = client.get(items.url(paths.id, Filter(threshold=0.5, low=0.5), "v")).json()
    assert set(again["accepted"]) == {1}
    assert min(again["probability"]) >= 0.5
    assert client.get(f"/runs/{paths.id}/items?area=x").status_code == 400
    assert client.get(items.url(paths.id, Filter(), "v", what="map")).json() == {"state": "waiting"}
    assert client.get(f"/runs/{paths.id}/items?step=x").status_code == 400
    assert client.get(f"/runs/{paths.id}/items?what=1").status_code == 400
    empty = client.get(items.url(paths.id, Filter(name="no such class"), "v")).json()
    assert empty["sample"] == []
    assert json.dumps(empty)


def test_five_thousand_samples_fit_in_a_small_list(paths):
    import pandas as pd

    rows = browsing.chosen(items.table(paths.samples), Filter(), {})
    many = pd.concat([rows] * (5000 // len(rows) + 1), ignore_index=True).head(5000)
    assert len(json.dumps(items.document(many))) < 250_000
