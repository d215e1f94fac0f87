"""Drawing synthetic images: every class short of the target, until each judge has accepted enough."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.data import samples
from gmaug_core.errors import Stopped
from gmaug_core.method.lab import Lab
from gmaug_core.models import selection
from gmaug_core.models.classifiers import Classifier
from gmaug_core.models.generators import Generator, Judge
from gmaug_core.seeds import derive

LEAST_RATE = 0.2  # of acceptance, that the size of the next batch is planned with
FIRST_SURPLUS = 1.1  # of the first batch, over what is wanted


def draw(lab: Lab, step: int, generator: Generator, judges: Mapping[int, Classifier]) -> None:
    """Draw step `step` and store all its images with every judge's verdict. judges: by seed.

    Ends when each judge has accepted what every class is short of, or the draw budget is spent. Image k of a
    class depends on (seed, step, class, k) alone; with generator.feedback also on the first judge, whose
    network then steers the sampling, for the other judges too. Raises Stopped; nothing of the step is kept
    then.
    """
    wanted, classes = lab.wanted, lab.classes
    steering = next((judge.judge() for judge in judges.values()), None) if lab.feedback else None
    budget = np.ceil(wanted * lab.config.draw_budget).astype(int)
    drawn = np.zeros(classes, int)
    accepted = {seed: np.zeros(classes, int) for seed in judges}
    first = samples.count(lab.samples)
    images: list[NDArray[np.uint8]] = []
    rows: list[pd.DataFrame] = []
    while True:
        ask = _next_batch(wanted, np.min([*accepted.values()], axis=0), drawn, budget)
        if ask.sum() == 0:
            break
        labels = np.repeat(np.arange(classes), ask)
        number = np.concatenate([np.arange(drawn[c], drawn[c] + ask[c]) for c in range(classes)])
        seeds = np.array(
            [
                derive("draw", lab.config.seed, step, int(c), int(k))
                for c, k in zip(labels, number, strict=True)
            ],
            np.int64,
        )
        kept = min(int(a.sum()) for a in accepted.values())
        batch = _sampled(lab, step, generator, labels, seeds, int(drawn.sum()), kept, steering)
        sample = np.arange(len(labels)) + first + int(drawn.sum())
        for seed, judge in judges.items():
            verdict = _verdict(lab, judge, batch, labels)
            rows.append(verdict.assign(sample=sample, step=step, seed=seed, draw_seed=seeds))
            accepted[seed] += np.bincount(labels[verdict["accepted"]], minlength=classes)
        images.append(batch)
        drawn += ask
    pool = np.concatenate(images) if images else lab.images[:0]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=samples.COLUMNS)
    samples.write_step(lab.samples, step, pool, table)


def _next_batch(
    wanted: NDArray[np.int64],
    accepted: NDArray[np.int64],
    drawn: NDArray[np.int64],
    budget: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Images to draw next of each class, all int [classes]: what the strictest judge still misses, at its
    rate so far."""
    short = np.maximum(wanted - accepted, 0)
    rate = np.clip(accepted / np.maximum(drawn, 1), LEAST_RATE, 1.0)
    ask = np.where(drawn == 0, np.ceil(short * FIRST_SURPLUS), np.ceil(short / rate)).astype(int)
    return np.asarray(np.minimum(ask, budget - drawn) * (short > 0), np.int64)


def _sampled(
    lab: Lab,
    step: int,
    generator: Generator,
    labels: NDArray[np.int64],
    seeds: NDArray[np.int64],
    before: int,
    kept: int,
    judge: Judge | None,
) -> NDArray[np.uint8]:
    """These images. before, kept: how many were drawn, and accepted by the strictest judge, so far in this
    step."""
    parts, wanted = [], int(lab.wanted.sum())
    for batch in generator.sample(labels, seeds, lab.config.sampling_batch, judge=judge):
        parts.append(batch)
        drawn = before + sum(map(len, parts))
        lab.report(f"sample-{step}", kept, wanted, drawn=drawn, accepted=kept, rejected=before - kept)
        if lab.should_stop():
            raise Stopped
    return np.concatenate(parts)


def _verdict(
    lab: Lab, judge: Classifier, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> pd.DataFrame:
    """One row an image: what the judge said of it, and whether it is accepted."""
    logits = judge.predict_logits(images)
    rule = lab.config.selection
    verdict = selection.select(logits, labels, threshold=rule.threshold, mode=rule.mode)
    own = np.arange(len(labels)), labels
    return pd.DataFrame(
        {
            "label": labels,
            "class": np.array(lab.data.class_names, object)[labels],
            "logit": logits[own].astype(float),
            "probability": selection.probabilities(logits)[own],
            "predicted": verdict.predicted,
            "accepted": verdict.accepted,
            "reason": verdict.reason,
        }
    )
