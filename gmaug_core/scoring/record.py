"""The record of what this program predicts: what the law and the verdict said of every dataset of the
evidence benchmark, and what was measured there. Shown wherever something is predicted.

measured.json beside this module is written by benchmarks/evidence_report.py; docs/results.md has it all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gmaug_core.numbers import signed

FILTER = ("probability", 0.9)  # mode and threshold of the benchmark's selection
Z_95 = 1.96  # half of a 95 % interval in standard errors


@dataclass(frozen=True)
class Measured:
    """One dataset of the benchmark.

    source: the collection of images that it is cut from (two of one collection are not independent);
    score: SSIM-supSubCls, score_se its standard error; predicted: relative gain in percent that
    the law says of it; gain, low, high: over plain training, in percent (the paper's comparison,
    step-matched); counted, counted_low, counted_high: the same by the paper's way of counting (as
    many epochs, the best look at the test images), None where it was not measured; fair, fair_low,
    fair_high: the endpoint (best recipe without a generator, with synthetic images against
    without), in percent of that recipe's accuracy; points, points_low, points_high: the same in
    percentage points of the deciding measure; rivals_low: the least lower end of what they gain over
    the recipes that validation could not tell from the best, in points of accuracy, None where there
    is none or the run did not say; filtered, filtered_low, filtered_high: what keeping the images that
    the filter accepts gained over keeping all, in points of balanced accuracy; headroom: what the
    verdict said that the run would add, were every image a new real one, headroom_se its standard
    error, at_most its upper end, all in the same, None where it refused; enlarged: whether the images
    are smaller than the law's profile, so that the product itself gives no prediction.
    """

    name: str
    score: float
    enlarged: bool
    predicted: float
    predicted_low: float
    predicted_high: float
    gain: float
    low: float
    high: float
    fair: float
    fair_low: float
    fair_high: float
    points: float
    points_low: float
    points_high: float
    at_most: float | None
    headroom: float | None = None
    headroom_se: float = 0.0
    score_se: float = 0.0
    counted: float | None = None
    counted_low: float | None = None
    counted_high: float | None = None
    rivals_low: float | None = None
    filtered: float | None = None
    filtered_low: float | None = None
    filtered_high: float | None = None
    source: str = ""

    @property
    def better(self) -> bool:
        """Whether synthetic images were reliably better than what needs no generator: than the best recipe,
        and than all that may be the best."""
        return self.points_low > 0 and (self.rivals_low is None or self.rivals_low > 0)


@dataclass(frozen=True)
class Tally:
    """How often a prediction was right. held of n cases; error: mean distance to what was measured."""

    held: int
    n: int
    error: float | None = None


@dataclass(frozen=True)
class Judged:
    """A dataset of the benchmark by its filter (FILTER). passed: the share of real validation images that it
    let pass; tested: whether enough synthetic ones passed for anything to be measured."""

    name: str
    passed: float
    tested: bool


@cache
def cells() -> tuple[Measured, ...]:
    """Every dataset that was measured, in the benchmark's order."""
    return tuple(Measured(**row) for row in _shipped()["cells"])


@cache
def judged() -> tuple[Judged, ...]:
    """Every dataset on which the filter was tried, in the benchmark's order."""
    return tuple(Judged(**row) for row in _shipped()["judged"])


def _shipped() -> dict[str, list[dict[str, Any]]]:
    text = (files("gmaug_core") / "scoring" / "measured.json").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = json.loads(text)
    return found


def collections(measured: Sequence[Measured]) -> int:
    """How many collections of images these datasets are cut from."""
    return len({cell.source or cell.name for cell in measured})


def cut_from(datasets: int, sources: int) -> str:
    """' (cut from 7 collections of images)', behind so many datasets; empty where each is one of its own."""
    if sources >= datasets:
        return ""
    return f" (cut from {sources} collection{'' if sources == 1 else 's'} of images)"


