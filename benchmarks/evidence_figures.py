"""Figures of many cells: a share with Wilson's interval, a mean over cells with Student's, a rank
correlation, and how they are written. A cell is one case; with too few of them that is said
instead of a number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special, stats

from gmaug_core.method.statistics import wilson

LEAST_RANKED = (
    6  # cells from which on a rank correlation is worked out: with 5 its interval is nearly all of -1..1
)
LEAST_MEAN = 3  # cells from which on a mean over cells has an interval
RESAMPLES = 2000


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """In Markdown; what to say where there is no row is the caller's."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(value) for value in line) + " |" for line in lines) + "\n"


def share(held: int, n: int) -> str:
    """'7 of 9 (78 %; 95 % interval 45 to 94)'."""
    if n == 0:
        return "no case"
    found = wilson(held / n, n)
    low, high = 100 * found.low, 100 * found.high
    return f"{held} of {n} ({100 * held / n:.0f} %; 95 % interval {low:.0f} to {high:.0f})"


def mean(values: Sequence[float]) -> str:
    """'+1.2 [-0.3, +2.7] (n = 6)': over cells, with Student's interval of their scatter."""
    n = len(values)
    if n == 0:
        return "no cell"
    middle = float(np.mean(values))
    if n < LEAST_MEAN:
        return f"{middle:+.1f} (n = {n}: no interval)"
    half = float(special.stdtrit(n - 1, 0.975)) * float(np.std(values, ddof=1)) / n**0.5
    return f"{interval(middle, middle - half, middle + half)} (n = {n})"


def rank(x: Sequence[float], y: Sequence[float]) -> str:
    """Spearman's correlation with a bootstrap interval over cells (percentiles)."""
    n = len(x)
    if n < LEAST_RANKED:
        return f"not worked out of {n} cell{'' if n == 1 else 's'}"
    if len({*x}) == 1 or len({*y}) == 1:
        return "none: all cells are alike"
    rng = np.random.default_rng(0)
    a, b = np.array(x), np.array(y)
    value = float(stats.spearmanr(a, b).statistic)
    drawn = rng.integers(n, size=(RESAMPLES, n))
    ranks = [stats.rankdata(each[drawn], axis=1) - (n + 1) / 2 for each in (a, b)]
    (one, two), both = ((rank**2).sum(1) for rank in ranks), (ranks[0] * ranks[1]).sum(1)
    told = one * two > 0  # the others drew one value alone
    low, high = np.quantile(both[told] / np.sqrt(one[told] * two[told]), (0.025, 0.975))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}] (n = {n})"


def interval(value: float, low: float, high: float) -> str:
    """'+1.2 [-0.3, +2.7]'."""
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def names(found: Sequence[str]) -> str:
    """'2 (a, b)', or 'none'."""
    return f"{len(found)} ({', '.join(found)})" if found else "none"
