"""What a finished run says: the same sentences and tables on the page, in the report, on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gmaug_core.method.parts.accuracy import ClassRow, Gain, Measure, VariantResult
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.variants import VARIANTS, Role, role, short
from gmaug_core.numbers import signed
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
        tested = result.status == "measured"
        known = gain if gain and gain.value is not None and tested else None
        rows.append(Compared(key, short(key), role(key), found, known))
    return rows


# --- sentences ---


def headline(result: AugmentationResult) -> tuple[str, str]:
    """(verdict, sentence): "better" | "no better than simpler ways" | "worse" | "no difference seen" |
    "one seed" | "not tested"; what was measured, interval, n.

    The comparison that was fixed beforehand comes first: the best recipe with synthetic images against the
    same recipe alone. Better counts only where no recipe that validation could not tell from the best does
    as well. An older result does not name those, and one without that comparison has the paper's, against
    plain training: there no simple control at all may do as well.
    """
    if result.status == "not tested":
        return "not tested", f"Synthetic images were not tested. {result.status_words}".rstrip()
    gain = main_gain(result)
    if gain.value is None:
        return (
            "no difference seen",
            "The baseline recognised no test image, so a relative gain cannot be computed.",
        )
    verdict = gain.verdict
    rivals = _simpler_ways(result) if verdict == "better" else {}
    simpler = f" But it is not reliably better than {_named(result, rivals)}." if rivals else ""
    said = {
        "better": "Augmentation raised the accuracy",
        "worse": "Augmentation lowered the accuracy",
        "no difference seen": "No reliable difference was seen",
        "one seed": "One seed decides nothing",
    }[verdict]
    return "no better than simpler ways" if rivals else verdict, (
        f"{said}: relative gain {signed(gain.value)} % against {_control(result)} ({_basis(gain)}).{simpler}"
    )


def main_gain(result: AugmentationResult) -> Gain:
    """The gain of the comparison fixed beforehand; of a result without one, of the paper's."""
    return result.endpoint or result.relative_gain_percent


def _control(result: AugmentationResult) -> str:
    """What the main gain is against, in words."""
    if result.endpoint is None:
        return "the baseline"
    key = result.endpoint_recipe or result.endpoint.control
    name = RECIPES[key].short.lower() if key in RECIPES else short(key).lower()
    return f"the best recipe without a generator ({name}) alone"


def _basis(gain: Gain) -> str:
    """'95 % interval −0.40 to +1.20; 3 seeds, 500 test images': what a gain with a value rests on."""
    over = " over the test images alone" if gain.verdict == "one seed" else ""
    seeds = f"{gain.n_seeds} seed" + ("s" if gain.n_seeds != 1 else "")
    return f"95 % interval {interval(gain)}{over}; {seeds}, {gain.n or 0:,} test images"


def _simpler_ways(result: AugmentationResult) -> dict[str, list[str]]:
    """What needs no generator and counts, that the augmented classifier is not reliably better than: names by
    what was gained over them, as of a balanced set some recipes are the same."""
    against = {row.key: row.gain for row in compared(result) if row.role == "control" and row.gain}
    if result.rivals is not None:
        against = dict(result.rivals)
    elif result.endpoint is not None and result.endpoint.of != "augmented":
        against = {}  # an older result does not say what that one gained over other recipes
    found = dict[str, list[str]]()
    for key, gain in against.items():
        if gain.verdict != "better" and not _generated(key):
            found.setdefault(in_points(gain), []).append(short(key).lower())
    return found


def _named(result: AugmentationResult, rivals: Mapping[str, Sequence[str]]) -> str:
    """'oversampling (−0.24 points, −1.65 to +1.17), which needs no generator'."""
    named = " or ".join(f"{' or '.join(names)} ({gained})" for gained, names in rivals.items())
    one = sum(len(names) for names in rivals.values()) == 1
    luck = " and may be the best recipe as well: validation could not tell" if result.rivals else ""
    return f"{named}, which {'needs' if one else 'need'} no generator{luck}"


def _generated(key: str) -> bool:
    """Whether a variant needs a generator; one that this version does not know may have."""
    return key not in VARIANTS or VARIANTS[key].needs_generator


