"""A verdict's charts show its own figures, and nothing where there is none."""

from __future__ import annotations

import json

from verdict_fixture import verdict

from gmaug_core.method.verdict.figures import Headroom
from gmaug_core.report import verdict_charts


def data_of(chart) -> str:
    return json.dumps(chart.to_dict()["datasets"], ensure_ascii=False)


def test_what_is_weighed_is_what_the_document_says():
    document = verdict()
    weighed = verdict_charts.weighed(document)
    expected = weighed["what"].str.startswith("of it expected")
    assert weighed.loc[expected, "high"].item() == document.expected.gain.high
    rows = weighed[~expected].set_index("colour")
    assert rows.loc["baseline", "value"] == document.length.longer.value
    assert rows.loc["control", "high"] == document.free.recipes[0].gain.high
    assert rows.loc["accepted", "low"] == document.headroom.gain.low
    assert str(document.seen.smallest) in data_of(verdict_charts.scale(document))


def test_a_refused_projection_is_not_drawn_as_nought():
    document = verdict(refused=True)
    assert set(verdict_charts.weighed(document)["colour"]) == {"baseline", "control"}
    at_most = Headroom(projection="run", over="plain", gain=None, percent=None, at_most=0.8)
    row = verdict_charts.weighed(document.model_copy(update={"headroom": at_most})).iloc[-1]
    assert row["high"] == 0.8
    assert row[["value", "low"]].isna().all()


def test_curves_and_lengths_are_drawn_point_by_point():
    document = verdict()
    drawn = data_of(verdict_charts.learning_curves(document))
    for point in document.ceiling.curves[0].points:
        assert f'"images": {point.images}' in drawn
    assert verdict_charts.lengths(document).to_dict()["layer"]
    assert verdict_charts.lengths(verdict(fast=True)) is None


def test_balanced_accuracy_is_drawn_where_it_decides():
    plain, balanced = verdict(), verdict(measure="balanced_accuracy")
    lowest = plain.first.curves[0].points[0].accuracies.balanced_accuracy  # lower than any accuracy
    shares = [
        [
            row["share"]
            for rows in verdict_charts.learning_curves(document).to_dict()["datasets"].values()
            for row in rows
        ]
        for document in (plain, balanced)
    ]
    assert min(shares[0]) == 100 * plain.first.curves[0].points[0].accuracies.accuracy
    assert min(shares[1]) == 100 * lowest
