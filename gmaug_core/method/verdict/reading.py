"""The full reading, with the run's own classifier: its length, its ceiling, what is free, how it spreads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import VerdictConfig
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.views import View
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method.lab import Lab
from gmaug_core.method.recipes import RECIPES, TrainingSet
from gmaug_core.method.shared import Folders
from gmaug_core.method.training import trained
from gmaug_core.method.verdict import ceiling, curve, plan
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.method.verdict.curve import Of
from gmaug_core.method.verdict.figures import Figure
from gmaug_core.method.verdict.finished import Results, Trained
from gmaug_core.method.verdict.first import RARE_FROM, First
from gmaug_core.method.verdict.measure import Reading
from gmaug_core.method.verdict.plan import Images, Plan, Training
from gmaug_core.method.verdict.result import LawReading, LawRecord
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import Classifier, Job, train_many
from gmaug_core.models.classifiers.cost import steps_per_second
from gmaug_core.scoring.advice import Addition, of_score
from gmaug_core.scoring.result import SimilarityResult

BALANCED = ("class_balanced_loss", "logit_adjusted_loss", "crt")  # tried where classes differ in size
ALWAYS = ("trivial_augment", "mixup")  # tried in any case
MOST_LOOKED_AT = 1_000  # training images for the training accuracy


def read(
    config: VerdictConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    first: First,
    fast: Reading,
    wanted: list[ceiling.Amount],
    record: tuple[LawRecord, ...],
    *,
    out_dir: Path,
    spent: float,
    others: Folders,
    report: Report,
    should_stop: ShouldStop,
) -> tuple[LawReading, Reading]:
    """What the law says, and the reading. spent: seconds that the first reading took of the minutes.

    Each finished training is a file below checkpoints. Raises Stopped.
    """
    begun = time.monotonic()
    lab = Lab.prepare(config.augmentation, data, out_dir, report, should_stop, others=others)
    law = _law(lab.score(grouping), ceiling_added(wanted), int(lab.counts.sum()), record)
    counting = Counting(data.labels[lab.split["val"]], lab.counts)
    planned = lab.config.classifier.steps_for(int(lab.counts.sum()))

    def left() -> float:
        return max(0.0, 60 * config.minutes - spent - (time.monotonic() - begun))

    keys = (BALANCED if counting.ratio >= RARE_FROM else ()) + ALWAYS

    def asked(budget: float) -> Plan:
        return plan.make(
            planned,
            budget,
            [(key, RECIPES[key].values[0]) for key in keys],
            fast.over,
            rare=counting.ratio >= RARE_FROM,
            seed=config.seed,
        )

    made, finished = _done(lab, asked, lambda: asked(pace(lab, planned) * left()), left)
    return law, Results(lab, counting, made, planned, finished, fast.over).reading(first, wanted)


def ceiling_added(wanted: list[ceiling.Amount]) -> int:
    """Images that the run would add."""
    return next(amount.added for amount in wanted if amount.key == "run")


def _law(score: SimilarityResult, added: int, real: int, record: tuple[LawRecord, ...]) -> LawReading:
    advice = of_score(score, Addition(real=real, synthetic=added))
    predicted = None
    if advice.gain is not None and advice.low is not None and advice.high is not None:
        predicted = Figure(value=advice.gain, low=advice.low, high=advice.high)
    return LawReading(
        score=score.ssim_supsubcls.value,
        profile=score.profile,
        predicted=predicted,
        refused=None if predicted else advice.text,
        record=record,
    )


def pace(lab: Lab, planned: int) -> float:
    """Steps a second of all trainings together, as they will run."""
    lab.report("pace", 0, 1)
    found = steps_per_second(
        lab.real.images,
        lab.real.labels,
        lab.classes,
        lab.config.classifier,
        planned=planned,
        device=lab.device,
        should_stop=lab.should_stop,
    )
    lab.report("pace", 1, 1, steps_per_s=found)
    return found


def _index(lab: Lab, images: Images, seed: int) -> NDArray[np.int64]:
    """All real training images, or a half of everything or of the rare classes, drawn by the seed."""
    if images == "all":
        return lab.split["train"]
    of: Of = "everything" if images == "half" else "rare"
    return lab.split["train"][curve.subset(lab.real.labels, curve.sizes(lab.counts, 0.5, of), seed=seed)]


def _training_set(lab: Lab, images: Images, seed: int) -> TrainingSet:
    """These images."""
    index = _index(lab, images, seed)
    return TrainingSet(View([lab.images], index), lab.data.labels[index])


def _file(lab: Lab, one: Training) -> Path:
    """Of the finished training."""
    return lab.checkpoints / f"{one.name}-{one.seed}.safetensors"


def _done(
    lab: Lab, asked: Callable[[float], Plan], first: Callable[[], Plan], left: Callable[[], float]
) -> tuple[Plan, dict[Training, Trained]]:
    """What there was time for. asked: the plan of a budget of steps; first: the plan to begin with; left:
    seconds."""
    lab.checkpoints.mkdir(parents=True, exist_ok=True)
    path = lab.checkpoints / "plan.json"
    further: Plan | None = plan.kept(path, first)
    finished: dict[Training, Trained] = {}
    while further is not None:
        made, begun = further, time.monotonic()
        missing = [one for one in made.trainings if not _file(lab, one).exists()]
        finished |= _trained(lab, [one for one in made.trainings if one not in finished])
        taken = lab.shared.taken()
        steps = sum(one.steps for one in missing if _file(lab, one).stem not in taken)
        rate = steps / max(time.monotonic() - begun, 1e-9)  # as it was, not as the pace promised
        further = plan.more(made, asked, rate * left())
        if further is not None:
            plan.keep(path, further)
    return made, {one: finished[one] for one in made.trainings}


def _trained(lab: Lab, trainings: Sequence[Training]) -> dict[Training, Trained]:
    """Each of them: done now, or read from its file. A retrained last layer waits for its body."""
    work = _Work(lab, sum(one.steps for one in trainings))
    found: dict[Training, Trained] = {}
    for second in (False, True):
        batch = [one for one in trainings if RECIPES[one.recipe].second_stage == second]
        jobs = [Job(f"{one.name}, seed {one.seed}", partial(work.do, one)) for one in batch]
        results = train_many(jobs, device=lab.device, report=lab.report, should_stop=lab.should_stop)
        found |= dict(zip(batch, results, strict=True))
    return found


@dataclass
class _Work:
    """Trainings, and how far all of them together are."""

    lab: Lab
    total: int

    def __post_init__(self) -> None:
        self.done: dict[Training, int] = {}

    def do(self, one: Training, report: Report, should_stop: ShouldStop) -> Trained:
        """One training; its validation accuracy is reported when it is there."""
        path = _file(self.lab, one)

        def progress(stage: str, step: int, total: int, **metrics: float) -> None:  # noqa: ARG001
            self.done[one] = step if total == one.steps else one.steps * step // max(total, 1)
            so_far = min(sum(self.done.values()), self.total)
            report("trainings", so_far, self.total, variant=one.name, seed=one.seed, **metrics)

        lab = self.lab
        if not path.exists():
            index = _index(lab, one.images, one.seed)
            decided_by = lab.decides(index, one.recipe, one.value, one.seed, one.steps)
            if lab.shared.take(path, decided_by) is None:
                lab.shared.note(path, decided_by, begun=path.with_suffix(".training").exists())
                _train(lab, one, path, progress, should_stop).save(path)
        classifier = classifiers.load(path, lab.classes, lab.config.classifier, lab.device)
        if should_stop():
            raise Stopped
        logits = classifier.predict_logits(lab.part("val")[0])
        training = _training_set(lab, one.images, one.seed)
        some = np.arange(0, len(training.labels), max(1, len(training.labels) // MOST_LOOKED_AT))
        right = classifier.predict_logits(View([training.images[some]], np.arange(len(some)))).argmax(axis=1)
        accuracy = float((logits.argmax(axis=1) == lab.part("val")[1]).mean())
        progress("", one.steps, one.steps, val_accuracy=accuracy)
        return Trained(logits, float((right == training.labels[some]).mean()))


def _train(lab: Lab, one: Training, path: Path, report: Report, should_stop: ShouldStop) -> Classifier:
    """As the run would; a retrained last layer starts from the plain classifier of the same seed."""
    recipe, config, plain = RECIPES[one.recipe], lab.config.classifier, None
    if recipe.second_stage:
        body = replace(one, recipe="plain", value=1.0)
        plain = classifiers.load(_file(lab, body), lab.classes, config, lab.device)
    return trained(
        recipe,
        one.value,
        _training_set(lab, one.images, one.seed),
        lab.classes,
        config,
        seed=one.seed,
        steps=one.steps,
        plain=plain,
        # a half knows nothing of the other half: neither its mean nor what pre-training on it would give
        normalise_on=lab.real.images if one.images == "all" else None,
        checkpoint=path.with_suffix(".training"),
        device=lab.device,
        report=report,
        should_stop=should_stop,
    )
