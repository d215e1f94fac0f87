"""What was predicted of the cells and what was measured: the law, the verdict, and where generation helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.evidence_figures import interval, mean, names, rank, share, table
from benchmarks.evidence_seen import Seen
from gmaug_core.method.variants import short
from gmaug_core.scoring import realised, record
from gmaug_core.scoring.record import Measured

RUNS = frozenset({"small_run", "full_run"})  # verdicts that call for a run
Gains = tuple[float, float, float]  # value, low, high in percent


def failures(seen: Sequence[Seen]) -> str:
    """Every claim that a cell contradicts, by name; a claim without such a cell is not in the list."""
    known = [each.measured for each in seen if each.measured]
    found = {
        "The law's interval did not hold the gain over plain training": [
            m.name for m in known if not m.predicted_low <= m.gain <= m.predicted_high
        ],
        "The law's interval did not hold the gain of the fair comparison": [
            m.name for m in known if not m.predicted_low <= m.fair <= m.predicted_high
        ],
        "Measured above the verdict's upper end": [
            m.name for m in known if m.at_most is not None and m.points > m.at_most
        ],
        "The verdict called for a run, and synthetic images were not reliably better than none": [
            each.name
            for each in seen
            if each.measured and each.verdict["key"] in RUNS and not each.measured.better
        ],
        "Synthetic images reliably worse than the best recipe without them": [
            m.name for m in known if m.points_high < 0
        ],
        "The filter reliably made it worse": [
            each.name for each in seen if (c := each.contrast("augmented", "unfiltered")) and c.high < 0
        ],
    }
    lines = [
        f"- {claim}: {len(who)} of {len(known)} ({', '.join(who)})." for claim, who in found.items() if who
    ]
    better = sum(m.better for m in known)
    lines.append(
        f"- Synthetic images reliably better than the best recipe without them: {better} of {len(known)}."
    )
    return "\n".join(lines) + "\n"


def law_section(seen: Sequence[Seen]) -> str:
    """(a) The law under three ways of counting."""
    known = [each.measured for each in seen if each.measured]
    own = [m for m in known if not m.enlarged]
    ways: dict[str, Callable[[Measured], Gains | None]] = {
        "the paper's counting": _counted,
        "over plain training, step-matched": lambda m: (m.gain, m.low, m.high),
        "fair: over the best recipe without a generator": lambda m: (m.fair, m.fair_low, m.fair_high),
    }
    rows = []
    for label, group in (("all", known), ("stored at 128 px or more", own)):
        for name, of in ways.items():
            pairs = [(m, gains) for m in group if (gains := of(m)) is not None]
            if pairs:
                rows.append([label, name, *_law_row(pairs)])
    head = table(
        (
            "cells",
            "gain counted as",
            "n",
            "law minus measured, % (mean)",
            "mean error, %",
            "law's interval holds it",
            "reliably above / below zero",
            "rank correlation with the score (the law says: negative)",
        ),
        rows,
    )
    each = [
        [
            m.name,
            f"{m.score:.3f}" + (" (enlarged)" if m.enlarged else ""),
            interval(m.predicted, m.predicted_low, m.predicted_high),
            "not measured" if (counted := _counted(m)) is None else interval(*counted),
            interval(m.gain, m.low, m.high),
            interval(m.fair, m.fair_low, m.fair_high),
        ]
        for m in sorted(known, key=lambda m: m.predicted_low <= m.gain <= m.predicted_high)
    ]
    return (
        "The law's prediction is above zero for every score. Enlarged: images stored below 128 px, "
        "of which the "
        "product itself predicts nothing; what the law would have said is counted all the same.\n\n"
        + "![Gain over the score, and the law](pictures/results-law.svg)\n\n"
        + head
        + "\nIn percent of the accuracy without synthetic images; cells that the law missed first:\n\n"
        + table(
            (
                "cell",
                "SSIM-supSubCls",
                "law",
                "the paper's counting",
                "over plain training",
                "fair",
            ),
            each,
        )
    )


def _counted(m: Measured) -> Gains | None:
    if m.counted is None or m.counted_low is None or m.counted_high is None:
        return None
    return m.counted, m.counted_low, m.counted_high


def _law_row(pairs: Sequence[tuple[Measured, Gains]]) -> list[object]:
    off = [m.predicted - gains[0] for m, gains in pairs]
    held = sum(m.predicted_low <= gains[0] <= m.predicted_high for m, gains in pairs)
    above, below = (
        sum(gains[1] > 0 for _, gains in pairs),
        sum(gains[2] < 0 for _, gains in pairs),
    )
    return [
        len(pairs),
        mean(off),
        f"{np.mean(np.abs(off)):.1f}",
        share(held, len(pairs)),
        f"{above} / {below}",
        rank([m.score for m, _ in pairs], [gains[0] for _, gains in pairs]),
    ]


def verdict_section(seen: Sequence[Seen]) -> str:
    """(b) The verdict's upper end, and what would have been lost by following it."""
    known = [(each, each.measured) for each in seen if each.measured]
    tally = record.of_verdict([m for _, m in known])
    known_first = sorted(known, key=lambda pair: pair[1].at_most is None or pair[1].points <= pair[1].at_most)
    rows = [
        [
            each.name,
            each.verdict["key"].replace("_", " "),
            "refused" if m.at_most is None else f"{m.at_most:.1f}",
            interval(m.points, m.points_low, m.points_high),
            f"{each.verdict['seen']['smallest']:.1f}",
            "" if m.at_most is None else ("yes" if m.points <= m.at_most else "**no**"),
            "" if (told := expected(m, known)) is None else interval(*told),
        ]
        for each, m in known_first
    ]
    return (
        "Synthetic images on top of the best recipe stayed at or under the upper end of the "
        f"verdict's headroom in {share(tally.held, tally.n)}. In points of the verdict's measure; "
        "what did not hold first. A verdict as it was told is the program's of its day: one that held the "
        "headroom against what synthetic images gave elsewhere knew an earlier measurement of the cell. What "
        "is expected by the other cells leaves the cell out.\n\n"
        "![What was measured, and the verdict's upper end](pictures/results-verdict.svg)\n\n"
        + table(
            (
                "cell",
                "verdict as it was told",
                "at most",
                "measured",
                "smallest visible",
                "held",
                "expected, by the other cells",
            ),
            rows,
        )
        + f"\n{_realised(known)}\n\n"
        + "How far each prediction was off what synthetic images added on top of the best recipe, in points "
        "of the verdict's measure (the law's percent taken of plain training's accuracy); the same cells for "
        "all:\n\n"
        + table(("prediction", "n", "predicted minus measured (mean)", "mean error"), _errors(known))
        + "\nWhat a rule would have lost against knowing beforehand (a run wherever the measured difference "
        "is above zero; regret in points a cell):\n\n"
        + table(("rule", "runs started", "regret", "CPU minutes spent"), _regrets(known))
    )


