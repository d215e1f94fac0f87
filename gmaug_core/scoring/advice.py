"""What a score alone says about augmentation: the law's prediction with its record, or why there is none.

The one answer behind the pages, the command line and the result of a run. It never says that augmentation
pays: the law rests on eight published datasets, and a score does not know how well a classifier was trained,
nor how many images would be added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gmaug_core.scoring.law import PAPER_PROFILE
from gmaug_core.scoring.paper import LOWEST_FAILING, SUPSUB_THRESHOLD, Record, paper_law, paper_record
from gmaug_core.scoring.result import SimilarityResult, Stored

UNDECIDED: Literal["not decided by the score"] = "not decided by the score"
REFUSED: Literal["refused"] = "refused"
NOTHING: Literal["nothing to add"] = "nothing to add"

# Of the images, so many may be smaller than the profile's side: 5 % stored at 32 px moved four real scores by
# .005 to .011 (benchmarks/results/stored_resolution.json, as the two figures below, of flowers).
ENLARGED_SHARE = 0.05
FLOWERS_128, FLOWERS_32 = 0.134, 0.336
# Table 1 and 3 with the paper's counts: flowers went from about 3,890 to 13,850 images; both arms had 100
# passes, so the augmented one had 3.6 times the steps.
PAPER_PER_REAL, PAPER_STEPS = 2.56, 3.6
FEW_DISTINCT = 3  # different images: a mean over fewer is one pair


@dataclass(frozen=True)
class Addition:
    """What a run would add.

    real: training images; synthetic: images that its classes are short of, together.
    """

    real: int
    synthetic: int

    @property
    def per_real(self) -> float:
        """Synthetic images a real one."""
        return self.synthetic / max(self.real, 1)


@dataclass(frozen=True)
class Advice:
    """What is known, in a word and in sentences. gain, low, high: the law's prediction in percent with its
    95 % interval; None where there is none."""

    verdict: Literal["not decided by the score", "refused", "nothing to add"]
    text: str
    gain: float | None = None
    low: float | None = None
    high: float | None = None


def advise(
    x: float,
    *,
    profile: str = PAPER_PROFILE,
    stored: Stored | None = None,
    addition: Addition | None = None,
) -> Advice:
    """What a score x of SSIM-supSubCls says. stored: how large its images are; None: unknown. addition: what
    a run would add; None: unknown."""
    if addition is not None and addition.synthetic == 0:
        return Advice(
            NOTHING,
            "Balanced: no class is short of the target, so nothing would be added, and there is no gain to "
            "predict. A target above the largest class would add images to every class.",
        )
    if (why := refusal(profile, stored)) is not None:
        return Advice(REFUSED, why)
    gain, low, high = paper_law().predict(x)
    said = [
        f"The law predicts a relative gain of {gain:+z.1f} % (95 % interval {low:+z.1f} to {high:+z.1f})."
    ]
    said.append(_side(x))
    if stored is None:
        said.append("How large these images are stored is not known here: enlarged ones score too high.")
    said.append(record_words(paper_record()))
    if addition is not None and addition.per_real < PAPER_PER_REAL:
        said.append(
            f"It assumes the paper's amount, about {PAPER_PER_REAL} synthetic images a real one; here "
            f"{addition.per_real:.2f} would be added."
        )
    said.append(
        "The score does not decide: the verdict run measures on these images what can be gained and what "
        "can be seen, in minutes (gmaug verdict DATASET)."
    )
    return Advice(UNDECIDED, " ".join(said), gain, low, high)


def refusal(profile: str, stored: Stored | None) -> str | None:
    """Why a score of this profile and size of images has no place on the curve; None where it has one."""
    if profile != PAPER_PROFILE:
        return (
            f"No prediction: this score is of profile {profile}, and the law rests on points of profile "
            f"{PAPER_PROFILE}. Scores of different profiles are not comparable. Measure with profile "
            f"{PAPER_PROFILE} to get a prediction."
        )
    return _enlarged(stored) if stored is not None and stored.enlarged > ENLARGED_SHARE else None


def of_score(score: SimilarityResult, addition: Addition | None = None) -> Advice:
    """As `advise`, of a measured score; says so where its highest super-class is hardly more than a pair."""
    found = score.ssim_supsubcls
    given = advise(found.value, profile=score.profile, stored=score.stored, addition=addition)
    few = few_words(score)
    return Advice(given.verdict, f"{given.text} {few}", given.gain, given.low, given.high) if few else given


def few_words(score: SimilarityResult) -> str:
    """That the highest super-class has too few different images to mean much; empty where it has enough."""
    distinct = score.ssim_supsubcls.distinct
    if distinct is None or distinct >= FEW_DISTINCT:
        return ""
    return f"The highest super-class, {score.argmax}, has {distinct} different images: one pair is the score."


def record_words(record: Record) -> str:
    """What to hold against a prediction, in two sentences."""
    return (
        f"Its record: predicting each of its {record.n} datasets from the others misses by "
        f"{record.mean_error:.1f} points on average, and {record.significant} of the {record.n} gains "
        f"{'is' if record.significant == 1 else 'are'} told from nothing by the test images. There the "
        f"augmented classifier was also trained longer ({PAPER_STEPS} times the steps on flowers)."
    )


def stored_words(stored: Stored) -> str:
    """'128 px (median short side; least 96 px; 3 % below 128 px)'."""
    least = f"; least {stored.least} px" if stored.least < stored.median else ""
    share = f"; {_share(stored.enlarged)} below {stored.side} px" if stored.enlarged > 0 else ""
    return f"{stored.median:g} px (median short side{least}{share})"


def _share(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _enlarged(stored: Stored) -> str:
    return (
        f"No prediction: these images are stored at {stored_words(stored)}. The curve was measured on "
        f"photographs that are reduced to {stored.side} px; enlarged images have less detail and score "
        f"higher: flowers {FLOWERS_128:.3f} stored at 128 px, {FLOWERS_32:.3f} stored at 32 px. Import the "
        "originals where these are larger; else let the verdict run measure what can be gained, in minutes "
        "(gmaug verdict DATASET)."
    )


def _side(x: float) -> str:
    """Where the score lies among the paper's datasets."""
    if x <= SUPSUB_THRESHOLD:
        return f"The score {x:.3f} is among those at which the paper saw a gain (up to {SUPSUB_THRESHOLD})."
    if x >= LOWEST_FAILING:
        return f"The score {x:.3f} is among those at which the paper saw none (from {LOWEST_FAILING} on)."
    return f"At the score {x:.3f} nothing was measured (between {SUPSUB_THRESHOLD} and {LOWEST_FAILING})."
