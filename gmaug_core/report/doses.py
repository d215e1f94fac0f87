"""How many synthetic images help: the dose-response of a run as a table and in sentences."""

from __future__ import annotations

import pandas as pd

from gmaug_core.method.result import AugmentationResult


def table(result: AugmentationResult) -> pd.DataFrame:
    """One row an amount, ascending from none; accuracies and points in percent. Without rows where one amount
    was given."""
    return pd.DataFrame(
        [
            {
                "times what is missing": dose.amount,
                "synthetic images": dose.added,
                "synthetic for a real one": dose.added / dose.real,
                "validation accuracy %": 100 * dose.validation.mean,
                "validation low": 100 * dose.validation.ci_low,
                "validation high": 100 * dose.validation.ci_high,
                "test accuracy %": 100 * dose.test.mean,
                "test low": 100 * dose.test.ci_low,
                "test high": 100 * dose.test.ci_high,
                "points above none": dose.points,
                "points low": dose.points_low,
                "points high": dose.points_high,
                "seeds": len(dose.test.values),
                "test images": dose.test.n,
            }
            for dose in result.doses
        ]
    )


def words(result: AugmentationResult) -> list[str]:
    """What validation says to do, and what the picture shows; empty where nothing was chosen."""
    said = [result.choice.words] if result.choice else []
    if len(result.doses) < 2:
        return said
    none, best = result.doses[0], max(result.doses[1:], key=lambda dose: dose.validation.mean)
    seeds = len(none.test.values)
    covers = "test images alone" if seeds == 1 else f"{seeds} seeds and test images"
    said.append(
        f"On the test split, of the amounts above none the one that was best on validation ({best.amount:g} "
        f"times what is missing, {best.added:,.0f} images beside {best.real:,} real ones) moves accuracy by "
        f"{best.points:+z.2f} points [{best.points_low:+z.2f}, {best.points_high:+z.2f}] against none; the "
        f"interval covers {covers}."
    )
    return said
