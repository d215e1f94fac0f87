"""What a person reads of an equivalence. Pure: parts of the document in, words out; no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gmaug_core.method.equivalence.published import LOG_C1, LOG_LOG_C2, SEARCHED
from gmaug_core.method.equivalence.result import (
    Answer,
    Constant,
    Effort,
    EquivalenceMeasure,
    ExchangeRow,
    PublishedForm,
    ReverseRow,
    Source,
)

SOURCE_WORDS: dict[Source, str] = {
    "none": "the base alone",
    "real": "real images",
    "closed": "synthetic images of a generator that saw the base alone",
    "open": "synthetic images of a generator that saw other images too",
    "folder": "images made elsewhere",
    "noise": "plain noise",
    "disguised": "real images passed off as synthetic",
}
WORTHLESS = "fewer real images would do as well as the base"
HOUR_S = 3600
LARGE = 100  # a constant from which on decimals say nothing
MOST_C1, MOST_C2 = math.exp(LOG_C1[1]), math.exp(math.exp(LOG_LOG_C2[1]))
LEGIBLE = 1e5  # a constant from here on is told by its size alone


def rounded(images: float) -> str:
    """To two digits, from 1,000 on to three: '340', '2,940'; below 10 as a whole number."""
    digits = 3 if images >= 1_000 else 2
    size = len(str(int(images)))
    unit = 10 ** max(size - digits, 0)
    return f"{round(images / unit) * unit:,}"


def answer(found: Answer) -> str:
    """'340', 'less than nothing', 'more than any number'."""
    if found.images is not None:
        return rounded(found.images)
    return "less than nothing" if found.kind == "less" else "more than any number"


def interval(low: Answer, high: Answer) -> str:
    """'[210, 520]', ends in words where they are no numbers."""
    return f"[{answer(low)}, {answer(high)}]"


def worth(row: ExchangeRow) -> str:
    """What a row says, as a sentence."""
    if row.way == "added":
        subject = f"{row.synthetic:,} {_short(row.source)} added to {row.base:,} real ones"
    else:
        subject = f"{row.synthetic:,} {_short(row.source)} in the place of as many of {row.base:,} real ones"
    beyond = ", read beyond the real images that were measured" if row.extrapolated else ""
    if row.high.kind == "less":
        return f"{subject} are worth less than nothing: {WORTHLESS}."
    if row.low.kind == "more":
        return f"{subject} are worth more real ones than any number that was measured."
    if row.real.kind == "less":
        high = "any number may not be ruled out" if row.high.kind == "more" else f"{answer(row.high)} at most"
        return f"{subject} are worth nothing that could be seen ({high})."
    if row.real.kind == "more":
        return (
            f"{subject} are worth at least {answer(row.low)} real ones, and no number is ruled out{beyond}."
            if row.low.kind == "number"
            else f"What {subject} are worth cannot be told: {interval(row.low, row.high)}."
        )
    return f"{subject} are worth {answer(row.real)} {interval(row.low, row.high)} real ones{beyond}."


def needed(row: ReverseRow) -> str:
    """How many synthetic images a number of real ones takes, as a sentence."""
    subject = f"To match {row.real:,} more real images beside {row.base:,}"
    measured = f"the {row.most:,} that were measured"
    if row.low.kind == "more":
        return f"{subject}, no number would do, up to {measured}."
    if row.synthetic.kind == "more":
        least = f"; at least {answer(row.low)} would be needed" if row.low.images else ""
        return f"{subject}, {measured} do not suffice{least}."
    high = f"more than {measured}" if row.high.kind == "more" else answer(row.high)
    return (
        f"{subject} you would need {answer(row.synthetic)} [{answer(row.low)}, {high}] {_short(row.source)}."
    )


def constant(found: Constant, *, least: str) -> str:
    """A constant of the published form with its interval; least: what it cannot be below ('1' of c2, '0' of
    c1). One that lies where the search for it ends is no number."""
    most = MOST_C1 if least == "0" else MOST_C2

    def shown(number: float) -> str:  # a search that found no end comes back with any number of digits
        if number * SEARCHED >= most:
            return "unbounded"
        if number < LARGE:
            return f"{number:.2f}"
        return f"{number:,.0f}" if number < LEGIBLE else f"{number:.0e}"

    low = least if found.low is None else shown(found.low)
    high = "no end" if found.high is None else shown(found.high)
    return f"{shown(found.value)} [{low}, {high}]"


def base_effect(form: PublishedForm) -> str:
    """Whether synthetic images are worth more or less where there are more real ones, as a sentence."""
    if form.c1 is None:
        return "One base size says nothing of how the exchange changes with it."
    ends = f"c1 {constant(form.c1, least='0')} a {rounded(form.k)} images"
    if form.base_effect == "unclear":
        return f"Whether a larger base needs more or fewer synthetic images cannot be told: {ends}."
    return f"The larger the base, the {form.base_effect} synthetic images are needed: {ends}."


def holds(form: PublishedForm) -> str:
    """How well the published form describes these measurements, as a sentence."""
    told = f"It misses the measured accuracies by {form.points_error:.2f} points (their own error is "
    told += f"{form.points_noise:.2f})"
    if form.images_ratio is not None:
        told += f" and the direct exchange by a factor of {form.images_ratio:.1f}"
    factors = [left.images_ratio for left in form.left_out if left.images_ratio is not None]
    if factors:
        told += f"; a base that it was not fitted to by a factor of up to {max(factors):.1f}"
    return f"{told}."


def headline(exchange: Sequence[ExchangeRow], measure: EquivalenceMeasure) -> ExchangeRow | None:
    """The row to begin with: images added to the largest base, about as many as it has; those of a generator
    before images made elsewhere."""
    rows = [row for row in exchange if row.measure == measure and row.way == "added" and row.measured]
    order: tuple[Source, ...] = ("closed", "open", "folder", "noise", "disguised")
    for source in order:
        if own := [row for row in rows if row.source == source]:
            base = max(row.base for row in own)
            return min(
                (row for row in own if row.base == base),
                key=lambda row: abs(row.synthetic / row.base - 1),
            )
    return None


def sentence(
    exchange: Sequence[ExchangeRow], reverse: Sequence[ReverseRow], measure: EquivalenceMeasure
) -> str:
    """The answer: what about as many synthetic images as there are real ones are worth, and what it takes to
    match half as many more real ones."""
    row = headline(exchange, measure)
    if row is None:
        return "No synthetic images were measured."
    back = [
        each for each in reverse if (each.measure, each.source, each.base) == (measure, row.source, row.base)
    ]
    if not back:
        return worth(row)
    half = min(back, key=lambda each: abs(each.real / each.base - 0.5))
    return f"{worth(row)} {needed(half)}"


@dataclass(frozen=True)
class Costs:
    """What a user says, in any unit of money: of one real image collected and labelled, and of an hour of the
    machine that makes synthetic ones."""

    real: float
    hour: float


@dataclass(frozen=True)
class Price:
    """synthetic: of the synthetic images; low, real, high: of the real ones that they are worth, None where
    that is no number."""

    row: ExchangeRow
    hours: float
    synthetic: float
    low: float | None
    real: float | None
    high: float | None


def price(row: ExchangeRow, efforts: Sequence[Effort], costs: Costs) -> Price | None:
    """Of the synthetic images of a row, the generator's training with them, against the real ones that they
    are worth. None where it was not measured what they took."""
    own = [each for each in efforts if (each.base, each.source) == (row.base, row.source) and each.accepted]
    if not own:
        return None
    training = sum(each.training_seconds for each in own) / len(own)
    each_image = sum(each.drawing_seconds for each in own) / sum(each.accepted for each in own)
    hours = (training + row.synthetic * each_image) / HOUR_S

    def cost(found: Answer) -> float | None:
        if found.kind == "less":
            return 0.0
        return None if found.images is None else found.images * costs.real

    return Price(row, hours, hours * costs.hour, cost(row.low), cost(row.real), cost(row.high))


def told(found: Price) -> str:
    """The price of both, as a sentence."""
    made = f"{found.row.synthetic:,} {_short(found.row.source)} cost {found.synthetic:,.2f} "
    made += f"({found.hours:.2g} hours)"
    if found.real is None:
        return f"{made}; no number of real ones that was measured does as much."
    low = "0" if found.low is None else f"{found.low:,.2f}"
    high = "no end" if found.high is None else f"{found.high:,.2f}"
    said = f"{made}; the real ones that they are worth would cost {found.real:,.2f} [{low}, {high}]"
    if found.low is not None and found.low > found.synthetic:
        return f"{said}: synthetic ones are the cheaper way."
    if found.high is not None and found.high < found.synthetic:
        return f"{said}: real ones are the cheaper way."
    return f"{said}: which is cheaper cannot be told."


def _short(source: Source) -> str:
    return {"closed": "accepted images", "open": "open-set images", "noise": "images of noise"}.get(
        source, SOURCE_WORDS[source]
    )
