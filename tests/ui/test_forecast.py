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


def test_what_the_filter_does_with_real_images_is_told_and_warned_of_where_it_is_too_strict():
    def script(share: float) -> None:
        from gmaug_core.ui import forecast

        row = {"real_accepted": {"share": share, "ci_low": 0.01, "ci_high": 0.9, "n": 120}}
        forecast.of_filter([{"stage": "baseline"}, row, {"stage": "generator"}])

    for share in (0.02, 0.8):
        at = AppTest.from_function(script, kwargs={"share": share}, default_timeout=30).run()
        assert f"accepts {share:.0%}" in at.caption[0].value.replace("\\", "")
        assert len(at.warning) == (share < 0.5)
    assert (
        "too few synthetic ones were accepted"
        in AppTest.from_function(script, kwargs={"share": 0.02}, default_timeout=30).run().warning[0].value
    )


def test_nothing_before_the_first_look():
    assert not page([{"drawn": 40}]).dataframe
