"""What a finished run says: the same sentences and tables on the page, in the report, on the command line."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gmaug_core.method.result import AugmentationResult, ClassRow, Gain, Measure, VariantResult
from gmaug_core.method.variants import VARIANTS, Role, role, short
from gmaug_core.workspace.grouping import guard_cell

FEW_TEST = 30  # test images of a class below which its recall is hardly known
TOLD_APART = 0.9  # AUC from which on real and synthetic images are easily told apart


@dataclass(frozen=True)
class Compared:
    """One classifier of a result. gain: of the augmented one over it; None for itself and where there is
    none."""

    key: str
    name: str
    role: Role
    found: VariantResult
    gain: Gain | None


def compared(result: AugmentationResult) -> list[Compared]:
    """Every classifier that a result compares, the baseline first."""
    rows = []
    for key, found in result.variants.items():
        gain = result.gains.get(key)
        known = gain if gain and gain.value is not None else None
        rows.append(Compared(key, short(key), role(key), found, known))
    return rows


# --- sentences ---


def headline(result: AugmentationResult) -> tuple[str, str]:
    """(verdict, sentence): "better" | "no better than simpler ways" | "worse" | "no difference seen";
    what was measured, interval, n.

    Better than the baseline counts only when no simple control, which needs no generator, does as well.
    """
    gain = result.relative_gain_percent
    if gain.value is None:
        return (
            "no difference seen",
            "The baseline recognised no test image, so a relative gain cannot be computed.",
        )
    verdict = _verdict(gain)
    said = {
        "better": "Augmentation raised the accuracy",
        "worse": "Augmentation lowered the accuracy",
        "no difference seen": "No reliable difference was seen",
    }[verdict]
    rivals = _simpler_ways(result) if verdict == "better" else []
    simpler = (
        f" But it is not reliably better than {' or '.join(rivals)}, which need no generator."
        if rivals
        else ""
    )
    n = result.baseline.accuracy.n
    return "no better than simpler ways" if rivals else verdict, (
        f"{said}: relative gain {signed(gain.value)} % against the baseline "
        f"(95 % interval {interval(gain)}; {len(gain.values)} seeds, {n:,} test images).{simpler}"
    )


def _verdict(gain: Gain) -> str:
    """What the interval allows to say of a gain that has a value."""
    if gain.ci_low is not None and gain.ci_low > 0:
        return "better"
    return "worse" if gain.ci_high is not None and gain.ci_high < 0 else "no difference seen"


def _simpler_ways(result: AugmentationResult) -> list[str]:
    """Names of the controls without a generator that the augmented classifier is not reliably better than."""
    return [
        row.name.lower()
        for row in compared(result)
        if row.role == "control" and row.gain and _verdict(row.gain) != "better" and not _generated(row.key)
    ]


def _generated(key: str) -> bool:
    """Whether a variant needs a generator; one that this version does not know may have."""
    return key not in VARIANTS or VARIANTS[key].needs_generator


def comparison(result: AugmentationResult) -> str:
    """Predicted beside measured, in words, sign included."""
    gain, predicted = result.relative_gain_percent.value, result.predicted
    if result.not_predicted is not None:
        return result.not_predicted
    if predicted is None or gain is None:
        return (
            "There is no prediction to compare with: no super-class could be scored, or the baseline has no "
            "accuracy to relate to."
        )
    inside = predicted.low <= gain <= predicted.high
    return (
        f"The law had predicted {signed(predicted.gain_percent)} % (95 % interval {signed(predicted.low)} to "
        f"{signed(predicted.high)}); measured was {signed(gain)} %, "
        f"{signed(gain - predicted.gain_percent, 'percentage points')} from the prediction and "
        f"{'inside' if inside else 'outside'} its interval."
    )


def against_controls(result: AugmentationResult) -> list[str]:
    """One sentence a control: is the augmented classifier better than it?"""
    words = {"better": "Better than", "worse": "Worse than", "no difference seen": "Not told apart from"}
    return [
        f"{words[_verdict(row.gain)]} {row.name.lower()} ({signed(row.gain.value or 0.0)} %, "
        f"{interval(row.gain)})."
        for row in compared(result)
        if row.gain and row.key != "baseline"
    ]


def cautions(result: AugmentationResult) -> list[str]:
    """What a reader must know before believing the figures: the run's own warnings first."""
    notes = list(result.warnings)
    smallest = min((row.test for row in result.per_class), default=0)
    if 0 < smallest < FEW_TEST:
        notes.append(
            f"The class with the fewest test images has {smallest}: one image moves its recall by "
            f"{100 / smallest:.0f} points."
        )
    if not result.generator.closed_set:
        notes.append(
            "Open-set generator: it had seen images from outside this dataset, so the gain is not "
            "from this dataset alone."
        )
    auc = result.quality.real_vs_synthetic_auc
    if auc is not None and auc > TOLD_APART:
        notes.append(
            f"Real and synthetic images are told apart easily (AUC {auc:.2f}): a classifier can learn "
            "the difference."
        )
    return notes


# --- numbers in words ---


