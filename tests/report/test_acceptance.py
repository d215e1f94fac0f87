from gmaug_core.config import SelectionConfig
from gmaug_core.method.parts.synthetic import JudgeFigures, Passed, RealAcceptance
from gmaug_core.report import acceptance
from gmaug_core.scoring import record

RULE = SelectionConfig(mode="logit", threshold=10.0)


def passed(share, n):
    return Passed(share=share, ci_low=share / 2, ci_high=(1 + share) / 2, n=n)


def with_real(result, share):
    names = [row.name for row in result.per_class]
    each = {name: passed(share / (k + 1), 10) for k, name in enumerate(names[:-1])}  # the last has none
    return result.model_copy(
        update={"real_acceptance": RealAcceptance(total=passed(share, 90), per_class=each)}
    )


def test_real_and_synthetic_images_stand_beside_each_other(finished_result):
    result = with_real(finished_result, 0.8)
    table = acceptance.table(result).set_index("class")
    drawn = result.accepted.total + result.rejected.total
    assert table.loc["all", "synthetic images"] == drawn
    assert table.loc["all", "synthetic accepted %"] == 100 * result.accepted.total / drawn
    assert table.loc["all", ["real accepted %", "real low", "real high", "real images"]].tolist() == [
        80,
        40,
        90,
        90,
    ]
    last = result.per_class[-1].name
    short = acceptance.shown(result).set_index("class")
    assert len(short.columns) == 2, "and the class: they find room at 800 px"
    share = 100 * result.accepted.total / drawn
    assert short.loc["all"].tolist() == ["80 (40 to 90) of 90", f"{share:.0f} of {drawn:,}"]
    assert short.loc[last, "real accepted, %"] == "none there"
    assert table.loc[last, "real images"] == 0
    assert (
        table.loc[last, "synthetic images"]
        == result.accepted.per_class[last] + result.rejected.per_class[last]
    )
    said, _ = acceptance.words(result, RULE)
    assert said.startswith("The filter accepts 80% [40%, 90%] of 90 real validation images")
    assert f"{result.accepted.total / drawn:.0%} of {drawn} synthetic ones" in said


def test_a_strict_filter_and_its_judges_are_told(finished_result):
    judge = JudgeFigures(kind="cross_fitted", folds=5, temperatures=(1.234, 0.5))
    result = with_real(finished_result, 0.3).model_copy(update={"judge": judge})
    _, strict, who = acceptance.words(result, RULE)
    assert "more than half of perfect images" in strict
    assert f"of '{result.per_class[-2].name}' it accepts 3%" in strict
    assert "real_share" in strict
    assert who.startswith("Each judge is 5 classifiers")
    assert "1.23, 0.50" in who
    old = result.model_copy(update={"real_acceptance": None})
    assert (acceptance.words(old, RULE), len(acceptance.table(old))) == ([], 0)
    assert acceptance.shown(old).empty


def test_the_filter_of_the_record_is_told_what_it_was_worth_there(finished_result):
    result = with_real(finished_result, 0.8)
    mode, threshold = record.FILTER
    said = acceptance.words(result, SelectionConfig(mode=mode, threshold=threshold))
    assert record.filter_words() in said
    other = acceptance.words(result, SelectionConfig(mode=mode, threshold=threshold / 2))
    assert record.filter_words() not in other


def test_a_share_that_was_asked_for_is_no_test(finished_result):
    """The bounds of real_share are quantiles of the very images that the share is of."""
    asked = SelectionConfig(mode="real_share", threshold=0.9)
    assert "set on these images" in acceptance.words(with_real(finished_result, 0.9), asked)[1]
    strict = " ".join(acceptance.words(with_real(finished_result, 0.3), asked))
    assert acceptance.BOUND in strict
    assert acceptance.REMEDY not in strict, "it is the mode already"
    assert "set on these images" not in " ".join(acceptance.words(with_real(finished_result, 0.9), RULE))
