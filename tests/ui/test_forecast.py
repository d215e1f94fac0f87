"""What a person reads of the draws that are still to come."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

ROW = {"class": "cat", "wanted": 400, "drawn": 250, "accepted": 20, "low": 90, "expected": 160, "high": 240}


def page(rows: list[dict]) -> AppTest:
    def script(rows: list[dict]) -> None:
        from gmaug_core.ui import forecast

        forecast.show(rows)

    return AppTest.from_function(script, kwargs={"rows": rows}, default_timeout=30).run()


def test_each_class_with_what_is_expected_and_what_was_given_up():
    lost = ROW | {"class": "dog", "accepted": 0, "given_up": True, "saved": 1750}
    at = page([{"forecast": [ROW | {"given_up": False, "saved": 0}]}, {"forecast": [lost]}, {"drawn": 500}])
    table = at.dataframe[0].value
    assert table["class"].tolist() == ["dog"], "the newest"
    assert table["expected in the end"].tolist() == ["160 (90 to 240)"]
    assert "Given up: dog" in at.caption[1].value
    assert "1,750 draws are saved" in at.caption[1].value


def test_nothing_before_the_first_look():
    assert not page([{"drawn": 40}]).dataframe
