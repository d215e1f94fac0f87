"""Reviews and the trail: the newest decision counts, nobody's is erased, and everything says who."""

from __future__ import annotations

import getpass

import pytest

from gmaug_core import workspace
from gmaug_core.errors import Conflict, InputError
from gmaug_core.workspace import audit, reviews


def test_reviews_and_audit(home):
    reviews.save("r", {1: "keep", 2: "reject"})
    reviews.save("r", {1: None})
    assert reviews.load("r") == {2: "reject"}
    with pytest.raises(InputError):
        reviews.save("r", {1: "maybe"})
    assert [entry.action for entry in audit.trail()] == ["refused: review samples", *["sample reviewed"] * 3]


def test_the_newest_decision_wins_and_none_is_erased(home):
    reviews.save("r", {1: "keep", 2: "keep"}, person="ada")
    reviews.save("r", {1: "reject", 2: None}, person="ben")
    reviews.save("other", {1: "keep"}, person="cleo")
    assert reviews.load("r") == {1: "reject"}
    assert reviews.newest("r")[1].person == "ben"
    made = [(item.sample, item.decision, item.person) for item in reviews.history("r")]
    assert made == [(1, "keep", "ada"), (2, "keep", "ada"), (1, "reject", "ben"), (2, None, "ben")]


def test_of_two_opposite_decisions_at_once_the_second_is_told(home):
    """Both people looked before either decided: 200 samples, 200 refusals, nothing overwritten."""
    seen = reviews.numbers("r")
    reviews.save("r", dict.fromkeys(range(200), "keep"), seen=seen, person="ada")
    for sample in range(200):
        with pytest.raises(Conflict, match=rf"first about sample {sample} \(ada: keep\)"):
            reviews.save("r", {sample: "reject"}, seen=seen, person="ben")
    assert reviews.load("r") == dict.fromkeys(range(200), "keep")
    assert len(reviews.history("r")) == 200


def test_who_has_seen_a_decision_may_change_it(home):
    seen = reviews.save("r", {1: "keep", 2: "keep"}, seen={})
    assert seen == reviews.numbers("r")
    seen |= reviews.save("r", {1: "reject"}, seen=seen)  # one's own
    reviews.save("r", {2: "reject"}, seen=seen, person="ben")
    reviews.save("r", {2: "reject", 3: "keep"}, seen=seen)  # the same word is no conflict
    assert reviews.load("r") == {1: "reject", 2: "reject", 3: "keep"}
    with pytest.raises(Conflict, match="sample 2"):
        reviews.save("r", {2: "keep", 4: "keep"}, seen=seen)
    assert 4 not in reviews.load("r")  # all of a batch, or none


def test_nothing_is_stored_of_a_refused_batch(home):
    with pytest.raises(InputError, match="'maybe' is not a decision"):
        reviews.save("r", {1: "keep", 2: "maybe"})
    assert reviews.history("r") == []


def test_a_sample_is_one_of_the_run():
    reviews.check(0, "keep", count=3)
    reviews.check(2, None, count=3)
    for sample in (3, -1, "1", True, None):
        with pytest.raises(InputError, match="no sample"):
            reviews.check(sample, "keep", count=3)


def test_the_trail_says_who_and_can_be_read_by_subject(home, monkeypatch):
    audit.record("run submitted", "run-1", dataset="d", person="ada")
    audit.record("run stopped", "run-2")
    assert [(row.action, row.person) for row in audit.trail()] == [
        ("run stopped", workspace.actor()),
        ("run submitted", "ada"),
    ]
    assert [row.detail for row in audit.trail(subject="run-1")] == [{"dataset": "d"}]
    assert len(audit.trail(1)) == 1

    def nobody():
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert workspace.actor() == "local"
