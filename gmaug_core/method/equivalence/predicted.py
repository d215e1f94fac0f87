"""What a run's synthetic images would add, from an exchange that was measured and a learning curve: they are
turned into real ones, and those read off the curve of the dataset that the run is about. Without torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gmaug_core.method.equivalence.result import Answer, EquivalenceMeasure, ExchangeRow
from gmaug_core.method.verdict.curve import Projected
from gmaug_core.method.verdict.figures import Figure

FURTHER = 1.25  # times the largest measured share of synthetic images that an exchange is taken to go
OTHER_SIZE = 1.5  # times larger or smaller than the measured base: said as a warning


@dataclass(frozen=True)
class Gain:
    """row: the exchange that it rests on, for images as a share of its base; gain: in percentage points, None
    where refused, with the reason; warnings: in words."""

    row: ExchangeRow
    gain: Figure | None
    refused: str | None
    warnings: tuple[str, ...]


def nearest(
    exchange: Sequence[ExchangeRow], measure: EquivalenceMeasure, real: int, synthetic: int
) -> ExchangeRow | None:
    """The row of a generator's images, added, that is most like a run of `synthetic` images beside `real`
    ones: its base nearest in the logarithm, then its share of synthetic images; None where there is none."""
    rows = [
        row
        for row in exchange
        if row.measure == measure and row.source in ("closed", "open") and row.way == "added"
    ]
    if not rows or not real or not synthetic:
        return None
    base = min({row.base for row in rows}, key=lambda each: abs(math.log(each / real)))
    return min(
        (row for row in rows if row.base == base),
        key=lambda row: (abs(math.log(row.synthetic / row.base * real / synthetic)), row.source),
    )


def predicted_gain(
    row: ExchangeRow,
    curve: Callable[[float], Projected],
    *,
    real: int,
    synthetic: int,
    growth: float,
    same_dataset: bool = True,
) -> Gain:
    """What `synthetic` images add to `real` ones, in percentage points of what the learning curve counts.

    row: see nearest; its worth is taken as a share of its synthetic images. curve: what the learning curve of
    real images says of a growth of at least 1; growth: how far these images would lead, were all of them
    real. The interval adds what the exchange and the curve leave open as independent errors.
    """
    warnings = []
    share, measured = synthetic / real, row.synthetic / row.base
    if not same_dataset:
        warnings.append("the exchange was measured on another dataset")
    if abs(math.log(row.base / real)) > math.log(OTHER_SIZE):
        warnings.append(f"the exchange was measured at {row.base:,} real images, not at {real:,}")
    if not measured / FURTHER <= share <= measured * FURTHER:
        said = f"{share:.2g} synthetic images a real one is not what was measured ({measured:.2g})"
        return Gain(row, None, said, tuple(warnings))

    def projected(found: Answer) -> Projected:
        if found.kind == "more":
            return Projected(None, "no number of real images that was measured does as much", None)
        return curve(1 + (found.images or 0.0) / row.synthetic * (growth - 1))

    low, middle, high = projected(row.low), projected(row.real), projected(row.high)
    for end in (middle, high, low):
        if end.gain is None:
            return Gain(row, None, end.refused, tuple(warnings))
    assert low.gain is not None
    assert middle.gain is not None
    assert high.gain is not None
    if row.low.kind == "less":
        warnings.append("it may do harm: the lower end is less than nothing, and told as 0")
    found = middle.gain
    figure = Figure(
        value=found.value,
        low=found.value - math.hypot(found.value - low.gain.value, found.value - found.low),
        high=found.value + math.hypot(high.gain.value - found.value, found.high - found.value),
    )
    return Gain(row, figure, None, tuple(warnings))