def expected(m: Measured, known: Sequence[tuple[Seen, Measured]]) -> Gains | None:
    """What the product would expect of a cell, were it not in the record; None where it has no headroom or
    the others are too few."""
    others = realised.of_record([other for _, other in known if other is not m])
    if others is None or m.headroom is None:
        return None
    return others.expected(m.headroom, m.headroom_se)


def _realised(known: Sequence[tuple[Seen, Measured]]) -> str:
    """What synthetic images gave of the headroom, and whether that predicts a cell that is left out."""
    found = realised.of_record([m for _, m in known])
    if found is None:
        return (
            "What share of a headroom synthetic images give is not fitted yet: it takes "
            f"{realised.LEAST} cells with a headroom."
        )
    pairs = [(m, told) for _, m in known if (told := expected(m, known)) is not None]
    held = 0
    for m, (value, low, high) in pairs:
        own = (m.points_high - m.points_low) / 2
        side = high - value if m.points > value else value - low
        held += abs(m.points - value) <= float(np.hypot(side, own))
    return (
        f"Over these cells synthetic images gave {100 * found.share:.0f} % "
        f"[{100 * found.low:.0f}, {100 * found.high:.0f}] of the headroom (n = {found.n}; "
        f"scatter between datasets at most about {found.scatter:.1f} points). Each cell predicted from the "
        f"others: the interval held what was measured in {share(held, len(pairs))}. The verdict counts with "
        "this share where a run is like these (quick preset, at most 32 px)."
    )


