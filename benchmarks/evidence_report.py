"""docs/results.md and the product's record, from the cells that were measured.

    python -m benchmarks.evidence_report

Reads benchmarks/results/evidence/*.json; every number below comes from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.cells import CELLS
from gmaug_core.files import read_json, write_bytes, write_json
from gmaug_core.method.statistics import wilson
from gmaug_core.method.variants import short
from gmaug_core.scoring import record
from gmaug_core.scoring.advice import ENLARGED_SHARE
from gmaug_core.scoring.paper import paper_law
from gmaug_core.scoring.record import Measured

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "evidence"
PAGE = ROOT / "docs" / "results.md"
SHIPPED = ROOT / "gmaug_core" / "scoring" / "measured.json"
RESAMPLES = 2000
NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Seen:
    """A cell's document, and the figures that every table needs."""

    document: dict[str, Any]
    measured: Measured | None  # None: synthetic images were not tested

    @property
    def name(self) -> str:
        return str(self.document["cell"])

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["result"]
        return found


def cells() -> list[Seen]:
    """All that were measured, in the benchmark's order."""
    found = []
    for cell in CELLS:
        path = RESULTS / f"{cell.name}.json"
        if path.exists():
            document = read_json(path)
            found.append(Seen(document, _measured(document)))
    return found


def _measured(document: dict[str, Any]) -> Measured | None:
    result, verdict = document["result"], document["verdict"]
    endpoint, paper = result.get("endpoint"), result["relative_gain_percent"]
    if result["status"] == NOT_TESTED or endpoint is None:
        return None
    score = result["score"]
    x = score["ssim_supsubcls"]["value"]
    predicted, low, high = paper_law().predict(x)
    points = _points(result, endpoint, verdict["measure"])
    stored = score.get("stored")
    return Measured(
        name=document["cell"],
        score=x,
        enlarged=bool(stored and stored["enlarged"] > ENLARGED_SHARE),
        predicted=predicted,
        predicted_low=low,
        predicted_high=high,
        gain=paper["value"],
        low=paper["ci_low"],
        high=paper["ci_high"],
        fair=endpoint["value"],
        fair_low=endpoint["ci_low"],
        fair_high=endpoint["ci_high"],
        points=points[0],
        points_low=points[1],
        points_high=points[2],
        at_most=verdict["headroom"]["at_most"],
    )


def _points(result: dict[str, Any], endpoint: dict[str, Any], measure: str) -> tuple[float, float, float]:
    """The endpoint in percentage points of the verdict's measure: the run's own interval for accuracy; for
    balanced accuracy the difference of its values by seed, with the width that the run found for accuracy
    where that is the larger."""
    if measure == "accuracy":
        return endpoint["points"], endpoint["points_low"], endpoint["points_high"]
    variants = {"baseline": result["baseline"], "augmented": result["augmented"], **result["controls"]}
    a, c = (
        np.array(variants[key]["balanced_accuracy"]["values"])
        for key in (endpoint["of"], endpoint["control"])
    )
    difference = 100 * (a - c)
    mean = float(difference.mean())
    own = float(stats.t.ppf(0.975, len(a) - 1) * difference.std(ddof=1) / len(a) ** 0.5)
    half = max(own, (endpoint["points_high"] - endpoint["points_low"]) / 2)
    return mean, mean - half, mean + half


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(value) for value in line) + " |" for line in lines) + "\n"


def share(held: int, n: int) -> str:
    """'7 of 9 (78 %; 95 % interval 45 to 94)'."""
    if n == 0:
        return "no case"
    found = wilson(held / n, n)
    low, high = 100 * found.low, 100 * found.high
    return f"{held} of {n} ({100 * held / n:.0f} %; 95 % interval {low:.0f} to {high:.0f})"


