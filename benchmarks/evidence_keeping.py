"""Which of several ways of keeping samples won, from benchmarks/results/keeping/*.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import CELLS
from benchmarks.evidence_figures import interval, table
from benchmarks.keeping import RESULTS, WAYS
from gmaug_core.files import read_json


def keeping_section() -> str:
    """What each way kept of the same images, and what a classifier made of them; says so where it was not
    measured."""
    known = [read_json(path) for cell in CELLS if (path := RESULTS / f"{cell.name}.json").exists()]
    if not known:
        return "One filter was run: which of several is best is not measured.\n"
    rows = [
        [
            each["cell"],
            way,
            f"{found['accepted']:,} of {found['offered']:,}",
            "" if found["validation"] is None else f"{100 * found['validation']:.1f}",
            f"{100 * found['test']['mean']:.1f}",
            f"{100 * found['balanced']['mean']:.1f}",
            _points(found["over_real_alone"]),
            _points(found["over_keeping_all"]),
        ]
        for each in known
        for way in WAYS
        if (found := each["ways"].get(way))
    ]
    wins = "; ".join(_won(way, known) for way in WAYS)
    return (
        f"The same drawn images of {len(known)} cells, kept in several ways, without another choice "
        f"(`python -m benchmarks.keeping`). Reliably better / worse than keeping all: {wins}.\n\n"
        + table(
            (
                "cell",
                "kept",
                "accepted",
                "validation accuracy, %",
                "test accuracy, %",
                "balanced, %",
                "over real images alone, points",
                "over keeping all, points",
            ),
            rows,
        )
    )


def _won(way: str, known: list[dict[str, Any]]) -> str:
    said = [(each["ways"].get(way) or {}).get("over_keeping_all") or {} for each in known]
    counts = [sum(found.get("says") == word for found in said) for word in ("better", "worse")]
    return f"{way} {counts[0]} / {counts[1]}"


def _points(found: Mapping[str, Any] | None) -> str:
    return "not tested" if found is None else interval(found["points"], found["low"], found["high"])
