"""Findings: no bolder than the interval, signs said, one table shown four ways, no cell a formula."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from gmaug_core.method.result import AugmentationResult
from gmaug_core.numbers import signed
from gmaug_core.report import findings


@pytest.fixture
def result(finished_result):
    return finished_result


def with_gain(result: AugmentationResult, value: float, low: float, high: float, *, over: dict[str, float]):
    """The result with another gain over the baseline. over: low ends over controls."""
    document = result.to_dict()
    for key, gain in document["gains"].items():
        gain |= {"value": 20.0, "ci_low": over.get(key, 10.0), "ci_high": 30.0}
    document["gains"]["baseline"] |= {"value": value, "ci_low": low, "ci_high": high}
    document["relative_gain_percent"] |= {"value": value, "ci_low": low, "ci_high": high}
    return AugmentationResult.parse(document)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 3.0, "better"),
        (-3.0, -0.1, "worse"),
        (-1.0, 2.0, "no difference seen"),
        (0.0, 0.0, "no difference seen"),
    ],
)
def test_the_headline_is_only_as_bold_as_the_interval(result, low, high, verdict):
    found, sentence = findings.headline(with_gain(result, (low + high) / 2, low, high, over={}))
    assert found == verdict
    assert "3 seeds, 500 test images" in sentence


def test_a_gain_that_oversampling_gives_too_is_not_called_better(result):
    close = with_gain(result, 25.0, 12.0, 40.0, over={"oversampling": -0.1})
    found, sentence = findings.headline(close)
    assert found == "no better than simpler ways"
    assert "not reliably better than oversampling" in sentence
    assert findings.headline(with_gain(result, 25.0, 12.0, 40.0, over={"oversampling": 0.1}))[0] == "better"
    generated = with_gain(result, 25.0, 12.0, 40.0, over={"unfiltered": -0.1})
    assert findings.headline(generated)[0] == "better", "a control with a generator is no simpler way"


def changed(result, **keys):
    return AugmentationResult.parse(result.to_dict() | keys)


def test_what_was_not_tested_is_said_first_and_compared_with_nothing(result):
    words = "The filter accepted nothing: 9 0 of 40."
    found = changed(result, status="not tested", status_words=words)
    verdict, sentence = findings.headline(found)
    assert verdict == "not tested"
    assert sentence == f"Synthetic images were not tested. {words}"
    assert "nothing was measured" in findings.comparison(found)
    assert "measured was" not in findings.comparison(found)
    assert findings.against_controls(found) == []
    assert all(row["augmented gains over it, %"] == "" for row in findings.variants_words(found))


def test_one_seed_decides_nothing(result):
    document = with_gain(result, 25.0, 12.0, 40.0, over={}).to_dict()
    for gain in (document["relative_gain_percent"], *document["gains"].values()):
        gain |= {"n_seeds": 1, "values": gain["values"][:1], "covers": "images"}
    verdict, sentence = findings.headline(found := AugmentationResult.parse(document))
    assert verdict == "one seed"
    assert sentence.startswith("One seed decides nothing: relative gain +25.00 %")
    assert "over the test images alone; 1 seed, 500 test images" in sentence
    assert all(said.startswith("With one seed, undecided") for said in findings.against_controls(found))


def test_the_comparison_fixed_beforehand_comes_first_and_the_papers_beside_it(result):
    document = with_gain(result, 25.0, 12.0, 40.0, over={}).to_dict()
    endpoint = document["gains"]["class_balanced_loss"] | {"value": 0.4, "ci_low": -1.0, "ci_high": 1.8}
    found = changed(
        AugmentationResult.parse(document), endpoint=endpoint, endpoint_recipe="class_balanced_loss"
    )
    verdict, sentence = findings.headline(found)
    assert verdict == "no difference seen"
    assert "+0.40 % against the best recipe without a generator (class-balanced loss) alone" in sentence
    beside = findings.comparison(found)
    assert beside.startswith("The paper's comparison, against plain training: +25.00 %")
    assert "; better)" in beside


def test_better_than_a_recipe_that_may_not_be_the_best_is_not_called_better(result):
    document = result.to_dict()
    over = {"points": 1.4, "points_low": 0.1, "points_high": 2.7}
    endpoint = document["gains"]["oversampling"] | over
    found = changed(result, endpoint=endpoint, endpoint_recipe="oversampling", rivals={})
    assert findings.headline(found)[0] == "better"
    rival = document["gains"]["class_balanced_loss"] | over
    beaten = changed(found, rivals={"class_balanced_loss": rival})
    assert findings.headline(beaten)[0] == "better"
    verdict, sentence = findings.headline(
        changed(found, rivals={"baseline": rival, "class_balanced_loss": rival | {"points_low": -0.2}})
    )
    assert verdict == "no better than simpler ways"
    assert sentence.endswith(
        "But it is not reliably better than class-balanced loss (+1.40 points, \N{MINUS SIGN}0.20 to +2.70), "
        "which needs no generator and may be the best recipe as well: validation could not tell."
    )
    same = dict.fromkeys(("baseline", "class_balanced_loss"), rival | {"points_low": -0.2})
    _, sentence = findings.headline(changed(found, rivals=same))
    assert "than baseline or class-balanced loss (+1.40 points" in sentence
    assert ", which need no generator" in sentence


def test_a_recall_comes_with_its_interval_and_none_is_not_0(result):
    document = result.to_dict()
    first, second = document["per_class"][:2]
    first |= {"test": 7, "baseline": 1.0, "intervals": {"baseline": [0.646, 1.0]}}
    second |= {"test": 0, "baseline": None}
    rows = AugmentationResult.parse(document).per_class
    assert findings.recall_words(rows[0], "baseline") == "100.0 (64.6 to 100.0)"
    assert findings.recall_words(rows[1], "baseline") == "not tested"
    assert findings.recall_words(rows[0], "unknown") == ""
    assert findings.points(rows[1], "augmented") is None
    table = findings.per_class_table(AugmentationResult.parse(document))
    assert "intervals" not in table.columns
    assert table.set_index("class").loc[rows[0].name, "baseline low"] == 0.646


def test_predicted_and_measured_are_said_with_their_signs(result):
    document = with_gain(result, -1.25, -2.0, 0.0, over={}).to_dict()
    document["predicted"] |= {"gain_percent": 0.5, "low": -5.0, "high": 6.0}
    said = findings.comparison(AugmentationResult.parse(document))
    assert "+0.50 %" in said
    assert "−1.25 %" in said
    assert "−1.75 percentage points" in said
    assert "inside" in said


def test_a_gain_without_a_value_is_said_and_has_no_cell(result):
    document = result.to_dict()
    for gain in (document["relative_gain_percent"], document["gains"]["baseline"]):
        gain |= {"value": None, "ci_low": None, "ci_high": None, "values": []}
    found = AugmentationResult.parse(document)
    assert findings.headline(found)[0] == "no difference seen"
    assert "no prediction to compare with" in findings.comparison(found)
    assert findings.variants_words(found)[0]["augmented gains over it, %"] == ""


def test_the_table_in_words_says_what_the_table_in_numbers_says(result):
    words, numbers = findings.variants_words(result), findings.variants_table(result)
    assert [row["variant"] for row in words] == list(numbers["variant"])
    for row, (_, number) in zip(words, numbers.iterrows(), strict=True):
        assert row["accuracy, %"].startswith(
            f"{number['accuracy %']:.2f} ({number['accuracy % low']:.2f} to "
        )
        gain = number["augmented gains over it %"]
        assert row["augmented gains over it, %"].startswith("" if pd.isna(gain) else signed(gain))
        assert row["test images"] == f"{number['test images']:,}"


def test_every_figure_of_quality_comes_with_its_n(result):
    found = {figure.key: figure for figure in findings.quality_figures(result)}
    assert found["kid"].value == result.quality.kid
    assert "320 synthetic" in found["kid"].n
    assert found["real_vs_synthetic_auc"].n == "241 of each"
    assert "fid" not in found


def test_csv_cells_are_not_formulas():
    text = findings.to_csv(pd.DataFrame({"class": ["=1+1", "rose"], "n": [-1, 2]}))
    assert "'=1+1" in text
    assert re.search(r"^rose,2$", text, re.MULTILINE)
    assert ",-1" in text


def test_what_reweighting_alone_explains_is_what_replay_gains(result):
    assert findings.explained(result) == [], "this run has no replay"
    whole = result.gains["baseline"].model_copy(update={"points": 2.0, "points_low": 1.0, "points_high": 3.0})
    rest = whole.model_copy(update={"control": "real_replay", "points": 0.5, "points_low": -0.7})
    both = result.model_copy(update={"gains": {"baseline": whole, "real_replay": rest}})
    (said,) = findings.explained(both)
    assert said.startswith("Of +2.00 points over plain training")
    assert "(real replay) gives +1.50, 75% of it; the images themselves +0.50 [−0.70, +3.00]." in said
    assert findings.explained(both.model_copy(update={"status": "not tested"})) == []


def test_what_replay_explains_is_of_the_generator_that_replay_is_of(result):
    """The gain over plain training is a mean over generators, that over replay is of the first one."""
    first = 100 * (result.augmented.accuracy.mean - result.baseline.accuracy.mean)
    whole = result.gains["baseline"].model_copy(
        update={"points": first + 5, "points_low": first + 4, "points_high": first + 6, "generators": 3}
    )
    rest = whole.model_copy(update={"control": "real_replay", "points": first - 1.5, "generators": 1})
    (said,) = findings.explained(
        result.model_copy(update={"gains": {"baseline": whole, "real_replay": rest}})
    )
    assert said.startswith(f"Of {signed(first)} points over plain training of the first generator's images")
    assert "(real replay) gives +1.50" in said, "the other generators' luck is no re-weighting"


def test_an_interval_of_one_seed_is_not_called_one_over_seeds(result):
    assert findings.covered(result) == f"{len(result.seeds)} seeds and test images"
    single = result.baseline.accuracy.model_copy(update={"values": result.baseline.accuracy.values[:1]})
    baseline = result.baseline.model_copy(update={"accuracy": single})
    assert "test images alone" in findings.covered(result.model_copy(update={"baseline": baseline}))