def of_law(measured: Sequence[Measured]) -> Tally:
    """Whether the gain over plain training lay in the law's interval; error in percent."""
    held = sum(cell.predicted_low <= cell.gain <= cell.predicted_high for cell in measured)
    off = [abs(cell.predicted - cell.gain) for cell in measured]
    return Tally(held, len(measured), math.fsum(off) / len(off) if off else None)


def of_verdict(measured: Sequence[Measured]) -> Tally:
    """Whether the endpoint stayed under the upper end of the headroom, where there was one."""
    told = [cell for cell in measured if cell.at_most is not None]
    held = sum(cell.points <= cell.at_most for cell in told if cell.at_most is not None)
    return Tally(held, len(told))


def helped(measured: Sequence[Measured]) -> Tally:
    """Where synthetic images on top of the best recipe were reliably better than what needs no generator."""
    return Tally(sum(cell.better for cell in measured), len(measured))


@dataclass(frozen=True)
class Filtered:
    """What the filter was worth over n datasets, cut from so many collections: in how many keeping what it
    accepts was reliably better and worse than keeping all; mean: its points."""

    better: int
    worse: int
    n: int
    mean: float
    collections: int


def of_filter(measured: Sequence[Measured]) -> Filtered | None:
    """What the filter of the benchmark (FILTER) was worth; None where it was not measured."""
    of = [cell for cell in measured if cell.filtered is not None]
    found = [
        (cell.filtered, cell.filtered_low, cell.filtered_high)
        for cell in of
        if cell.filtered is not None and cell.filtered_low is not None and cell.filtered_high is not None
    ]
    if not found:
        return None
    return Filtered(
        better=sum(low > 0 for _, low, _ in found),
        worse=sum(high < 0 for _, _, high in found),
        n=len(found),
        mean=math.fsum(at for at, _, _ in found) / len(found),
        collections=collections(of),
    )


def filter_words(measured: Sequence[Measured] | None = None) -> str:
    """The same in a sentence; empty where nothing was measured."""
    found = of_filter(cells() if measured is None else measured)
    if found is None:
        return ""
    mean = signed(found.mean, "points", 1)
    return (
        f"On {found.n} datasets of this program's own record{cut_from(found.n, found.collections)} such a "
        f"filter was reliably better than keeping every image in {found.better} and reliably worse in "
        f"{found.worse}: {mean} on average. The mode 'none' (selection.mode) keeps every image."
    )


def strict_words(passed: float, known: Sequence[Judged] | None = None) -> str:
    """What became of runs whose filter let as few real images pass as this share, in a sentence; empty where
    one that let as few pass could be measured, or none was tried."""
    known = judged() if known is None else known
    least = min((each.passed for each in known if each.tested), default=0.0)
    below = [each for each in known if each.passed < least]
    if passed >= least or not below:
        return ""
    n = sum(each.tested for each in known)
    return (
        f"On the {n} datasets of this program's own record that could be measured a filter let at least "
        f"{int(100 * least)}% of real images pass; on the {len(below)} where it let fewer pass, too few "
        "synthetic ones were accepted to say anything."
    )


def words(measured: Sequence[Measured] | None = None) -> str:
    """The record in sentences."""
    known = cells() if measured is None else measured
    if not known:
        return "This program's own record: nothing was measured yet."
    law, verdict, better = of_law(known), of_verdict(known), helped(known)
    said = [
        f"This program's own record on {law.n} dataset{'' if law.n == 1 else 's'} at 16 to 32 px"
        f"{cut_from(law.n, collections(known))}: the law's prediction was off by {law.error:.1f} points of "
        f"relative gain on average, and its interval held the measured gain in {law.held} of {law.n}."
    ]
    if verdict.n:
        said.append(f"The verdict's upper end held in {verdict.held} of {verdict.n}.")
    said.append(
        f"Synthetic images reliably improved the best recipe without a generator in {better.held} of "
        f"{better.n}."
    )
    return " ".join(said)
