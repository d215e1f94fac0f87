"""The stop rule of a run: after a fifth of the generator's training, whether the rest will pay.

Two looks, at a tenth and at a fifth, draw the same few images of the classes that are short. The run had
better end where the verdict of its settings already said so; or where three witnesses agree that this
generator does not get there: a last layer trained again with the images gains nothing, a classifier always
tells them from real ones, and they came no nearer to real ones between the looks. One witness for it is
enough to go on: early images of a generator that will be good are poor, but they get better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.views import View
from gmaug_core.files import read_json, write_json
from gmaug_core.method.arms import Arm, Order
from gmaug_core.method.lab import Lab, TrainedGenerator
from gmaug_core.method.parts.generator import Look, Probe
from gmaug_core.method.pool import Synthetic
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.statistics import Interval, difference
from gmaug_core.method.ways import Way
from gmaug_core.models import quality
from gmaug_core.models.classifiers import Classifier
from gmaug_core.seeds import derive

SHARES = (0.1, 0.2)  # of the generator's training
MOST = 256  # images drawn for a look, together
PER_CLASS = 32  # at most
LEAST_REAL = 10  # real images below which nothing is said of telling them apart
ALWAYS = 0.99  # an area under the curve from which on a classifier always tells the two apart
NEARER = 0.9  # the second look's KID over the first's, below which the images came nearer


@dataclass(frozen=True)
class EarlyVerdict:
    """A finished full verdict of a run's own settings that speaks against it. run: its id; sentence: what it
    said."""

    run: str
    sentence: str


def probe(lab: Lab, baseline: Arm, verdict: EarlyVerdict | None) -> tuple[Probe, bool]:
    """The probe of a run, made now or read, and whether it was made now. Raises Stopped.

    baseline: the classifiers that examine the images, and whose last layers are trained again.
    """
    path = lab.checkpoints / "probe.json"
    if path.exists():
        return Probe.model_validate(read_json(path)), False
    drawn, looks = _looks(lab, baseline.classifiers[lab.seeds[0]])
    gain = _gain(lab, baseline, drawn)
    stop, words = decide(looks, gain, verdict)
    found = Probe(
        looks=tuple(looks),
        points=100 * gain.mean,
        points_low=100 * gain.low,
        points_high=100 * gain.high,
        verdict=verdict.run if verdict else None,
        stop=stop,
        words=words,
    )
    write_json(path, found.to_dict())
    return found, True


def _looks(lab: Lab, examiner: Classifier) -> tuple[Synthetic, list[Look]]:
    """The images of the last look, and what every look found. A look that was finished is a file: the
    generator has gone on since."""
    labels, seeds = _asked(lab)
    looks, drawn = list[Look](), None
    for share in SHARES:
        path = lab.checkpoints / f"look-{share:g}.json"
        if path.exists() and share != SHARES[-1]:
            looks.append(Look.model_validate(read_json(path)))
            continue
        generator = lab.generator_trained_or_loaded(examiner, share)
        batches = list(generator.model.sample(labels, seeds, lab.config.sampling_batch))
        drawn = Synthetic(View([np.concatenate(batches)], np.arange(len(labels))), labels)
        looks.append(_look(lab, examiner, generator, drawn, share))
        write_json(path, looks[-1].to_dict())
    assert drawn is not None  # of the last look
    return drawn, looks


def _asked(lab: Lab) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and seeds of the images of a look: as many of every class that is short, the shortest first
    where not all can be looked at."""
    short = np.argsort(-lab.wanted, kind="stable")[: min(np.count_nonzero(lab.wanted), MOST)]
    each = max(1, min(PER_CLASS, MOST // len(short)))
    labels = np.sort(short).repeat(np.minimum(each, lab.wanted[np.sort(short)]))
    seeds = [derive("probe", lab.config.seed, int(label), k) for k, label in enumerate(labels)]
    return labels.astype(np.int64), np.array(seeds, np.int64)


def _look(
    lab: Lab, examiner: Classifier, generator: TrainedGenerator, drawn: Synthetic, share: float
) -> Look:
    """Against as many real images of each class as were drawn of it, or as many as there are."""
    real, synthetic = list[NDArray[np.int64]](), list[NDArray[np.int64]]()
    for label in np.unique(drawn.labels):
        own, mine = (np.flatnonzero(labels == label) for labels in (lab.real.labels, drawn.labels))
        n = min(len(own), len(mine))
        real.append(own[:n])
        synthetic.append(mine[:n])
    here = examiner.features(lab.real.images.take(np.concatenate(real)))
    there = examiner.features(drawn.images.take(np.concatenate(synthetic)))
    told = quality.real_vs_synthetic_auc(here, there)[0] if len(here) >= LEAST_REAL else None
    return Look(
        share=share,
        kimg=float(generator.figures["images"]) / 1000,
        n_synthetic=len(drawn.labels),
        kid=quality.kernel_distance(here, there) if len(here) > 1 else 0.0,
        real_vs_synthetic_auc=told,
    )


def _gain(lab: Lab, baseline: Arm, drawn: Synthetic) -> Interval:
    """What the images add on validation to a last layer trained again, all classes alike: a share."""
    recipe = RECIPES["crt"]
    without, with_them = lab.arms(
        "probe",
        [
            Order("probe-real", lambda _: lab.real, recipe=recipe, plain=baseline),
            Order("probe-drawn", lambda _: lab.with_synthetic(Way(), drawn), recipe=recipe, plain=baseline),
        ],
    )
    return difference(with_them.correct.astype(float), without.correct.astype(float))


def decide(looks: Sequence[Look], gain: Interval, verdict: EarlyVerdict | None) -> tuple[bool, str]:
    """Whether the run had better end, and why, with the figures. gain: a share."""
    if verdict:
        return True, f"The verdict {verdict.run} of these settings says: {verdict.sentence}"
    first, last = looks[0], looks[-1]
    helps = (
        f"a last layer trained again with its images changes {100 * gain.mean:+z.1f} points "
        f"[{100 * gain.low:+z.1f}, {100 * gain.high:+z.1f}] on validation"
    )
    known = last.real_vs_synthetic_auc
    told = "too few real images to compare with"
    if known is not None:
        told = f"told from real ones with an AUC of {known:.3f}"
    nearer = f"KID {first.kid:.3g} at {first.kimg:g} kimg, {last.kid:.3g} at {last.kimg:g} kimg"
    figures = f"{helps}; {told}; {nearer}"
    at = f"After {last.share:.0%} of its training"
    if gain.low > 0:
        return False, f"{at} the generator's images already help: {figures}."
    if known is None or known < ALWAYS:
        return False, f"{at} the generator's images cannot always be told from real ones: {figures}."
    if last.kid < NEARER * first.kid:
        return False, f"{at} the generator's images come nearer to real ones: {figures}."
    return True, f"{at} the generator does not get there: {figures}."


def early_generator(lab: Lab, baseline: Arm, probe: Probe) -> TrainedGenerator:
    """As far as it was trained for the last look."""
    return lab.generator_trained_or_loaded(baseline.classifiers[lab.seeds[0]], probe.looks[-1].share)


def saved(generator: TrainedGenerator, probe: Probe) -> str:
    """What was not done, in words."""
    share = probe.looks[-1].share
    seconds = float(generator.figures.get("seconds", 0.0)) * (1 - share) / share
    took = f", about {seconds / 60:.0f} minutes" if seconds >= 60 else ""
    return f"Saved: {1 - share:.0%} of the generator's training{took}, all draws, and every training on them."