def signed(value: float, unit: str = "") -> str:
    """'+1.20', '−0.40', with a true minus sign."""
    return f"{value:+.2f}".replace("-", "−") + (f" {unit}" if unit else "")


def interval(gain: Gain) -> str:
    """'−0.40 to +1.20', in percent, of a gain that has a value."""
    ends = [end for end in (gain.ci_low, gain.ci_high) if end is not None]  # both come with the value
    return " to ".join(signed(end) for end in ends)


def spread(found: Measure) -> str:
    """'95.30 (93.98 to 96.62)': a share and its interval in percent."""
    return f"{100 * found.mean:.2f} ({100 * found.ci_low:.2f} to {100 * found.ci_high:.2f})"


# --- tables ---


def variants_words(result: AugmentationResult) -> list[dict[str, str]]:
    """One row a classifier, ready to be shown: on the page, in the report and on the command line."""
    return [
        {
            "variant": row.name,
            "accuracy, %": spread(row.found.accuracy),
            "balanced accuracy, %": spread(row.found.balanced_accuracy),
            "augmented gains over it, %": f"{signed(row.gain.value or 0.0)} ({interval(row.gain)})"
            if row.gain
            else "",
            "seeds": str(len(row.found.accuracy.values)),
            "test images": f"{row.found.accuracy.n:,}",
        }
        for row in compared(result)
    ]


def variants_table(result: AugmentationResult) -> pd.DataFrame:
    """The same as numbers, a column each: in percent; empty where there is no gain."""
    rows = []
    for row in compared(result):
        columns: dict[str, object] = {"variant": row.name}
        for words, found in (
            ("accuracy %", row.found.accuracy),
            ("balanced accuracy %", row.found.balanced_accuracy),
        ):
            columns |= {words: 100 * found.mean, f"{words} low": 100 * found.ci_low}
            columns |= {f"{words} high": 100 * found.ci_high}
        columns["augmented gains over it %"] = row.gain.value if row.gain else None
        columns |= {"gain low": row.gain.ci_low if row.gain else None}
        columns |= {"gain high": row.gain.ci_high if row.gain else None}
        rows.append(columns | {"seeds": len(row.found.accuracy.values), "test images": row.found.accuracy.n})
    return pd.DataFrame(rows)


def rarest_first(result: AugmentationResult) -> list[ClassRow]:
    """The classes, those with the fewest real training images first."""
    return sorted(result.per_class, key=lambda row: row.train)


def points(row: ClassRow, variant: str) -> float | None:
    """Percentage points of recall that a variant is above the baseline; None where either is unknown."""
    here, baseline = row.recall(variant), row.recall("baseline")
    return None if here is None or baseline is None else 100 * (here - baseline)


def per_class_table(result: AugmentationResult) -> pd.DataFrame:
    """One row a class, the rarest first: counts, accepted, rejected, recall of every variant (share, mean
    over seeds)."""
    accepted, rejected = result.accepted.per_class, result.rejected.per_class
    rows = [
        {**row.model_dump(), "accepted": accepted.get(row.name, 0), "rejected": rejected.get(row.name, 0)}
        for row in rarest_first(result)
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class QualityFigure:
    """One figure of the synthetic images, what it says, and how many images it rests on."""

    key: str
    label: str
    value: float
    says: str
    n: str


QUALITY_WORDS = {  # field of method.result.Quality -> (label, what it says)
    "fd": (
        "FD (domain)",
        "Fréchet distance in the baseline classifier's features; 0 is best, biased upward where "
        "images are few.",
    ),
    "kid": (
        "KID (domain)",
        "Kernel distance in the same features; about 0 is best, unbiased where images are few.",
    ),
    "fid": (
        "FID",
        "Fréchet distance in the features of your own Inception weights; compare at equal numbers of "
        "images alone.",
    ),
    "precision": ("Precision", "Share of synthetic images that lie among the real ones."),
    "recall": ("Recall", "Share of real images that lie among the synthetic ones: variety."),
    "memorised_share": ("Memorised", "Share of synthetic images suspiciously near a training image."),
    "real_vs_synthetic_auc": (
        "Real vs synthetic AUC",
        "How well the two can be told apart: 0.5 not at all, 1 always.",
    ),
}


def quality_figures(result: AugmentationResult) -> list[QualityFigure]:
    """The figures that a result has of its synthetic images, each with its n."""
    found = result.quality
    n = dict.fromkeys(QUALITY_WORDS, f"{found.n_real:,} real, {found.n_synthetic:,} synthetic")
    if found.auc_n is not None:
        n["real_vs_synthetic_auc"] = f"{found.auc_n:,} of each"
    if found.fid_n_real is not None and found.fid_n_synthetic is not None:
        n["fid"] = f"{found.fid_n_real:,} real, {found.fid_n_synthetic:,} synthetic"
    return [
        QualityFigure(key, label, value, says, n[key])
        for key, (label, says) in QUALITY_WORDS.items()
        if (value := getattr(found, key)) is not None
    ]


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV whose cells a spreadsheet shows and does not run."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = [guard_cell(cell) if isinstance(cell, str) else cell for cell in safe[column]]
    return str(safe.to_csv(index=False))
