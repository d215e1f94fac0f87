"""Saved views: kept by name, replaced, deleted, refused where they have no name."""

from __future__ import annotations

import pytest

from gmaug_core.errors import InputError
from gmaug_core.workspace import audit, views


def test_views_are_kept_by_name_replaced_and_deleted(home):
    assert views.save("run", " rejected roses ", {"verdict": "rejected", "name": "röse"}) == "rejected roses"
    views.save("run", "all", {})
    views.save("other", "all", {"step": 2})
    views.save("run", "all", {"low": 0.25})
    found = {view.name: view.given for view in views.load("run")}
    assert found == {"all": {"low": 0.25}, "rejected roses": {"verdict": "rejected", "name": "röse"}}
    views.delete("run", "all")
    assert [view.name for view in views.load("run")] == ["rejected roses"]
    assert views.find("other", "all").given == {"step": 2}
    assert [row.action for row in audit.trail(subject="run")].count("view saved") == 3
    with pytest.raises(InputError, match="no saved view"):
        views.delete("run", "all")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_view_needs_a_name(home, name):
    with pytest.raises(InputError, match="needs a name"):
        views.save("run", name, {})


def test_no_more_than_a_list_can_show(home, monkeypatch):
    monkeypatch.setattr(views, "MOST", 2)
    for name in "ab":
        views.save("run", name, {})
    views.save("run", "b", {"step": 1})
    with pytest.raises(InputError, match="already"):
        views.save("run", "c", {})
