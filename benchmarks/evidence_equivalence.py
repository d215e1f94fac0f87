"""What synthetic images were worth in real ones, from benchmarks/results/equivalence_*.json."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import altair as alt

from benchmarks.evidence_figures import table
from gmaug_core.files import read_json
from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.report import equivalence_charts as charts
from gmaug_core.report import equivalence_findings as findings

RESULTS = Path(__file__).parent / "results"
TRIALS = ("digits", "digits_augmented", "fashion", "fashion_augmented", "flowers", "flowers_augmented")
BESIDES = ("machine", "published_c2", "settings")  # keys of the file that are not the run's document


def equivalence_section() -> str:
    """(d) The exchange, its constants and the sign of the base-size effect; said where it was not "
    "measured."""
    parts = []
    for trial in TRIALS:
        given = _given(trial)
        if given is None:
            parts.append(f"**{trial}**: not measured.\n")
            continue
        parts.append(_trial(trial, *given))
    return "\n".join(parts)


@cache
def equivalence_charts() -> dict[str, alt.LayerChart]:
    """Addition against substitution and the exchange rate, by the name of their file."""
    found: dict[str, alt.LayerChart] = {}
    for trial in TRIALS:
        if (given := _given(trial)) is None:
            continue
        result = given[0]
        ways = charts.ways(result, max(result.bases), result.measure)
        rates = charts.rates(result, result.measure)
        found |= {
            f"results-equivalence-{trial}-{name}.svg": chart
            for name, chart in (("ways", ways), ("rates", rates))
            if chart is not None
        }
    return found


def _given(trial: str) -> tuple[EquivalenceResult, dict[str, Any]] | None:
    path = RESULTS / f"equivalence_{trial}.json"
    if not path.exists():
        return None
    document = read_json(path)
    own = {key: value for key, value in document.items() if key not in BESIDES}
    result = EquivalenceResult.parse({"run": trial, "dataset": trial, **own})
    augment = document["settings"]["classifier"]["augment"]  # the older ones did not keep it
    return result.model_copy(update={"augment": augment}), document


def _trial(trial: str, result: EquivalenceResult, document: dict[str, Any]) -> str:
    published = ", ".join(f"{name} {value}" for name, value in document["published_c2"].items())
    rows = [
        [
            f"{row.base:,}",
            words.SOURCE_WORDS[row.source],
            row.way,
            f"{row.synthetic:,}",
            words.answer(row.real),
            words.interval(row.low, row.high),
            f"{row.gain:+.1f}",
        ]
        for row in result.exchange
        if row.measure == result.measure and row.measured
    ]
    constants = [
        f"- {words.SOURCE_WORDS[form.source]}: c2 {words.constant(form.c2, least='1')} at "
        f"k = {form.k:.0f} (set, not fitted). {words.base_effect(form)} {words.holds(form)}"
        for form in result.published
        if form.measure == result.measure and form.source != "noise"  # worth nothing: there is no form
    ]
    said = findings.substitution(result)
    pictures = [
        f"![{label}](pictures/results-equivalence-{trial}-{name}.svg)\n"
        for name, label in (
            ("rates", "Real images that one synthetic image is worth"),
            ("ways", "Synthetic images added to real ones, and in the place of real ones"),
        )
        if f"results-equivalence-{trial}-{name}.svg" in equivalence_charts()
    ]
    return (
        f"**{result.dataset_name}**, {result.size} px, {len(result.bases)} base sizes, {result.seeds} seeds, "
        f"{result.generators} generators a base, {len(result.cells)} trainings, {result.splits.test:,} test "
        f"images. {result.sentence} {findings.training(result)}\n\n"
        + ("" if said is None else f"{findings.REPLACES_WORDS[said[0]]}: {said[1]}\n\n")
        + "\n".join(constants)
        + f"\n\nPublished c2, by a secondary source: {published}.\n\n"
        + "\n".join(pictures)
        + "\n"
        + table(
            (
                "real images in the base",
                "what",
                "how",
                "synthetic images",
                "worth real ones",
                "95 % interval",
                "points over the base",
            ),
            rows,
        )
    )
