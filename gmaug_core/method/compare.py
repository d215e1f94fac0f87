"""The result document: every variant on the test split, gains, figures of the images, cautions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gmaug_core.config import CHANNELS
from gmaug_core.data import samples, splits
from gmaug_core.data.views import View
from gmaug_core.method.cautions import cautions, guessing
from gmaug_core.method.lab import Lab, TrainedGenerator
from gmaug_core.method.parts.generator import GeneratorFigures, Probe
from gmaug_core.method.parts.material import Advice as Told
from gmaug_core.method.parts.material import Predicted, Score
from gmaug_core.method.parts.paper_counting import PaperCounting
from gmaug_core.method.parts.synthetic import Choice, Dose, JudgeFigures, RealAcceptance, Step
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.tested import not_tested
from gmaug_core.method.testing import Endpoint, measured, recalls, write_predictions
from gmaug_core.models import classifiers, quality
from gmaug_core.models.classifiers import Classifier, Evaluation
from gmaug_core.models.inception import Inception
from gmaug_core.models.pixel_statistics import pixel_auc
from gmaug_core.scoring.advice import Addition, Advice, of_score
from gmaug_core.scoring.result import SimilarityResult


def compare(
    lab: Lab,
    score: SimilarityResult,
    generator: TrainedGenerator,
    tested: Mapping[str, Sequence[Evaluation]],
    steps: Sequence[Step],
    examiner: Classifier,
    inception: Inception | None,
    *,
    endpoint: Endpoint | None = None,
    choice: Choice | None = None,
    repeats: Sequence[Mapping[str, Sequence[Evaluation]]] = (),
    doses: Sequence[Dose] = (),
    paper_counting: PaperCounting | None = None,
    real_acceptance: RealAcceptance | None = None,
    judge: JudgeFigures | None = None,
    probe: Probe | None = None,
    ended: str = "",
) -> AugmentationResult:
    """The document of a run whose work is done; what the first seed said of each test image goes to a file.

    tested: for every variant its evaluations on the test split, in the order of lab.seeds; examiner: the
    classifier in whose features the images are judged; inception: a person's own, for FID; repeats: the arms
    that need a generator with each of the others; choice, doses: what the run found of the amount;
    paper_counting: the paper's way, beside the run's own; ended: why the run ended before anything was drawn.
    """
    lab.report("quality", 0, 1)
    verdicts = samples.table(lab.samples, seed=lab.seeds[0])
    right = verdicts["accepted"].astype(bool)
    kept = nothing(lab) if ended else lab.pool(1, choice.amount if choice else None).kept(lab.seeds[0])
    words = ended or not_tested(kept_of_wanted(lab))
    figures = GeneratorFigures.model_validate(
        {"name": lab.config.generator.name, "closed_set": generator.model.closed_set} | generator.figures
    )
    told: dict[str, object] = {
        "real_acceptance": real_acceptance,
        "judge": judge,
        "choice": choice,
        "doses": tuple(doses) or None,
        "paper_counting": paper_counting,
        "probe": probe,
    }
    given = {key: value for key, value in told.items() if value is not None}
    document = AugmentationResult.new(
        **_whose(lab),
        status="not tested" if words else "measured",
        status_words=words,
        generator=figures,
        **_forecast(lab, score),
        **measured(lab.data.labels[lab.split["test"]], tested, None if words else endpoint, repeats=repeats),
        per_class=class_rows(lab, tested, kept),
        accepted=_counted(verdicts[right]),
        rejected=_counted(verdicts[~right]) | _why(verdicts[~right]),
        steps=steps,
        quality=measure_quality(lab, kept, examiner, inception),
        warnings=cautions(
            lab.config,
            lab.data.class_names,
            collapse=figures.collapse,
            steps=steps,
            accepted=None if ended else int(right.sum()),
            tested=np.bincount(lab.data.labels[lab.split["test"]], minlength=lab.classes),
            held_out=_reasons(verdicts[verdicts["reason"].isin(samples.HELD_OUT)]),
        ),
        **given,
    )
    write_predictions(lab.data, lab.out_dir, lab.split["test"], lab.seeds[0], tested, endpoint)
    lab.report("quality", 1, 1)
    guess = guessing(document.baseline, lab.classes)
    return document.model_copy(update={"warnings": (guess, *document.warnings)}) if guess else document


def nothing(lab: Lab) -> Synthetic:
    """No synthetic image."""
    return Synthetic(View([lab.images], np.zeros(0, np.int64)), np.zeros(0, np.int64))


def _whose(lab: Lab) -> dict[str, Any]:
    """Which run, dataset, split and classifier: keys of the result."""
    channels = CHANNELS[lab.config.generator.colour]
    return {
        "run": lab.out_dir.name,
        "kind": "augmentation",
        "dataset": lab.data.id,
        "dataset_name": lab.data.name,
        "preset": lab.config.preset,
        "classifier": classifiers.description(lab.config.classifier, channels, lab.classes),
        "seeds": lab.seeds,
        "splits": _split(lab),
        "shared": lab.shared.taken(),
    }


def _split(lab: Lab) -> dict[str, Any]:
    """Sizes, sources and notes of the split."""
    split = splits.Split.read(lab.out_dir / splits.Split.FILE)
    told = {"notes": split.notes} | ({} if split.groups is None else {"groups": split.groups})
    return {name: len(index) for name, index in lab.split.items()} | told


def _forecast(lab: Lab, score: SimilarityResult) -> dict[str, Any]:
    """The score and what the law says to it: keys of the result."""
    advice = of_score(score, Addition(int(lab.counts.sum()), int(lab.wanted.sum())))
    return {
        "score": Score(
            ssim_supsubcls=score.ssim_supsubcls,
            ssim_mergecls=score.ssim_mergecls,
            argmax=score.argmax,
            profile=score.profile,
            stored=score.stored,
        ),
        "predicted": predicted(advice),
        "not_predicted": advice.text if advice.gain is None else None,
    }


def kept_of_wanted(lab: Lab) -> dict[str, tuple[float, int]]:
    """What each short class kept in the first step, mean over seeds, and what it was short of."""
    amount = min(1.0, max(lab.config.amounts))  # a study of larger ones asks for more than is needed
    pool, wanted = lab.pool(1, amount), lab.wanted_at(amount)
    kept = np.mean([np.bincount(pool.kept(seed).labels, minlength=lab.classes) for seed in lab.seeds], axis=0)
    return {
        name: (float(kept[label]), int(wanted[label]))
        for label, name in enumerate(lab.data.class_names)
        if wanted[label]
    }


def predicted(advice: Advice) -> Predicted | None:
    """What the published law says, as the document holds it; None where it says nothing."""
    if advice.gain is None or advice.low is None or advice.high is None:
        return None
    return Predicted(
        gain_percent=advice.gain,
        low=advice.low,
        high=advice.high,
        advice=Told(verdict=advice.verdict, text=advice.text),
    )


def class_rows(lab: Lab, tested: Mapping[str, Sequence[Evaluation]], kept: Synthetic) -> list[dict[str, Any]]:
    """One row a class, under the keys of parts.accuracy.ClassRow."""
    labels = lab.data.labels[lab.split["test"]]
    synthetic = np.bincount(kept.labels, minlength=lab.classes)
    rows = []
    for label, name in enumerate(lab.data.class_names):
        rows.append(
            {
                "class": name,
                "train": int(lab.counts[label]),
                "test": int((labels == label).sum()),
                "synthetic": int(synthetic[label]),
                "wanted": int(lab.wanted[label]),
                **recalls(tested, labels, label),
            }
        )
    return rows


def _counted(rows: pd.DataFrame) -> dict[str, Any]:
    per_class = {str(name): int(n) for name, n in rows.groupby("class", sort=False).size().items()}
    return {"total": len(rows), "per_class": per_class}


def _why(rows: pd.DataFrame) -> dict[str, Any]:
    """The reasons of rejected images, of all and class by class: keys of parts.synthetic.Rejected."""
    per_class = {str(name): _reasons(mine) for name, mine in rows.groupby("class", sort=False)}
    return {"reasons": _reasons(rows), "reasons_per_class": per_class}


def _reasons(rows: pd.DataFrame) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in rows["reason"].value_counts().items()}


def measure_quality(
    lab: Lab, kept: Synthetic, examiner: Classifier, inception: Inception | None = None
) -> dict[str, Any]:
    """Figures of the kept images against the real training images of the same classes, in the examiner's
    features; with a person's Inception weights their FID as well. Keys: parts.synthetic.Quality."""
    rows = np.flatnonzero(np.isin(lab.real.labels, np.unique(kept.labels)))
    if len(kept.labels) == 0:
        return {"n_real": len(rows), "n_synthetic": 0}
    real = lab.real.images.take(rows)
    found: dict[str, Any] = quality.metrics(
        examiner.features(real), examiner.features(kept.images), seed=lab.config.seed
    )
    in_pixels = pixel_auc((real, lab.real.labels[rows]), (kept.images, kept.labels), lab.config.seed)
    if in_pixels:
        found |= {"pixel_auc": in_pixels[0], "pixel_auc_n": in_pixels[1]}
    return found | (inception.fid(real, kept.images) if inception else {})
