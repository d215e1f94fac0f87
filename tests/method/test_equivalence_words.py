"""What a person reads of an equivalence, and what it predicts of a run."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.predicted import nearest, predicted_gain
from gmaug_core.method.equivalence.published import LOG_C1, LOG_LOG_C2
from gmaug_core.method.equivalence.result import (
    Answer,
    Constant,
    Effort,
    ExchangeRow,
    LeftOut,
    PublishedForm,
    ReverseRow,
)
from gmaug_core.method.verdict.curve import Projected
from gmaug_core.method.verdict.figures import Figure

LESS, MORE = Answer(kind="less", images=None), Answer(kind="more", images=None)


def number(images: float) -> Answer:
    return Answer(kind="number", images=images)


def row(real=number(340.4), low=number(212), high=number(520), **changes) -> ExchangeRow:  # noqa: B008
    given = {"base": 1000, "source": "closed", "way": "added", "measure": "accuracy", "synthetic": 2000}
    given |= {"measured": True, "extrapolated": False, "gain": 1.0} | changes
    return ExchangeRow(real=real, low=low, high=high, **given)


def back(synthetic=number(2940), low=number(1204), high=number(7000), **changes) -> ReverseRow:  # noqa: B008
    given = {"base": 1000, "source": "closed", "measure": "accuracy", "real": 500, "most": 8000} | changes
    return ReverseRow(synthetic=synthetic, low=low, high=high, **given)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (row(), "2,000 accepted images added to 1,000 real ones are worth 340 [210, 520] real ones."),
        (row(low=LESS), "worth 340 [less than nothing, 520] real ones."),
        (
            row(high=MORE, extrapolated=True),
            "340 [210, more than any number] real ones, read beyond the real",
        ),
        (row(LESS, LESS, LESS), "worth less than nothing: fewer real images would do as well"),
        (row(LESS, LESS, number(94)), "worth nothing that could be seen (94 at most)."),
        (row(MORE, number(900), MORE), "worth at least 900 real ones, and no number is ruled out."),
        (row(MORE, MORE, MORE), "worth more real ones than any number that was measured."),
        (row(MORE, LESS, MORE), "cannot be told: [less than nothing, more than any number]."),
        (
            row(way="substituted"),
            "2,000 accepted images in the place of as many of 1,000 real ones are worth",
        ),
    ],
)
def test_a_row_in_words(found, said):
    assert said in words.worth(found)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (back(), "To match 500 more real images beside 1,000 you would need 2,940 [1,200, 7,000] accepted"),
        (back(high=MORE), "2,940 [1,200, more than the 8,000 that were measured] accepted images."),
        (
            back(MORE, high=MORE),
            "the 8,000 that were measured do not suffice; at least 1,200 would be needed.",
        ),
        (back(MORE, MORE, MORE), "no number would do, up to the 8,000 that were measured."),
    ],
)
def test_the_reverse_in_words(found, said):
    assert said in words.needed(found)


@pytest.mark.parametrize(
    ("images", "said"), [(0, "0"), (7.4, "7"), (94, "94"), (344, "340"), (2944, "2,940"), (71_234, "71,200")]
)
def test_numbers_are_as_exact_as_they_are(images, said):
    assert words.rounded(images) == said


def test_the_answer_begins_with_the_largest_base_and_as_many_images_as_it_has():
    rows = [row(base=base, synthetic=n) for base in (500, 1000) for n in (500, 1100, 8000)]
    assert words.headline(rows, "accuracy") == rows[4]
    said = words.sentence(rows, [back(), back(real=1000)], "accuracy")
    assert said.startswith("1,100 accepted images added to 1,000")
    assert "To match 500 more" in said
    assert words.headline([row(source="noise")], "accuracy") == row(source="noise")
    assert words.sentence([], [], "accuracy") == "No synthetic images were measured."


def effort(**changes) -> Effort:
    given = {"base": 1000, "source": "closed", "generator": 0, "training_seconds": 3_600.0}
    return Effort(**given | {"drawn": 8_000, "accepted": 4_000, "drawing_seconds": 7_200.0} | changes)


def test_the_price_of_both():
    found = words.price(row(), [effort()], words.Costs(real=0.5, hour=10))
    assert found is not None
    assert found.hours == pytest.approx(1 + 2000 * 1.8 / 3600)
    assert found.synthetic == pytest.approx(20)
    assert (found.low, found.real, found.high) == pytest.approx((106, 170.2, 260))
    assert words.told(found).endswith(
        "would cost 170.20 [106.00, 260.00]: synthetic ones are the cheaper way."
    )
    dear = words.price(row(low=LESS, high=number(30)), [effort()], words.Costs(real=0.5, hour=10))
    assert words.told(dear).endswith("real ones are the cheaper way.")
    beyond = words.price(row(MORE, high=MORE), [effort()], words.Costs(real=0.5, hour=10))
    assert "no number of real ones that was measured does as much" in words.told(beyond)
    assert words.price(row(), [effort(base=500), effort(accepted=0)], words.Costs(1, 1)) is None


def form(c1, effect, left=()) -> PublishedForm:
    return PublishedForm(
        source="closed",
        measure="accuracy",
        bases=(500, 1000),
        k=707.1,
        c1=c1,
        c2=Constant(value=2.5, low=2.0, high=None),
        base_effect=effect,
        points_error=0.31,
        points_noise=0.25,
        images_ratio=1.24,
        left_out=left,
    )


def test_the_published_form_in_words():
    assert "One base size" in words.base_effect(form(None, "unclear"))
    grows = words.base_effect(form(Constant(value=1.5, low=1.1, high=None), "more"))
    assert (
        grows
        == "The larger the base, the more synthetic images are needed: c1 1.50 [1.10, no end] a 710 images."
    )
    unclear = words.base_effect(form(Constant(value=0.9, low=None, high=1.3), "unclear"))
    assert "cannot be told: c1 0.90 [0, 1.30]" in unclear
    end = Constant(value=float(np.exp(LOG_C1[1])), low=21.16, high=None)
    assert "c1 unbounded [21.16, no end]" in words.base_effect(form(end, "more")), "it is no 403"
    worthless = Constant(value=float(np.exp(np.exp(LOG_LOG_C2[1]))), low=None, high=None)
    assert words.constant(worthless, least="1") == "unbounded [1, no end]"
    left = (
        LeftOut(base=500, points_error=1.0, images_ratio=1.9),
        LeftOut(base=1000, points_error=1.0, images_ratio=None),
    )
    held = words.holds(form(None, "unclear", left))
    assert "misses the measured accuracies by 0.31 points (their own error is 0.25)" in held
    assert "by a factor of 1.2; a base that it was not fitted to by a factor of up to 1.9." in held


def line(growth: float) -> Projected:
    """A learning curve: 10 points a doubling, known to 1 point; not further than twice."""
    if growth > 2:
        return Projected(None, "further than it was measured", None)
    gain = 10 * (growth - 1)
    return Projected(Figure(value=gain, low=gain - 1, high=gain + 1), None, gain + 1)


def test_a_gain_is_predicted_from_the_exchange_and_the_learning_curve():
    found = predicted_gain(row(), line, real=1000, synthetic=2000, growth=3.0)
    assert found.warnings == ()
    assert found.gain.value == pytest.approx(3.404)
    assert found.gain.low == pytest.approx(3.404 - (1.284**2 + 1) ** 0.5)
    assert found.gain.high == pytest.approx(3.404 + (1.796**2 + 1) ** 0.5)
    # the same share of synthetic images at another size is told with a warning
    larger = predicted_gain(row(), line, real=4000, synthetic=8000, growth=3.0, same_dataset=False)
    assert larger.gain.value == pytest.approx(3.404)
    assert [warning.split(" was ")[0] for warning in larger.warnings] == ["the exchange"] * 2
    # where the curve goes up for the rare classes alone, images are worth the same share of its growth
    rare = predicted_gain(row(), line, real=1000, synthetic=2000, growth=2.0)
    assert rare.gain.value == pytest.approx(1.702)


@pytest.mark.parametrize(
    ("given", "options", "why"),
    [
        (row(), {"synthetic": 9000}, "9 synthetic images a real one is not what was measured (2)"),
        (row(high=MORE), {}, "no number of real images that was measured"),
        (row(high=number(1900)), {"growth": 5.0}, "further than it was measured"),
    ],
)
def test_a_gain_that_cannot_be_predicted_says_why(given, options, why):
    found = predicted_gain(given, line, **{"real": 1000, "synthetic": 2000, "growth": 3.0} | options)
    assert found.gain is None
    assert why in found.refused


def test_harm_is_said_where_it_may_be():
    found = predicted_gain(row(number(10), low=LESS), line, real=1000, synthetic=2000, growth=3.0)
    assert found.gain.low < 0
    assert "it may do harm" in found.warnings[0]


def test_the_nearest_row_is_of_the_nearest_base():
    rows = [row(base=base, synthetic=n * base) for base in (500, 2000) for n in (1, 2, 4)]
    rows += [row(base=1000, source="noise"), row(base=1000, way="substituted")]
    found = nearest(rows, "accuracy", 1500, 3500)
    assert (found.base, found.synthetic) == (2000, 4000)
    assert nearest(rows, "tail_accuracy", 1500, 3500) is None
    assert nearest(rows, "accuracy", 1500, 0) is None


def test_a_constant_without_an_end_is_told_by_its_size():
    assert words.constant(Constant(value=3.9e8, low=2.0, high=None), least="1") == "4e+08 [2.00, no end]"
    assert words.constant(Constant(value=2.53, low=None, high=4679.1), least="1") == "2.53 [1, 4,679]"
