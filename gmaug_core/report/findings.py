"""What a finished run says: the same sentences and tables on the page, in the report and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gmaug_core.method.variants import CONTROLS, VARIANTS
from gmaug_core.report.charts import variants
from gmaug_core.workspace.grouping import guard_cell

SIMPLE = [key for key in CONTROLS if not VARIANTS[key].needs_generator]


def headline(result: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, sentence): "better" | "no better than simpler ways" | "worse" | "no difference seen"; what was measured, interval, n.

    Better than the baseline counts only when no simple control, which needs no generator, does as well.
    """
    gain = result["relative_gain_percent"]
    if gain["value"] is None:
        return (
            "no difference seen",
            "The baseline recognised no test image, so a relative gain cannot be computed.",
        )
    verdict = "better" if gain["ci_low"] > 0 else "worse" if gain["ci_high"] < 0 else "no difference seen"
    said = {
        "better": "Augmentation raised the accuracy",
        "worse": "Augmentation lowered the accuracy",
        "no difference seen": "No reliable difference was seen",
    }[verdict]
    accuracy = result["baseline"]["accuracy"]
    labels = {key: label.lower() for key, label, *_ in variants(result)} if verdict == "better" else {}
    rivals = [
        labels[key]
        for key in SIMPLE
        if key in labels
        and result["gains"][key]["ci_low"] is not None
        and result["gains"][key]["ci_low"] <= 0
    ]
    simpler = (
        f" But it is not reliably better than {' or '.join(rivals)}, which need no generator."
        if rivals
        else ""
    )
    return "no better than simpler ways" if rivals else verdict, (
        f"{said}: relative gain {signed(gain['value'])} % against the baseline "
        f"(95 % interval {signed(gain['ci_low'])} to {signed(gain['ci_high'])}; "
        f"{len(gain['values'])} seeds, {accuracy['n']:,} test images).{simpler}"
    )


def comparison(result: Mapping[str, Any]) -> str:
    """Predicted beside measured, in words, sign included."""
    gain, predicted = result["relative_gain_percent"], result.get("predicted")
    if not predicted or gain["value"] is None:
        return "There is no prediction to compare with: no super-class could be scored, or the baseline has no accuracy to relate to."
    inside = predicted["low"] <= gain["value"] <= predicted["high"]
    return (
        f"The law had predicted {signed(predicted['gain_percent'])} % (95 % interval {signed(predicted['low'])} to "
        f"{signed(predicted['high'])}); measured was {signed(gain['value'])} %, "
        f"{signed(gain['value'] - predicted['gain_percent'], 'percentage points')} from the prediction and "
        f"{'inside' if inside else 'outside'} its interval."
    )


def against_controls(result: Mapping[str, Any]) -> list[str]:
    """One sentence a control: is the augmented classifier better than it?"""
    labels = {key: label for key, label, *_ in variants(result)}
    said = []
    for key, gain in result.get("gains", {}).items():
        if key == "baseline" or gain["value"] is None:
            continue
        word = (
            "better than"
            if gain["ci_low"] > 0
            else "worse than"
            if gain["ci_high"] < 0
            else "not told apart from"
        )
        interval = f"({signed(gain['value'])} %, {signed(gain['ci_low'])} to {signed(gain['ci_high'])})"
        said.append(f"{word.capitalize()} {labels.get(key, key).lower()} {interval}.")
    return said


def cautions(result: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing the figures: the run's own warnings first."""
    notes = [str(warning) for warning in result.get("warnings", [])]
    smallest = min((row["test"] for row in result["per_class"]), default=0)
    if 0 < smallest < 30:
        notes.append(
            f"The class with the fewest test images has {smallest}: one image moves its recall by {100 / smallest:.0f} points."
        )
    if not result["generator"].get("closed_set", True):
        notes.append(
            "Open-set generator: it had seen images from outside this dataset, so the gain is not from this dataset alone."
        )
    auc = result.get("quality", {}).get("real_vs_synthetic_auc")
    auc = auc.get("value") if isinstance(auc, Mapping) else auc
    if auc is not None and auc > 0.9:
        notes.append(
            f"Real and synthetic images are told apart easily (AUC {auc:.2f}): a classifier can learn the difference."
        )
    return notes


def signed(value: float, unit: str = "") -> str:
    """'+1.20', '-0.40', with a true minus sign."""
    return f"{value:+.2f}".replace("-", "−") + (f" {unit}" if unit else "")


# --- tables ---


def variants_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """One row a classifier: accuracy and balanced accuracy in percent with intervals, seeds, n, the augmented one's gain over it."""
    rows = []
    gains = {"baseline": result["relative_gain_percent"], **result.get("gains", {})}
    for key, label, _, found in variants(result):
        row: dict[str, Any] = {"variant": label}
        for name in ("accuracy", "balanced_accuracy"):
            words = name.replace("_", " ") + " %"
            row |= {
                words: 100 * found[name]["mean"],
                f"{words} low": 100 * found[name]["ci_low"],
                f"{words} high": 100 * found[name]["ci_high"],
            }
        gain = gains.get(key)
        row |= {
            "augmented gains over it %": gain["value"] if gain else None,
            "gain low": gain["ci_low"] if gain else None,
        }
        row |= {
            "gain high": gain["ci_high"] if gain else None,
            "seeds": len(found["accuracy"]["values"]),
            "test images": found["accuracy"]["n"],
        }
        rows.append(row)
    return pd.DataFrame(rows)


def per_class_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """One row a class, the rarest first: counts, accepted, rejected, recall of every variant (share, mean over seeds)."""
    rows = [
        {
            **row,
            "accepted": result["accepted"]["per_class"].get(row["class"], 0),
            "rejected": result["rejected"]["per_class"].get(row["class"], 0),
        }
        for row in sorted(result["per_class"], key=lambda row: row["train"])
    ]
    return pd.DataFrame(rows)


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV whose cells a spreadsheet shows and does not run."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = [guard_cell(cell) if isinstance(cell, str) else cell for cell in safe[column]]
    return safe.to_csv(index=False)
