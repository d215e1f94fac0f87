"""What the filter does with real images, beside what it does with synthetic ones: a filter that turns perfect
images away cannot say much of others."""

from __future__ import annotations

import pandas as pd

from gmaug_core.config import SelectionConfig
from gmaug_core.method.parts.synthetic import Passed
from gmaug_core.method.result import AugmentationResult
from gmaug_core.scoring import record

STRICT = 0.5  # of real images: a filter that accepts fewer is called strict
NO_FILTER = "This run has no filter: it kept every image, but for what gates and people turned away."
REMEDY = (
    "the mode real_share (selection.mode) asks for what a stated share of real images reaches, class by class"
)
BOUND = "selection.threshold is the share that it asks for, of those that the judge takes for their class"


def table(result: AugmentationResult) -> pd.DataFrame:
    """One row a class, in the dataset's order, and the last one of all: shares in percent of real validation
    images, with their 95 % interval, and of drawn synthetic images that are accepted. Without rows where the
    run knows nothing of real ones."""
    known = result.real_acceptance
    if known is None:
        return pd.DataFrame()
    accepted, rejected = result.accepted.per_class, result.rejected.per_class
    rows = [
        _row(row.name, known.per_class.get(row.name), accepted.get(row.name, 0), rejected.get(row.name, 0))
        for row in result.per_class
    ]
    return pd.DataFrame([*rows, _row("all", known.total, result.accepted.total, result.rejected.total)])


def shown(result: AugmentationResult) -> pd.DataFrame:
    """The same in three columns, which find room on a narrow screen: shares in percent, the real ones' 95 %
    interval, and n."""
    return pd.DataFrame(
        [
            {
                "class": row["class"],
                "real accepted, %": f"{row['real accepted %']:.0f} ({row['real low']:.0f} to "
                f"{row['real high']:.0f}) of {row['real images']:,}"
                if row["real images"]
                else "none there",
                "synthetic accepted, %": f"{row['synthetic accepted %']:.0f} of {row['synthetic images']:,}"
                if row["synthetic images"]
                else "none drawn",
            }
            for row in table(result).to_dict("records")
        ]
    )


def _row(name: str, real: Passed | None, accepted: int, rejected: int) -> dict[str, object]:
    drawn = accepted + rejected
    return {
        "class": name,
        "real accepted %": 100 * real.share if real else None,
        "real low": 100 * real.ci_low if real else None,
        "real high": 100 * real.ci_high if real else None,
        "real images": real.n if real else 0,
        "synthetic accepted %": 100 * accepted / drawn if drawn else None,
        "synthetic images": drawn,
    }


def of_real(real: Passed) -> str:
    """'13% [8%, 20%] of 189 real validation images'."""
    return f"{real.share:.0%} [{real.ci_low:.0%}, {real.ci_high:.0%}] of {real.n:,} real validation images"


def too_strict(real: Passed) -> str:
    """Why little can be expected of a filter that lets so few real images pass, and what to do, in words;
    empty where runs of the record could be measured with as few."""
    record_says = record.strict_words(real.share)
    return f"{record_says} {REMEDY[0].upper()}{REMEDY[1:]}." if record_says else ""


def words(result: AugmentationResult, rule: SelectionConfig) -> list[str]:
    """The same of all classes in sentences, who judged, what to do where the filter is strict, and what such
    a filter was worth elsewhere; empty in results from before it was measured. rule: the run's."""
    known = result.real_acceptance
    if rule.mode == "none":
        return [NO_FILTER]
    if known is None:
        return []
    real, drawn = known.total, result.accepted.total + result.rejected.total
    share = f", and {result.accepted.total / drawn:.0%} of {drawn:,} synthetic ones" if drawn else ""
    said = [f"The filter accepts {of_real(real)}, which no judge was trained on{share}."]
    bound = rule.mode == "real_share"
    if bound:
        said.append("Its bounds were set on these images: this share was asked for, and is no test of it.")
    if real.share < STRICT:
        least = min(known.per_class.items(), key=lambda item: item[1].share)
        said.append(
            f"It throws away more than half of perfect images (of '{least[0]}' it accepts "
            f"{least[1].share:.0%}): {BOUND if bound else REMEDY}."
        )
    if (rule.mode, rule.threshold) == record.FILTER and (worth := record.filter_words()):
        said.append(worth)
    if result.judge is not None:
        judge = result.judge
        who = (
            f"Each judge is {judge.folds} classifiers, none of which has seen all real training images"
            if judge.kind == "cross_fitted"
            else "Each judge was trained on all real training images"
        )
        found = ", ".join(f"{each:.2f}" for each in judge.temperatures)
        said.append(
            f"{who}. Temperature on validation, a seed: {found}; above 1 its probabilities are too high."
        )
    return said