def comparison(result: AugmentationResult) -> str:
    """The paper's comparison, named, where the headline has another; then predicted beside measured, in
    words, sign included."""
    gain = result.relative_gain_percent
    paper = ""
    if result.endpoint is not None and gain.value is not None:
        paper = (
            f"The paper's comparison, against plain training: {signed(gain.value)} % ({_basis(gain)}; "
            f"{_told(gain)}). "
        )
    return paper + _law(result)


def _told(gain: Gain) -> str:
    return {"better": "better", "worse": "worse", "one seed": "one seed decides nothing"}.get(
        gain.verdict, "no reliable difference"
    )


def _law(result: AugmentationResult) -> str:
    """What the law had predicted, and how that compares."""
    gain, predicted = result.relative_gain_percent.value, result.predicted
    if result.not_predicted is not None:
        return result.not_predicted
    if predicted is None or gain is None:
        return (
            "There is no prediction to compare with: no super-class could be scored, or the baseline has no "
            "accuracy to relate to."
        )
    said = (
        f"The law had predicted {signed(predicted.gain_percent)} % (95 % interval {signed(predicted.low)} to "
        f"{signed(predicted.high)}); "
    )
    if result.status == "not tested":
        return f"{said}nothing was measured that it could be compared with."
    inside = predicted.low <= gain <= predicted.high
    return (
        f"{said}measured was {signed(gain)} %, "
        f"{signed(gain - predicted.gain_percent, 'percentage points')} from the prediction and "
        f"{'inside' if inside else 'outside'} its interval."
    )


def against_controls(result: AugmentationResult) -> list[str]:
    """One sentence a control: is the augmented classifier better than it? None where nothing was tested."""
    words = {
        "better": "Better than",
        "worse": "Worse than",
        "no difference seen": "Not told apart from",
        "one seed": "With one seed, undecided against",
    }
    return [
        f"{words[row.gain.verdict]} {row.name.lower()} ({signed(row.gain.value or 0.0)} %, "
        f"{interval(row.gain)})."
        for row in compared(result)
        if row.gain and row.key != "baseline"
    ]


def explained(result: AugmentationResult) -> list[str]:
    """Which part of the gain over plain training the classes' weight alone explains: real replay shows copies
    of rare images as often as synthetic ones are shown. Then the paper's way of counting, with its placebo.
    Empty where neither was measured."""
    said = []
    whole, rest = result.gains.get("baseline"), result.gains.get("real_replay")
    if result.status == "not tested" or whole is None or rest is None:
        whole = rest = None
    if whole and rest and whole.points is not None and rest.points is not None:
        # of several generators replay has the first one's numbers, and the gain is a mean over all of them
        first = _points_apart(result, "augmented", "baseline") if whole.generators > 1 else whole.points
        weight = first - rest.points
        gained = whole.verdict == "better" and min(weight, first) > 0
        share = f", {weight / first:.0%} of it" if gained else ""
        whose = " of the first generator's images" if whole.generators > 1 else ""
        said.append(
            f"Of {signed(first)} points over plain training{whose}, showing rare classes as often without a "
            f"new image (real replay) gives {signed(weight)}{share}; the images themselves "
            f"{signed(rest.points)} [{signed(rest.points_low or 0.0)}, {signed(rest.points_high or 0.0)}]."
        )
    return said + ([result.paper_counting.words] if result.paper_counting else [])


def _points_apart(result: AugmentationResult, one: str, other: str) -> float:
    """Of two variants' accuracies, in percentage points."""
    found = result.variants
    return 100 * (found[one].accuracy.mean - found[other].accuracy.mean)