def rank(x: Sequence[float], y: Sequence[float]) -> str:
    """Spearman's correlation with a bootstrap interval over cells."""
    if len(x) < 4:
        return f"not computed of {len(x)} cells"
    rng = np.random.default_rng(0)
    a, b = np.array(x), np.array(y)
    value = float(stats.spearmanr(a, b).statistic)
    drawn = [rng.integers(len(a), size=len(a)) for _ in range(RESAMPLES)]
    found = [stats.spearmanr(a[i], b[i]).statistic for i in drawn if len({*a[i]}) > 1 and len({*b[i]}) > 1]
    low, high = np.quantile(found, (0.025, 0.975))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def interval(value: float, low: float, high: float) -> str:
    """'+1.2 [-0.3, +2.7]'."""
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def law_section(seen: list[Seen]) -> str:
    """(a) Does the law's prediction hold?"""
    known = [each.measured for each in seen if each.measured]
    own = [m for m in known if not m.enlarged]
    said = []
    for name, group in (("all cells", known), ("images of 128 px or more", own)):
        tally = record.of_law(group)
        fair = sum(m.predicted_low <= m.fair <= m.predicted_high for m in group)
        if tally.error is None:
            continue
        said.append(
            [
                name,
                tally.n,
                f"{tally.error:.1f}",
                share(tally.held, tally.n),
                share(fair, tally.n),
                rank([m.score for m in group], [m.gain for m in group]),
                rank([m.score for m in group], [m.points for m in group]),
            ]
        )
    head = table(
        (
            "cells",
            "n",
            "mean error, % of relative gain",
            "interval holds the gain over plain training",
            "interval holds the endpoint",
            "rank correlation of score and gain over plain training",
            "of score and endpoint",
        ),
        said,
    )
    rows = [
        [
            m.name,
            f"{m.score:.3f}" + (" (enlarged)" if m.enlarged else ""),
            interval(m.predicted, m.predicted_low, m.predicted_high),
            interval(m.gain, m.low, m.high),
            interval(m.points, m.points_low, m.points_high),
        ]
        for m in known
    ]
    return (
        head
        + "\n"
        + table(("cell", "SSIM-supSubCls", "law, %", "gain over plain training, %", "endpoint, points"), rows)
    )


def verdict_section(seen: list[Seen]) -> str:
    """(b) Does the verdict hold, and what would have been lost by following it?"""
    known = [(each, each.measured) for each in seen if each.measured]
    tally = record.of_verdict([m for _, m in known])
    rows = [
        [
            each.name,
            each.document["verdict"]["key"].replace("_", " "),
            "refused" if m.at_most is None else f"{m.at_most:.1f}",
            interval(m.points, m.points_low, m.points_high),
            f"{each.document['verdict']['seen']['smallest']:.1f}",
            "" if m.at_most is None else ("yes" if m.points <= m.at_most else "**no**"),
        ]
        for each, m in known
    ]
    runs = {"small_run", "full_run"}
    rules: dict[str, Callable[[Seen, Measured], bool]] = {
        "always": lambda _, __: True,
        "never": lambda _, __: False,
        "the verdict (worth a run)": lambda each, _: each.document["verdict"]["key"] in runs,
        "the law (prediction above zero)": lambda _, m: m.predicted_low > 0,
    }
    regrets = []
    for name, rule in rules.items():
        chosen = [(each, m) for each, m in known if rule(each, m)]
        gained = sum(m.points for _, m in chosen)
        best = sum(max(m.points, 0.0) for _, m in known)
        spent = sum(each.document["costs"]["augmentation"]["cpu_minutes"] for each, _ in chosen)
        mean = (best - gained) / max(len(known), 1)
        regrets.append([name, f"{len(chosen)} of {len(known)}", f"{mean:.2f}", f"{spent:.0f}"])
    return (
        f"The endpoint stayed at or under the upper end of the verdict's headroom in "
        f"{share(tally.held, tally.n)}.\n\n"
        + table(("cell", "verdict", "at most, points", "endpoint, points", "smallest visible", "held"), rows)
        + "\nWhat a rule would have lost against knowing the endpoint beforehand (a run wherever it is above "
        "zero):\n\n" + table(("rule", "runs started", "regret, points a cell", "CPU minutes spent"), regrets)
    )


