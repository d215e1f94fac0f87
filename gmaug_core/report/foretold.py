"""What the verdict's four witnesses said before a run, beside what the run measured: each one line."""

from __future__ import annotations

from dataclasses import dataclass

from gmaug_core.method.parts.accuracy import Gain
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import short
from gmaug_core.method.verdict.figures import MEASURE_WORDS
from gmaug_core.method.verdict.result import Verdict
from gmaug_core.numbers import signed
from gmaug_core.report.findings import main_gain


@dataclass(frozen=True)
class Line:
    """One witness. said, measured: in words, with their intervals; agree: whether what was measured lies
    where it was said to, None where that cannot be told."""

    witness: str
    said: str
    measured: str
    agree: bool | None


def lines(verdict: Verdict, result: AugmentationResult) -> list[Line]:
    """What can be seen, what can be gained, what is free, what the law says; all of one dataset.

    The verdict's figures are of validation images, the run's of test images: they may differ by chance too.
    """
    if result.status != "measured":
        return []
    gain = main_gain(result)
    return [
        _seen(verdict, result, gain),
        _ceiling(verdict, result, gain),
        _free(verdict, result),
        _law(verdict, result),
    ]


def _one_measure(verdict: Verdict, result: AugmentationResult) -> bool:
    """Whether the run's gain, which is of accuracy, is in the verdict's measure too: where that is balanced
    accuracy, the classes must have as many test images each."""
    return verdict.measure == "accuracy" or len({row.test for row in result.per_class if row.test}) == 1


def _seen(verdict: Verdict, result: AugmentationResult, gain: Gain) -> Line:
    """A gain that was said to be visible and was not told from nothing speaks against it; a smaller one that
    was told does not: of these fewer are found, not none."""
    said = f"gains from {verdict.seen.smallest:.1f} points on, with {verdict.seen.seeds} seeds"
    if gain.points is None or gain.points_low is None or gain.points_high is None:
        return Line("What can be seen", said, "not told in points", None)
    half = (gain.points_high - gain.points_low) / 2
    visible = abs(gain.points) >= verdict.seen.smallest
    told = gain.verdict in ("better", "worse")
    words = f"{_of_points(gain)}: {'told from nothing' if told else 'not told from nothing'}, ± {half:.1f}"
    if not _one_measure(verdict, result):
        unit = MEASURE_WORDS[verdict.measure]
        return Line("What can be seen", f"{said}, of {unit}", f"{words}, of accuracy", None)
    return Line("What can be seen", said, words, told or not visible)


def _ceiling(verdict: Verdict, result: AugmentationResult, gain: Gain) -> Line:
    head = verdict.headroom
    points, measured = gain.points, _of_points(gain)
    if not _one_measure(verdict, result):
        points = _balanced(result, gain)
        measured = "not told in that" if points is None else f"{signed(points)} points of balanced accuracy"
    unit = f"points of {MEASURE_WORDS[verdict.measure]}"
    if head.at_most is None:
        said = "not projected" if head.gain is None else f"{signed(head.gain.value)} {unit}"
        return Line("What can be gained", said, measured, None)
    said = f"at most {signed(head.at_most)} {unit}"
    within = None if points is None else points <= head.at_most
    return Line("What can be gained", said, measured, within)


def _balanced(result: AugmentationResult, gain: Gain) -> float | None:
    """The same comparison in percentage points of balanced accuracy, of the first generator; None where a
    result has not both sides."""
    after, before = (result.variants.get(key) for key in (gain.of, gain.control))
    if after is None or before is None:
        return None
    return 100 * (after.balanced_accuracy.mean - before.balanced_accuracy.mean)


def _free(verdict: Verdict, result: AugmentationResult) -> Line:
    best = next((found for found in verdict.free.recipes if found.key == verdict.free.best), None)
    if best is None or best.key == "plain":
        return Line("What is free", "no recipe beats plain training", "", None)
    low, high = signed(best.gain.low), signed(best.gain.high)
    said = f"{best.label}: {signed(best.gain.value)} points ({low} to {high})"
    ran = result.variants.get(best.key)
    if ran is None:
        return Line("What is free", said, "this run had no such control", None)
    found, plain = (
        each.balanced_accuracy if verdict.measure == "balanced_accuracy" else each.accuracy
        for each in (ran, result.baseline)
    )
    points = 100 * (found.mean - plain.mean)
    words = f"{short(best.key)}: {signed(points)} points on test images"
    return Line("What is free", said, words, best.gain.low <= points <= best.gain.high)


def _law(verdict: Verdict, result: AugmentationResult) -> Line:
    plain = result.relative_gain_percent
    measured = "none" if plain.value is None else f"{signed(plain.value)} % over plain training"
    if verdict.law is None or verdict.law.predicted is None:
        refused = (
            "not measured" if verdict.law is None else "no prediction: it does not hold for these images"
        )
        return Line("What the law says", refused, measured, None)
    said = verdict.law.predicted
    inside = None if plain.value is None else said.low <= plain.value <= said.high
    return Line(
        "What the law says",
        f"{signed(said.value)} % ({signed(said.low)} to {signed(said.high)})",
        measured,
        inside,
    )


def _of_points(gain: Gain) -> str:
    if gain.points is None or gain.points_low is None or gain.points_high is None:
        return "none" if gain.value is None else f"{signed(gain.value)} %"
    return f"{signed(gain.points)} points ({signed(gain.points_low)} to {signed(gain.points_high)})"