def cautions(result: AugmentationResult) -> list[str]:
    """What a reader must know before believing the figures: the run's own warnings first."""
    spread = [result.generators.words] if result.generators else []
    notes = [*spread, *result.warnings, *result.splits.notes]
    smallest = min((row.test for row in result.per_class if row.test), default=0)
    if 0 < smallest < FEW_TEST:
        notes.append(
            f"The class with the fewest test images has {smallest}: one image moves its recall by "
            f"{100 / smallest:.0f} points."
        )
    if result.generator.origin == "unknown":
        notes.append(
            "The synthetic images were made elsewhere. What their generator had seen is not known: where it "
            "was this dataset's test images, the gain is not real."
        )
    elif result.generator.origin == "open-set":
        notes.append(
            "Open-set generator: it had seen images from outside this dataset, so the gain is not "
            "from this dataset alone."
        )
    if not result.classifier.closed_set:
        licence = (result.classifier.model_extra or {}).get("weights_licence")
        notes.append(
            "Open-set classifier: its weights were learnt on images from outside this dataset, so neither "
            "the accuracies nor the choice of samples are from this dataset alone."
            + (f" Licence of the weights, as timm states it: {licence}." if licence else "")
        )
    auc = result.quality.real_vs_synthetic_auc
    if auc is not None and auc > TOLD_APART:
        notes.append(
            f"Real and synthetic images are told apart easily (AUC {auc:.2f}): a classifier can learn "
            "the difference."
        )
    return notes


# --- numbers in words ---


def interval(gain: Gain) -> str:
    """'−0.40 to +1.20', in percent, of a gain that has a value."""
    ends = [end for end in (gain.ci_low, gain.ci_high) if end is not None]  # both come with the value
    return " to ".join(signed(end) for end in ends)


def covered(result: AugmentationResult) -> str:
    """'3 seeds and test images': what the intervals of accuracies are over."""
    seeds = len(result.baseline.accuracy.values)
    return f"{seeds} seeds and test images" if seeds > 1 else "the test images alone, as there is one seed"


def in_points(gain: Gain) -> str:
    """'+0.40 points, −0.40 to +1.20': the difference of two accuracies; a gain in percent where an older
    result has no points."""
    if gain.points is None or gain.points_low is None or gain.points_high is None:
        return f"{signed(gain.value or 0.0)} %, {interval(gain)}"
    low, high = signed(gain.points_low), signed(gain.points_high)
    return f"{signed(gain.points, 'points')}, {low} to {high}"


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
            **{
                name: spread(found)
                for name, found in (("AUROC, %", row.found.auroc), ("AUPRC, %", row.found.auprc))
                if found
            },
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


def recall_words(row: ClassRow, variant: str) -> str:
    """'85.7 (48.7 to 97.4)': a class's recall in percent with its interval; 'not tested' without test
    images, nothing where the run has no such variant."""
    value = row.recall(variant)
    if value is None:
        return "" if row.test else "not tested"
    ends = row.intervals.get(variant)
    return f"{100 * value:.1f}" + (f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})" if ends else "")


def points(row: ClassRow, variant: str) -> float | None:
    """Percentage points of recall that a variant is above the baseline; None where either is unknown."""
    here, baseline = row.recall(variant), row.recall("baseline")
    return None if here is None or baseline is None else 100 * (here - baseline)


def per_class_table(result: AugmentationResult) -> pd.DataFrame:
    """One row a class, the rarest first: counts, accepted, rejected, recall of every variant (share, mean
    over seeds)."""
    accepted, rejected = result.accepted.per_class, result.rejected.per_class
    rows = [
        {
            **row.model_dump(exclude={"intervals"}),
            **{
                f"{key} {end}": number
                for key, ends in row.intervals.items()
                for end, number in zip(("low", "high"), ends, strict=True)
            },
            "accepted": accepted.get(row.name, 0),
            "rejected": rejected.get(row.name, 0),
        }
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


QUALITY_WORDS = {  # field of method.parts.synthetic.Quality -> (label, what it says)
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
    "pixel_auc": (
        "The same in pixel statistics",
        "Sees faint patterns that a classifier's features do not show: 0.5 nothing, 1 always told apart.",
    ),
}


def quality_figures(result: AugmentationResult) -> list[QualityFigure]:
    """The figures that a result has of its synthetic images, each with its n."""
    found = result.quality
    n = dict.fromkeys(QUALITY_WORDS, f"{found.n_real:,} real, {found.n_synthetic:,} synthetic")
    if found.auc_n is not None:
        n["real_vs_synthetic_auc"] = f"{found.auc_n:,} of each"
    if found.pixel_auc_n is not None:
        n["pixel_auc"] = f"{found.pixel_auc_n:,} of each"
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