def where_section(seen: list[Seen]) -> str:
    """(c) Where does generation beat the best control?"""
    known = [(each, each.measured) for each in seen if each.measured]
    better = [each.name for each, m in known if m.points_low > 0]
    worse = [each.name for each, m in known if m.points_high < 0]
    properties: dict[str, Callable[[Seen], float]] = {
        "imbalance (largest over smallest class)": lambda e: (
            max(e.result["train_counts"]) / max(min(e.result["train_counts"]), 1)
        ),
        "training images": lambda e: sum(e.result["train_counts"]),
        "accuracy of plain training": lambda e: e.result["baseline"]["accuracy"]["mean"],
        "accepted share of draws": lambda e: (
            e.result["accepted"] / max(e.result["accepted"] + e.result["rejected"], 1)
        ),
        "SSIM-supSubCls": lambda e: e.result["score"]["ssim_supsubcls"]["value"],
    }
    rows = [
        [name, rank([of(each) for each, _ in known], [m.points for _, m in known])]
        for name, of in properties.items()
    ]
    return (
        f"Reliably better than the best control: {_names(better)}. Reliably worse: {_names(worse)}. "
        f"No reliable difference: {len(known) - len(better) - len(worse)} of {len(known)}.\n\n"
        + table(("property of the cell", "rank correlation with the endpoint"), rows)
    )


def _names(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names)})" if names else "none"


def choice_section(seen: list[Seen]) -> str:
    """(e, f) Filter, use, and what the gain is made of."""
    rows = []
    for each in seen:
        result = each.result
        base = result["baseline"]["accuracy"]["mean"]
        recipe = result.get("endpoint_recipe") or "plain"
        control = result["baseline"] if recipe == "plain" else result["controls"][recipe]
        unfiltered = result["controls"].get("unfiltered")
        rows.append(
            [
                each.name,
                f"{100 * base:.1f}",
                f"{short(recipe)} {100 * (control['accuracy']['mean'] - base):+.1f}",
                f"{100 * (result['augmented']['accuracy']['mean'] - base):+.1f}",
                "" if unfiltered is None else f"{100 * (unfiltered['accuracy']['mean'] - base):+.1f}",
                f"{result['accepted']:,} of {result['accepted'] + result['rejected']:,}",
                f"{100 * result['real_accepted']['share']:.0f} %" if "real_accepted" in result else "",
            ]
        )
    return table(
        (
            "cell",
            "plain, %",
            "best recipe on validation, points over plain",
            "GM-augCls, points over plain",
            "without the filter",
            "accepted of drawn",
            "real images accepted",
        ),
        rows,
    )


def cost_section(seen: list[Seen]) -> str:
    """What it cost."""
    total = sum(part["cpu_minutes"] for each in seen for part in each.document["costs"].values())
    rows = [
        [
            each.name,
            *(
                f"{each.document['costs'][key]['cpu_minutes']:.1f}"
                for key in ("first", "verdict", "augmentation")
            ),
            f"{max(part['peak_mb'] for part in each.document['costs'].values()):.0f}",
            each.document["costs"]["augmentation"]["code"],
        ]
        for each in seen
    ]
    return f"{total / 60:.1f} CPU hours in all.\n\n" + table(
        ("cell", "first reading, CPU min", "verdict, CPU min", "run, CPU min", "peak memory, MB", "commit"),
        rows,
    )


def page(seen: list[Seen]) -> str:
    """docs/results.md."""
    tested = [each for each in seen if each.measured]
    untested = [each.name for each in seen if not each.measured]
    intro = (
        f"{len(seen)} of {len(CELLS)} cells are measured so far, {len(tested)} of them with synthetic images "
        f"tested{'' if not untested else ' (not tested: ' + ', '.join(untested) + ')'}. Each is an ordinary "
        "run of the quick preset at 16 px (32 px where said) with five classifier seeds, one generator and "
        "one way of use (mix), on a CPU; nothing here was measured on a GPU."
    )
    parts = [
        "# Results\n",
        "Made by `python -m benchmarks.evidence_report` from `benchmarks/results/evidence/*.json`; do not "
        "edit. One cell again: `python -m benchmarks.evidence HOME DATA --only digits_100_r50`.\n",
        intro + "\n",
        record.words([each.measured for each in tested if each.measured]) + "\n",
        "## Does the law's prediction hold?\n",
        law_section(seen),
        "## Does the verdict hold?\n",
        verdict_section(seen),
        "## Where does generation beat the best control?\n",
        where_section(seen),
        "## What is the gain made of: recipe, filter, new images\n",
        choice_section(seen),
        "## What it cost\n",
        cost_section(seen),
    ]
    return "\n".join(parts)


def main() -> None:
    seen = cells()
    write_bytes(PAGE, page(seen).encode())
    write_json(SHIPPED, {"cells": [asdict(each.measured) for each in seen if each.measured]})


if __name__ == "__main__":
    main()
