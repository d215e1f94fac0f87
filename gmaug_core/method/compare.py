"""The result document: every variant on the test split, gains, figures of the images, cautions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.config import CHANNELS
from gmaug_core.data import samples
from gmaug_core.method import result
from gmaug_core.method.cautions import cautions
from gmaug_core.method.lab import Lab, TrainedGenerator
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.statistics import relative_gain, summary
from gmaug_core.method.tested import not_tested
from gmaug_core.method.variants import CONTROLS, VARIANTS
from gmaug_core.models import classifiers, quality
from gmaug_core.models.classifiers import Classifier, Evaluation
from gmaug_core.models.inception import Inception
from gmaug_core.scoring.advice import Addition, Advice, of_score
from gmaug_core.scoring.result import SimilarityResult


def compare(
    lab: Lab,
    score: SimilarityResult,
    generator: TrainedGenerator,
    tested: Mapping[str, Sequence[Evaluation]],
    steps: Sequence[result.Step],
    examiner: Classifier,
    inception: Inception | None,
) -> result.AugmentationResult:
    """The document of a run whose work is done.

    tested: for every variant its evaluations on the test split, in the order of lab.seeds; examiner: the
    classifier in whose features the images are judged; inception: a person's own, for FID.
    """
    lab.report("quality", 0, 1)
    labels = lab.data.labels[lab.split["test"]]
    variants = {key: summary(VARIANTS[key].label, tested[key], labels) for key in VARIANTS}
    gains = {
        key: relative_gain(tested["augmented"], tested[key], key) for key in VARIANTS if key != "augmented"
    }
    verdicts = samples.table(lab.samples, seed=lab.seeds[0])
    right = verdicts["accepted"].astype(bool)
    accepted, rejected = verdicts[right], verdicts[~right]
    kept = lab.pool(1).kept(lab.seeds[0])
    missing = kept_of_wanted(lab)
    words = not_tested(missing)
    figures = result.GeneratorFigures.model_validate(
        {"name": lab.config.generator.name, "closed_set": generator.model.closed_set} | generator.figures
    )
    advice = of_score(score, Addition(int(lab.counts.sum()), int(lab.wanted.sum())))
    document = result.AugmentationResult.new(
        run=lab.out_dir.name,
        kind="augmentation",
        status="not tested" if words else "measured",
        status_words=words,
        dataset=lab.data.id,
        dataset_name=lab.data.name,
        preset=lab.config.preset,
        generator=figures,
        classifier=classifiers.description(
            lab.config.classifier, CHANNELS[lab.config.generator.colour], lab.classes
        ),
        seeds=lab.seeds,
        splits={name: len(index) for name, index in lab.split.items()},
        score=result.Score(
            ssim_supsubcls=score.ssim_supsubcls,
            ssim_mergecls=score.ssim_mergecls,
            argmax=score.argmax,
            profile=score.profile,
            stored=score.stored,
        ),
        predicted=predicted(advice),
        not_predicted=advice.text if advice.gain is None else None,
        baseline=variants["baseline"],
        augmented=variants["augmented"],
        controls={key: variants[key] for key in CONTROLS},
        relative_gain_percent=gains["baseline"],
        gains=gains,
        per_class=class_rows(lab, tested, kept, labels),
        accepted=_counted(accepted),
        rejected=_counted(rejected)
        | {"reasons": {str(k): int(v) for k, v in rejected["reason"].value_counts().items()}},
        steps=steps,
        quality=measure_quality(lab, kept, examiner, inception),
        warnings=cautions(
            lab.config,
            lab.data.class_names,
            collapse=figures.collapse,
            steps=steps,
            accepted=len(accepted),
            wanted=lab.wanted,
            tested=np.bincount(labels, minlength=lab.classes),
        ),
    )
    lab.report("quality", 1, 1)
    return document


def kept_of_wanted(lab: Lab) -> dict[str, tuple[float, int]]:
    """What each short class kept in the first step, mean over seeds, and what it was short of."""
    pool = lab.pool(1)
    kept = np.mean([np.bincount(pool.kept(seed).labels, minlength=lab.classes) for seed in lab.seeds], axis=0)
    return {
        name: (float(kept[label]), int(lab.wanted[label]))
        for label, name in enumerate(lab.data.class_names)
        if lab.wanted[label]
    }


def predicted(advice: Advice) -> result.Predicted | None:
    """What the published law says, as the document holds it; None where it says nothing."""
    if advice.gain is None or advice.low is None or advice.high is None:
        return None
    return result.Predicted(
        gain_percent=advice.gain,
        low=advice.low,
        high=advice.high,
        advice=result.Advice(verdict=advice.verdict, text=advice.text),
    )


def class_rows(
    lab: Lab,
    tested: Mapping[str, Sequence[Evaluation]],
    kept: Synthetic,
    labels: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """One row a class, under the keys of result.ClassRow. labels: int [images], of the test split."""
    synthetic = np.bincount(kept.labels, minlength=lab.classes)
    recall = {
        key: [
            float(np.mean([e.recall[label] for e in found])) if found[0].n[label] else None
            for label in range(lab.classes)
        ]
        for key, found in tested.items()
    }
    return [
        {
            "class": name,
            "train": int(lab.counts[label]),
            "test": int((labels == label).sum()),
            "synthetic": int(synthetic[label]),
            "wanted": int(lab.wanted[label]),
            **{key: found[label] for key, found in recall.items()},
        }
        for label, name in enumerate(lab.data.class_names)
    ]


def _counted(rows: pd.DataFrame) -> dict[str, Any]:
    per_class = {str(name): int(n) for name, n in rows.groupby("class", sort=False).size().items()}
    return {"total": len(rows), "per_class": per_class}


def measure_quality(
    lab: Lab, kept: Synthetic, examiner: Classifier, inception: Inception | None = None
) -> dict[str, Any]:
    """Figures of the kept images against the real training images of the same classes, in the examiner's
    features; with a person's Inception weights their FID as well. Keys: result.Quality."""
    rows = np.flatnonzero(np.isin(lab.real.labels, np.unique(kept.labels)))
    if len(kept.labels) == 0:
        return {"n_real": len(rows), "n_synthetic": 0}
    real = lab.real.images.take(rows)
    found: dict[str, Any] = quality.metrics(
        examiner.features(real), examiner.features(kept.images), seed=lab.config.seed
    )
    return found | (inception.fid(real, kept.images) if inception else {})
