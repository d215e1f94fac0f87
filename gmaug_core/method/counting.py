"""The paper's way of counting, named for what it is, and with its placebo.

The paper trains every arm for so many epochs, so that more images mean more SGD steps, and reports the best
epoch on the test images. Here both are done once more, beside the comparison that is step-matched, and with
an arm that gets copies of real images in place of the synthetic ones, as many of each class: what it gains is
training length, rare classes shown more often, and choosing on the test split, not images.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data import checksums
from gmaug_core.hooks import Report, ShouldStop, under
from gmaug_core.method.arms import Arm
from gmaug_core.method.lab import Lab
from gmaug_core.method.measures import measure
from gmaug_core.method.parts.accuracy import Measure
from gmaug_core.method.parts.paper_counting import PaperArm, PaperCounting, PaperGain
from gmaug_core.method.progress import Tally
from gmaug_core.method.recipes import TrainingSet
from gmaug_core.method.statistics import proportion, relative
from gmaug_core.method.ways import Way
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Classifier, Job

STAGE = "counting"
LOOKS = 10  # at the test split, evenly over a training; the paper takes the best of 100
WORDS = {
    "baseline": "real images",
    "augmented": "real and accepted synthetic images",
    "placebo": "real images and copies of real ones in place of the synthetic ones",
}


def paper_counting(lab: Lab, augmented: Arm) -> PaperCounting | None:
    """All three arms, with the first seeds of the run; None where the settings ask for none.

    augmented: the arm whose step and amount are counted so, all images drawn alike, as in the paper. Looks at
    the test split many times, so nothing may be chosen by it.
    """
    seeds = lab.seeds[: lab.config.counting_seeds]
    if not seeds:
        return None
    step, way = augmented.step, Way("fill", augmented.way.amount if augmented.way else 1.0)
    sets: dict[str, Callable[[int], TrainingSet]] = {
        "baseline": lambda _: lab.real,
        "augmented": partial(lab.kept, step, way),
        "placebo": partial(lab.replayed, step, way),
    }
    units = [(arm, seed, steps_for(lab, sets[arm](seed))) for arm in sets for seed in seeds]
    steps = {f"{arm}-{seed}": n for arm, seed, n in units}
    finished = {unit: n for unit, n in steps.items() if path_of(lab, unit).exists()}
    tally = Tally(lab.report, STAGE, steps, finished)
    jobs = [
        Job(f"counting '{arm}', seed {seed}", partial(looks, lab, arm, seed, sets[arm], tally))
        for arm, seed, _ in units
    ]
    found = classifiers.train_many(jobs, device=lab.device, report=lab.report, should_stop=lab.should_stop)
    rows = iter(found)
    right = {arm: [next(rows) for _ in seeds] for arm in sets}
    return counted(lab, right, {arm: [steps[f"{arm}-{seed}"] for seed in seeds] for arm in sets})


def steps_for(lab: Lab, training: TrainingSet) -> int:
    """The same epochs of this set as the run's steps are of the real images."""
    return math.ceil(lab.steps * len(training.labels) / len(lab.real.labels))


def path_of(lab: Lab, unit: str) -> Path:
    """What a training got right at each look, bool [looks, test images]: a finished unit of work."""
    return lab.checkpoints / f"counting-{unit}.npy"


def looks(
    lab: Lab,
    arm: str,
    seed: int,
    training_set: Callable[[int], TrainingSet],
    tally: Tally,
    report: Report,
    should_stop: ShouldStop,
) -> NDArray[np.bool_]:
    """Train, and look at the test split at each tenth: bool [looks, test images]."""
    unit = f"{arm}-{seed}"
    path = path_of(lab, unit)
    if (known := checksums.read(path)) is not None:
        return np.asarray(known, bool)
    training = training_set(seed)
    steps, growing = steps_for(lab, training), path.with_suffix(".looks.npy")
    seen = checksums.read(growing)
    if seen is None:
        seen = np.zeros((LOOKS, len(lab.split["test"])), bool)
    due = {math.ceil(steps * (look + 1) / LOOKS): look for look in range(LOOKS)}

    def look(step: int, classifier: Classifier) -> None:
        seen[due[step]] = lab.evaluate(classifier, "test").correct
        checksums.write(growing, seen)  # before the training's own checkpoint

    classifiers.train(
        training.images,
        training.labels,
        lab.classes,
        lab.config.classifier,
        seed=seed,
        steps=steps,
        normalise_on=lab.real.images,
        checkpoint=path.with_suffix(".training"),
        device=lab.device,
        watch=classifiers.Watch(tuple(due), look),
        report=under(tally.of(unit, report), "", variant=f"counting-{arm}", seed=seed),
        should_stop=should_stop,
    )
    checksums.write(path, seen)
    growing.unlink(missing_ok=True)
    return seen


def counted(
    lab: Lab, right: dict[str, list[NDArray[np.bool_]]], steps: dict[str, list[int]]
) -> PaperCounting:
    """The document. right: of each arm and seed bool [looks, test images]; steps: of each arm and seed."""
    best = {
        arm: np.array([each[each.mean(axis=1).argmax()] for each in found]) for arm, found in right.items()
    }
    last = {arm: np.array([each[-1] for each in found]) for arm, found in right.items()}
    arms = {
        arm: PaperArm(
            words=WORDS[arm],
            images=float(np.mean(steps[arm])) / lab.steps * len(lab.real.labels),
            steps=float(np.mean(steps[arm])),
            best=_share(best[arm]),
            last=_share(last[arm]),
        )
        for arm in right
    }
    gain, placebo = (_gain(best[arm], best["baseline"]) for arm in ("augmented", "placebo"))
    seeds = len(right["baseline"])
    return PaperCounting(
        looks=LOOKS,
        seeds=seeds,
        arms=arms,
        gain=gain,
        placebo=placebo,
        words=_words(gain, placebo, arms, seeds),
    )


def _share(right: NDArray[np.bool_]) -> Measure:
    """right: bool [seeds, images]."""
    found = right.astype(float)
    return measure(proportion(found), found.mean(axis=1).tolist(), found.shape[1])


def _gain(a: NDArray[np.bool_], c: NDArray[np.bool_]) -> PaperGain | None:
    """Relative, in percent; None where the other arm recognised nothing."""
    found = relative(a.astype(float), c.astype(float))
    if found is None:
        return None
    return PaperGain(value=100 * found.mean, ci_low=100 * found.low, ci_high=100 * found.high)


def _words(gain: PaperGain | None, placebo: PaperGain | None, arms: dict[str, PaperArm], seeds: int) -> str:
    """The figures in sentences."""
    if gain is None or placebo is None:
        return (
            "By the paper's way of counting there is no gain to tell: real images alone recognised nothing."
        )
    longer = arms["augmented"].steps / arms["baseline"].steps
    over = "one seed" if seeds == 1 else f"{seeds} seeds"
    return (
        f"By the paper's way of counting (as many epochs for every arm, so {longer:.1f} times the steps with "
        f"synthetic images; the best of {LOOKS} looks at the test split) the gain is {_told(gain)}. Its "
        f"placebo, copies of real images instead of the synthetic ones, gains {_told(placebo)}: that much is "
        f"training length, showing rare classes as often, and choosing on the test split ({over})."
    )


def _told(gain: PaperGain) -> str:
    return f"{gain.value:+z.2f} % [{gain.ci_low:+z.2f}, {gain.ci_high:+z.2f}]"
