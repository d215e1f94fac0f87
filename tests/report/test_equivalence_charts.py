"""Charts and tables of an equivalence."""

from __future__ import annotations

import json

import pytest
from exchange_world import equivalence, harmful

from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.report import equivalence_charts, equivalence_findings, theme

MEASURES = ("accuracy", "balanced_accuracy", "tail_accuracy")


def rows_of(chart) -> list[dict[str, object]]:
    return [row for each in chart.to_dict()["datasets"].values() for row in each]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_curves_show_every_measured_point_and_the_exchange(measure):
    found = equivalence()
    drawn = equivalence_charts.curves(found, 1000, measure)
    points = [row for row in rows_of(drawn) if "trainings" in row]
    of = [c for c in found.curves if (c.base, c.measure, c.way) == (1000, measure, "added")]
    assert len(points) == sum(len(curve.points) for curve in of)
    assert {row["images"] for row in points} >= {500, 1000, 5000, 9000}
    row = words.headline([each for each in found.exchange if each.base == 1000], measure)
    told = [each["label"] for each in rows_of(drawn) if "label" in each]
    assert told == [f"1,000 synthetic = {words.rounded(row.real.images)} real"]


def test_what_is_worth_nothing_has_no_reading_and_ends_below_nought():
    found = equivalence(harmful)
    drawn = rows_of(equivalence_charts.curves(found, 1000, "accuracy"))
    assert not [row for row in drawn if "label" in row]
    rates = [row for row in rows_of(equivalence_charts.rates(found, "accuracy")) if "worth" in row]
    assert min(row["rate"] for row in rates) < 0
    assert "less than nothing [less than nothing, less than nothing]" in {row["worth"] for row in rates}


def test_addition_and_substitution_are_in_one_picture():
    drawn = equivalence_charts.ways(equivalence(), 1000, "accuracy")
    names = {row["what"] for row in rows_of(drawn) if "what" in row}
    assert names == {"synthetic images added", "in place of real ones"}
    found = equivalence()
    added = tuple(curve for curve in found.curves if curve.way != "substituted")
    without = found.model_copy(update={"curves": added, "exchange": ()})
    assert equivalence_charts.ways(without, 1000, "accuracy") is None
    assert equivalence_charts.rates(without, "accuracy") is None


@pytest.mark.slow
def test_a_chart_is_printed_with_its_legend():
    svg = theme.printed(equivalence_charts.rates(equivalence(), "accuracy"))
    assert "<svg" in svg
    assert "1,000 real images" in svg


def test_tables_say_what_the_document_says():
    found = equivalence()
    shown = equivalence_charts.table(found, "accuracy")
    rows = [row for row in found.exchange if row.measure == "accuracy" and row.measured]
    assert list(shown.columns[:4]) == ["base", "synthetic", "worth real ones", "95 % interval"]
    assert list(shown["worth real ones"]) == [words.answer(row.real) for row in rows]
    assert len(equivalence_charts.reverse_table(found, "accuracy")) == sum(
        row.measure == "accuracy" for row in found.reverse
    )
    numbers = equivalence_charts.numbers(found)
    assert len(numbers) == len(found.exchange)
    assert json.loads(numbers.to_json(orient="records"))[0]["low_kind"] in ("less", "number", "more")


def test_a_document_is_read_back_as_it_was_written(tmp_path):
    found = equivalence()
    found.write(tmp_path / "result.json")
    assert type(found).read(tmp_path / "result.json") == found
    assert found.sentence.startswith("2,000 accepted images added to 2,000 real ones are worth")


def test_what_the_classifiers_were_trained_with_is_said():
    """One from before it was kept is read, and says so."""
    before = {key: value for key, value in equivalence().to_dict().items() if key != "augment"} | {
        "schema": 1
    }
    older = EquivalenceResult.parse(before)
    assert older.augment is None
    assert "does not say" in equivalence_findings.training(older)
    without, with_it = (equivalence().model_copy(update={"augment": how}) for how in ("none", "crop_flip"))
    assert "without augmentation" in equivalence_findings.training(without)
    assert "comes on top" in equivalence_findings.training(with_it)


def test_images_made_elsewhere_stand_beside_those_of_a_generator():
    closed = equivalence()
    opened = closed.model_copy(
        update={
            part: tuple(
                row.model_copy(update={"source": "open"} if row.source == "closed" else {})
                for row in getattr(closed, part)
            )
            for part in ("curves", "exchange")
        }
    )
    drawn = equivalence_charts.beside(closed, opened, 1000, "accuracy").to_dict()
    said = {row["what"] for rows in drawn["datasets"].values() for row in rows if "what" in row}
    assert said == {"real images added", "synthetic images added", "open-set images added"}
    legends = [layer["encoding"]["color"]["legend"]["columns"] for layer in drawn["layer"]]
    assert set(legends) == {1}, "three names in two columns are cut on a narrow screen"
    assert equivalence_charts.beside(closed, closed, 1000, "accuracy") is None
    assert equivalence_charts.beside(closed, opened, 77, "accuracy") is None
