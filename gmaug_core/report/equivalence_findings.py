"""What an equivalence run says beside its table: whether synthetic images replace real ones, the published
form, prices. The same sentences on the page, in the report, on the command line."""

from __future__ import annotations

from typing import Literal

from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.result import EquivalenceMeasure, EquivalenceResult
from gmaug_core.method.equivalence.words import Costs

Replaces = Literal["yes", "no", "unclear"]
REPLACES_WORDS: dict[Replaces, str] = {
    "yes": "Synthetic images can take the place of real ones",
    "no": "Synthetic images do not replace real ones",
    "unclear": "Whether synthetic images replace real ones cannot be told",
}


def substitution(result: EquivalenceResult) -> tuple[Replaces, str] | None:
    """Whether synthetic images can take the place of real ones, and the sentence of the largest base. None
    where it was not measured."""
    rows = [
        row
        for row in result.exchange
        if row.measure == result.measure and row.way == "substituted" and row.measured
    ]
    if not rows:
        return None
    row = max(rows, key=lambda each: (each.base, each.synthetic))
    verdict: Replaces = "unclear"
    if row.low.kind == "more" or (row.low.images or 0) >= row.synthetic:
        verdict = "yes"
    elif row.high.kind == "less" or (row.high.images is not None and row.high.images < row.synthetic):
        verdict = "no"
    return verdict, words.worth(row)


def training(result: EquivalenceResult) -> str:
    """What the classifiers' own augmentation means for the worth of a synthetic image."""
    if result.augment is None:
        return (
            "This older result does not say whether its classifiers were trained with augmentation; the "
            "preset 'small' trained them without it then."
        )
    if result.augment == "none":
        return (
            "The classifiers were trained without augmentation: part of what synthetic images are worth here "
            "may be what flips and crops of the real ones give anyway."
        )
    return (
        f"The classifiers were trained with augmentation ({result.augment}), as in an augmentation run: what "
        "synthetic images are worth comes on top of it."
    )


def published(result: EquivalenceResult, measure: EquivalenceMeasure | None = None) -> list[str]:
    """What the published form says of these measurements, a sentence a source: its constants, whether it
    holds. measure: None for the run's own."""
    return [
        f"{_sentence_case(words.SOURCE_WORDS[form.source])}: c2 {words.constant(form.c2, least='1')}. "
        f"{words.base_effect(form)} {words.holds(form)}"
        for form in result.published
        if form.measure == (measure or result.measure)
    ]


def _sentence_case(said: str) -> str:
    return said[0].upper() + said[1:]


def prices(result: EquivalenceResult, costs: Costs) -> list[str]:
    """What the synthetic images of each base cost, and what the real ones would that they are worth: of the
    amount nearest to the base."""
    found = []
    for base in result.bases:
        own = [row for row in result.exchange if row.base == base]
        row = words.headline(own, result.measure)
        price = None if row is None else words.price(row, result.efforts, costs)
        if price is not None:
            found.append(words.told(price))
    return found
