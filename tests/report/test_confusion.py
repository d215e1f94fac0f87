from __future__ import annotations

from predictions_fixture import FOUND

from gmaug_core.report import confusion


def test_the_table_has_every_cell_with_images_and_what_changed():
    rows = confusion.table(FOUND, ["a", "b"]).to_dict("records")
    assert [(row["class"], row["put in"], row["before"], row["after"]) for row in rows] == [
        ("a", "a", 1, 2),
        ("a", "b", 1, 0),
        ("b", "a", 2, 2),
        ("b", "b", 1, 1),
    ]
    assert [row["change"] for row in rows] == [1, -1, 0, 0]
    assert confusion.words(FOUND).endswith(
        "put 2 right that were wrong before and 1 wrong that were right; 1 are wrong both times."
    )


def test_the_chart_shades_mistakes_and_leaves_out_classes_that_are_not_mixed_up(monkeypatch):
    chart = confusion.chart(FOUND, ["a", "b", "c"], "before").to_dict()
    (rows,) = chart["datasets"].values()
    assert {(row["class"], row["put in"]): row["shade"] for row in rows} == {
        ("a", "a"): 0,
        ("a", "b"): 1,
        ("b", "a"): 2,
        ("b", "b"): 0,
    }
    assert chart["params"][0]["select"]["fields"] == ["class", "put in"]
    assert chart["autosize"]["type"] == "pad", "names take no room from the cells"
    monkeypatch.setattr(confusion, "MOST_CLASSES", 1)
    (rows,) = confusion.chart(FOUND, ["a", "b", "c"], "after").to_dict()["datasets"].values()
    assert {row["class"] for row in rows} == {"b"}, "mixed up three times, the other once"
