"""What an augmentation run leaves behind, as a document. Accuracies and recalls are shares, 0 ... 1; gains
are in percent. Intervals are 95 % ones over seeds and the finite test split (method.statistics).

A key that a run has no figure for is not written.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gmaug_core.config.documents import Document
from gmaug_core.method.parts.accuracy import ClassRow, Fold, Gain, GeneratorSpread, VariantResult
from gmaug_core.method.parts.generator import GeneratorFigures, Probe
from gmaug_core.method.parts.material import ClassifierFigures, Predicted, Score, SplitSizes
from gmaug_core.method.parts.paper_counting import PaperCounting
from gmaug_core.method.parts.synthetic import (
    Choice,
    Counted,
    Dose,
    JudgeFigures,
    Quality,
    RealAcceptance,
    Rejected,
    Step,
)
from gmaug_core.method.tested import not_tested
from gmaug_core.scoring.result import ROUGH_PAIRS


def _first_form(document: dict[str, Any]) -> dict[str, Any]:
    """Results without a number; the oldest do not say which intervals are rough, nor what was accepted a
    draw."""
    merge = document["score"]["ssim_mergecls"]
    told = {"approximate": not merge["exact"] and merge["pairs"] < ROUGH_PAIRS, **merge}
    steps = [
        {"accepted_per_draw": step["accepted"] / step["drawn"] if step["drawn"] else None, **step}
        for step in document["steps"]
    ]
    return document | {"score": document["score"] | {"ssim_mergecls": told}, "steps": steps}


def _second_form(document: dict[str, Any]) -> dict[str, Any]:
    """Form 1 gave a recall of 0 to classes that nothing tested, and called a run measured whatever the
    filter had let through; it does not say what a class was short of, but the first step's account does
    where something is missing."""
    keys = {"baseline", "augmented", *document["controls"]}
    rows = [row if row["test"] else row | dict.fromkeys(keys & row.keys()) for row in document["per_class"]]
    gains = {
        key: gain | ({"covers": "images"} if gain["n_seeds"] < 2 else {})
        for key, gain in {**document["gains"], "": document["relative_gain_percent"]}.items()
    }
    first = next((step for step in document["steps"] if step["step"] == 1), None)
    short = first["short"] if first else {}
    synthetic = {row["class"]: row["synthetic"] for row in rows}
    wanted = {name: missing + synthetic.get(name, 0) for name, missing in short.items()}
    filled = (first["wanted"] if first else 0) - sum(wanted.values())
    words = not_tested(
        {name: (synthetic.get(name, 0), number) for name, number in wanted.items()}, filled=max(filled, 0)
    )
    return document | {
        "per_class": rows,
        "relative_gain_percent": gains.pop(""),
        "gains": gains,
        "status": "not tested" if words else "measured",
        "status_words": words,
    }


def _nothing_changed(document: dict[str, Any]) -> dict[str, Any]:
    """What the next form knows besides is not there where it was not measured."""
    return document


class AugmentationResult(Document):
    """What an augmentation run found: every variant on the test split, gains with intervals, how it came
    about."""

    TITLE = "result"
    FILE = "result.json"
    SCHEMA = 6
    MIGRATIONS: ClassVar = {0: _first_form, 1: _second_form} | dict.fromkeys(range(2, 6), _nothing_changed)

    run: str
    """The run: the name of its folder."""
    kind: Literal["augmentation"]
    """The kind of run."""
    status: Literal["measured", "not tested"]
    """Whether synthetic images were tested at all: method.tested has the rule."""
    status_words: str
    """Why it was not tested, with the numbers; empty where it was."""
    dataset: str
    """The dataset's id."""
    dataset_name: str
    """Its name, as people see it."""
    preset: str
    """Where the settings came from."""
    generator: GeneratorFigures
    """The generator."""
    classifier: ClassifierFigures
    """The classifier."""
    seeds: tuple[int, ...]
    """A classifier of each variant was trained with each; the first one's judge decides what is exported."""
    splits: SplitSizes
    """Images of the three-way split."""
    shared: dict[str, str] = {}
    """Classifiers that were not trained again, by the name of their file, and the run that trained them: a
    verdict or another run of the same images, split, settings and seed."""
    score: Score
    """The score of the training split."""
    predicted: Predicted | None
    """What the law predicted from it; null where it does not speak of such a score, or nothing was to be
    added."""
    not_predicted: str | None = None
    """Why there is no prediction, in words; null where there is one, and in results from before."""
    baseline: VariantResult
    """Real images alone."""
    augmented: VariantResult
    """Real and kept synthetic images: GM-augCls."""
    controls: dict[str, VariantResult]
    """The other variants, by key (method.variants)."""
    endpoint: Gain | None = None
    """The comparison fixed beforehand: the best recipe without a generator, chosen on validation, with
    synthetic images against the same recipe alone; null in older results, and where nothing was tested."""
    endpoint_recipe: str | None = None
    """That recipe's key (method.recipes)."""
    rivals: dict[str, Gain] | None = None
    """The other recipes without a generator that validation could not tell from it, by key: what synthetic
    images (the same ones) gain over each; null in older results, and where nothing was tested."""
    generators: GeneratorSpread | None = None
    """What the generator's luck does to it; not there where it was trained once."""
    relative_gain_percent: Gain
    """The paper's comparison, against plain training: of the augmented classifier over the baseline; the
    same as gains["baseline"]."""
    gains: dict[str, Gain]
    """Of the augmented classifier over the baseline and every control, by key."""
    per_class: tuple[ClassRow, ...]
    """One row a class, in the dataset's order."""
    accepted: Counted
    """Accepted synthetic images."""
    rejected: Rejected
    """Rejected synthetic images."""
    real_acceptance: RealAcceptance | None = None
    """The share of real validation images that the judges accept; not there in older results."""
    judge: JudgeFigures | None = None
    """Who judged; not there in older results."""
    choice: Choice | None = None
    """How synthetic images are to be used, or that none are; not there in older results, and where nothing
    was kept."""
    doses: tuple[Dose, ...] = ()
    """Accuracy after each amount, ascending from 0; empty in older results and where one amount was given."""
    paper_counting: PaperCounting | None = None
    """The paper's way of counting; not there where it was not asked for, and in older results."""
    steps: tuple[Step, ...]
    """One row a step and seed, in the order in which they were done."""
    quality: Quality
    """Figures of the kept images."""
    probe: Probe | None = None
    """The early look; null where none was asked for."""
    folds: tuple[Fold, ...] = ()
    """Where every image was tested once: the folds. Accuracies, recalls and gains are then over the test
    images of all of them; what is said of training (class counts, score, generator, steps, accepted and
    rejected images, choice, doses, paper_counting, quality) is of the first fold. Each fold's own result
    lies in its folder."""
    warnings: tuple[str, ...]
    """What a careful reader must know about this result, in words."""

    @property
    def variants(self) -> dict[str, VariantResult]:
        """Every variant by key: the baseline, the augmented one, the controls."""
        return {"baseline": self.baseline, "augmented": self.augmented, **self.controls}

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; keys without a figure are left out."""
        return self.model_dump(mode="json", exclude_unset=True)
