"""The charts of a gain: they show what the result says, on the page and printed; names are never markup."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from gmaug_core.report import doses, gain_charts, theme
from gmaug_core.report.findings import compared
from gmaug_core.report.points import OwnPoint
from gmaug_core.scoring.law import printed_equation
from gmaug_core.scoring.paper import paper_law, paper_points

NASTY = "<b>x</b> & $y$ [a](b)"


@pytest.fixture
def result(finished_result):
    return finished_result


def rows_of(chart: Any) -> list[dict[str, Any]]:
    """All rows of data in a specification, those that the layers share once."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def domain(chart: Any, channel: str) -> list[float]:
    layers = chart.to_dict()["layer"]
    return next(
        layer["encoding"][channel]["scale"]["domain"] for layer in layers if channel in layer["encoding"]
    )


def test_the_curve_holds_the_papers_points_the_law_its_band_and_own_runs():
    own = [OwnPoint("run-1", NASTY, 0.43, 0.8, -1.0, 2.6)]
    chart = gain_charts.curve(paper_law(), paper_points(), own=own, here=0.2)
    rows = rows_of(chart)
    by_kind = {
        kind: [row for row in rows if row.get("what") == kind] for kind in ("your runs", gain_charts.HERE)
    }
    paper = [row["gain"] for row in rows if row.get("what") == gain_charts.PAPER]
    assert paper == [point.gain for point in paper_points()]
    assert (by_kind["your runs"][0]["low"], by_kind["your runs"][0]["high"]) == (-1.0, 2.6)
    gain, low, high = paper_law().predict(0.2)
    here = by_kind[gain_charts.HERE][0]
    assert (here["gain"], here["low"], here["high"]) == pytest.approx((gain, low, high))
    for kind, expected in ((gain_charts.LAW, gain), (gain_charts.PRINTED, printed_equation(0.2))):
        line = [row for row in rows if row.get("what") == kind]
        nearest = min(line, key=lambda row: abs(row["x"] - 0.2))
        assert nearest["gain"] == pytest.approx(expected, rel=0.05)
    least, most = domain(chart, "y")
    assert least < -1
    assert most > 83


def test_the_curve_makes_room_for_harm():
    own = [OwnPoint("run-1", "bad", 0.2, -40.0, -60.0, -20.0)]
    assert domain(gain_charts.curve(paper_law(), paper_points(), own=own), "y")[0] < -60


def test_neighbouring_names_do_not_cover_each_other():
    names = [point.name for point in paper_points()]
    above = dict(zip(names, gain_charts.label_above(paper_points()), strict=True))
    assert above["Birds"]
    assert not above["UTKFace"]
    assert above["Amphibians"]
    assert above["Fungi"]
    assert not above["Reptiles"]


def test_the_forest_shows_every_variant_with_its_interval_and_seeds(result):
    for measure in ("accuracy", "balanced_accuracy"):
        rows = rows_of(gain_charts.forest(result, measure))
        means = {row["variant"]: (row["mean"], row["low"], row["high"]) for row in rows if "mean" in row}
        for row in compared(result):
            found = getattr(row.found, measure)
            expected = (100 * found.mean, 100 * found.ci_low, 100 * found.ci_high)
            assert means[row.name] == pytest.approx(expected)
        strokes = [row["variant"] for row in rows if "value" in row]
        assert len(means) == 5
        assert all(strokes.count(name) == 3 for name in means)  # three seeds a variant


def test_the_dose_response_shows_both_parts_at_every_amount(result):
    rows = [row for row in rows_of(gain_charts.dose_response(result)) if row["part"] == "test"]
    assert [row["share"] for row in rows] == [dose.added / dose.real for dose in result.doses]
    assert [row["mean"] for row in rows] == pytest.approx([100 * dose.test.mean for dose in result.doses])
    assert gain_charts.dose_response(result.model_copy(update={"doses": ()})) is None
    table, said = doses.table(result), doses.words(result)
    assert table["synthetic images"].tolist() == [0, 175, 700, 2800]
    assert (len(said), said[0]) == (2, result.choice.words)
    assert "of the amounts above none" in said[1], "none itself may have been the best"
    assert (
        "(1 times what is missing, 700 images beside 560 real ones) moves accuracy by +0.90 points" in said[1]
    )
    assert doses.words(result.model_copy(update={"doses": (), "choice": None})) == []


def test_each_role_keeps_its_colour_and_mark(result):
    marks = gain_charts.forest(result).to_dict()["layer"][-1]["encoding"]
    for channel, looks in (("color", theme.COLOURS), ("shape", theme.MARKS)):
        scale = marks[channel]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
            role: looks[role] for role in ("baseline", "accepted", "control")
        }


def test_printed_charts_are_plain_svg_in_the_colour_of_their_page(result):
    own = [OwnPoint("run-1", NASTY, 0.43, 0.8, -1.0, 2.6)]
    curve = gain_charts.curve(paper_law(), paper_points(), own=own, name=NASTY)
    for chart in (gain_charts.forest(result), curve):
        svg = theme.printed(chart)
        found = ElementTree.fromstring(svg)
        tags = {element.tag.rpartition("}")[2] for element in found.iter()}
        assert tags <= {"svg", "g", "path", "line", "text", "rect", "tspan"}
        assert "<b>" not in svg
        assert all("href" not in name for element in found.iter() for name in element.attrib)
        texts = [element for element in found.iter() if element.tag.endswith("}text")]
        assert texts
        # the colour of the page; names on the curve a grey that is readable on light and on dark
        assert {element.get("fill") for element in texts} <= {"currentColor", theme.COLOURS["baseline"]}
    assert NASTY in [element.text for element in texts]


def test_what_is_printed_is_drawn_from_the_page_s_own_specification(result):
    svg = theme.printed(gain_charts.forest(result))
    for row in compared(result):
        assert f">{row.name}<" in svg
        assert theme.COLOURS[row.role] in svg