def _errors(known: Sequence[tuple[Seen, Measured]]) -> list[list[object]]:
    """Headroom, what was expected of it by the other cells, and the law, side by side; and beside them that
    nothing is gained."""
    pairs = [
        (each, m, m.headroom, told)
        for each, m in known
        if (told := expected(m, known)) is not None and m.headroom is not None
    ]
    ways: dict[str, list[float]] = {
        "headroom (every image a new real one)": [room - m.points for _, m, room, _ in pairs],
        "expected of it, by the other cells": [told[0] - m.points for _, m, _, told in pairs],
        "the law": [
            m.predicted * each.result["baseline"]["accuracy"]["mean"] - m.points for each, m, _, _ in pairs
        ],
        "nothing is gained": [-m.points for _, m, _, _ in pairs],
    }
    return [[name, len(off), mean(off), f"{np.mean(np.abs(off)):.1f}"] for name, off in ways.items()]


def _with_record(each: Seen, m: Measured, known: Sequence[tuple[Seen, Measured]]) -> bool:
    """Whether the verdict still called for a run, had it known the other cells."""
    told = expected(m, known)
    if told is not None and (told[0] <= 0 or told[2] < each.verdict["seen"]["smallest"]):
        return False
    return each.verdict["key"] in RUNS


def _regrets(known: Sequence[tuple[Seen, Measured]]) -> list[list[object]]:
    rules: dict[str, Callable[[Seen, Measured], bool]] = {
        "always": lambda _, __: True,
        "never": lambda _, __: False,
        "the verdict as it was told (worth a run)": lambda each, _: each.verdict["key"] in RUNS,
        "the verdict, had it known the other cells": lambda each, m: _with_record(each, m, known),
        "the law (its whole interval above zero)": lambda _, m: m.predicted_low > 0,
    }
    rows: list[list[object]] = []
    for name, rule in rules.items():
        started = [rule(each, m) for each, m in known]
        lost = [
            max(m.points, 0.0) - (m.points if ran else 0.0)
            for (_, m), ran in zip(known, started, strict=True)
        ]
        spent = sum(
            each.document["costs"]["augmentation"]["cpu_minutes"]
            for (each, _), ran in zip(known, started, strict=True)
            if ran
        )
        rows.append([name, f"{sum(started)} of {len(known)}", mean(lost), f"{spent:.0f}"])
    return rows


def where_section(seen: Sequence[Seen]) -> str:
    """(c) Where generation beats the best control, and what these cells have in common."""
    known = [(each, each.measured) for each in seen if each.measured]
    better = [each.name for each, m in known if m.better]
    worse = [each.name for each, m in known if m.points_high < 0]
    rest = len(known) - len(better) - len(worse)
    properties: dict[str, Callable[[Seen], float]] = {
        "imbalance (largest over smallest class)": lambda e: (
            max(e.result["train_counts"]) / max(min(e.result["train_counts"]), 1)
        ),
        "training images": lambda e: sum(e.result["train_counts"]),
        "accuracy of plain training, %": lambda e: 100 * e.result["baseline"]["accuracy"]["mean"],
        "accepted of drawn, %": lambda e: (
            100 * e.result["accepted"] / max(e.result["accepted"] + e.result["rejected"], 1)
        ),
        "SSIM-supSubCls": lambda e: e.result["score"]["ssim_supsubcls"]["value"],
    }
    rows = [
        [
            name,
            _middle([of(each) for each, m in known if m.better]),
            _middle([of(each) for each, m in known if not m.better]),
            rank([of(each) for each, _ in known], [m.points for _, m in known]),
        ]
        for name, of in properties.items()
    ]
    recipes = [
        [
            each.name,
            short(each.result.get("endpoint_recipe") or "plain"),
            interval(m.points, m.points_low, m.points_high),
        ]
        for each, m in sorted(known, key=lambda pair: pair[1].points)
    ]
    common = "" if better else " There is none, so they have nothing in common yet."
    return (
        f"Reliably worse: {names(worse)}. Reliably better: {names(better)}. No reliable difference: "
        f"{rest} of {len(known)}. Mean over cells: {mean([m.points for _, m in known])} points.{common}\n\n"
        + table(("cell", "best recipe without a generator", "synthetic images on top, points"), recipes)
        + "\n"
        + table(
            (
                "property of the cell",
                "median where better",
                "median elsewhere",
                "rank correlation with the difference",
            ),
            rows,
        )
    )


def _middle(values: Sequence[float]) -> str:
    return f"{np.median(values):.3g} (n = {len(values)})" if values else "no cell"
