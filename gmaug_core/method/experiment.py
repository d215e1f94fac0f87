"""THE METHOD, GM-augCls (paper A, section 3.4 and figure 5), readable from top to bottom: `run` is the paper.

    split -> score and prediction -> baseline classifier C, a seed -> generator, once
    -> draw, keep what C accepts, retrain C' on real + kept, go on while validation improves
    -> the same without the filter, and step-matched controls -> compare on the test split.

What differs from the authors' scripts, and why: the split is three-way (validation chooses, the test split is
looked at once); every variant gets the same number of SGD steps, the same augmentation and the same initial
weights; controls stand beside the baseline; several seeds, with intervals.

Every finished unit of work (a trained classifier, a step's samples) is a file below out_dir, and every unit
depends only on the config and its own name. So a run that was killed is started again, skips what is there,
and ends with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from gmaug_core.config import AugmentationConfig
from gmaug_core.data.dataset import Dataset
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method.compare import compare
from gmaug_core.method.draw import draw
from gmaug_core.method.lab import Candidate, Lab
from gmaug_core.method.result import AugmentationResult, Step
from gmaug_core.method.variants import CONTROLS, VARIANTS, Choice
from gmaug_core.models.classifiers import Evaluation
from gmaug_core.models.inception import Inception


def run(
    config: AugmentationConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    *,
    out_dir: Path,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> AugmentationResult:
    """Do the whole experiment, or what is left of it, below out_dir, the run's folder. Returns the result
    document.

    grouping: super-class -> its sub-classes. Raises InputError when the dataset cannot be split; Stopped
    after should_stop(), with everything finished so far kept.
    """
    lab = Lab.prepare(config, data, out_dir, report, should_stop)
    # a wrong file of weights fails now, not after hours
    inception = Inception(config.inception, str(lab.device)) if config.inception else None
    score = lab.score(grouping)

    # 1. A classifier C on real images alone, a seed: the baseline, the first judge, the generator's examiner.
    real = VARIANTS["baseline"].training_set
    wanted = [("baseline", seed, partial(real, lab, Choice(seed))) for seed in lab.seeds]
    baselines = dict(zip(lab.seeds, lab.all_trained_or_loaded("baseline", wanted), strict=True))
    examiner = baselines[lab.seeds[0]]
    generator = lab.generator_trained_or_loaded(examiner)

    # 2. Draw, select, retrain; go on while validation improves by more than the tolerance.
    judges = dict(baselines)
    validation = {seed: lab.evaluate(judges[seed], "val").accuracy for seed in lab.seeds}
    chosen: dict[int, Candidate] = {}
    steps: list[Step] = []
    going = list(lab.seeds)
    for step in range(1, config.max_steps + 1):
        if not lab.drawn(step):
            draw(lab, step, generator.model, {seed: judges[seed] for seed in going})
        pool, still_going = lab.pool(step), []
        for seed in going:
            best = max(retrain(lab, step, seed), key=lambda candidate: candidate.validation, default=None)
            improved = best is not None and best.validation > validation[seed] + config.tolerance
            steps.append(
                Step(
                    **pool.account(seed),
                    val_before=validation[seed],
                    chosen=best.use if best else None,
                    val_after=best.validation if best else None,
                    went_on=improved and step < config.max_steps,
                )
            )
            if best is None:  # the filter accepted nothing: there is nothing to train on
                continue
            if seed not in chosen or best.validation > chosen[seed].validation:
                chosen[seed] = best
            if improved:
                judges[seed], validation[seed] = best.classifier, best.validation
                still_going.append(seed)
        going = still_going
        if not going:
            break

    # 3. Controls: the ablation without the filter, and what one would do without a generator.
    tested: dict[str, list[Evaluation]] = {key: [] for key in VARIANTS}
    for seed in lab.seeds:
        tested["baseline"].append(lab.evaluate(baselines[seed], "test"))
        augmented = chosen[seed].classifier if seed in chosen else baselines[seed]
        tested["augmented"].append(lab.evaluate(augmented, "test"))
        choice = Choice(seed, use=chosen[seed].use if seed in chosen else config.use[0])
        for key in CONTROLS:
            training_set = partial(VARIANTS[key].training_set, lab, choice)
            control = lab.trained_or_loaded("controls", key, seed, training_set)
            tested[key].append(lab.evaluate(control, "test"))

    # 4. Compare on the test split, which nothing above has looked at.
    return compare(lab, score, generator, tested, steps, examiner, inception)


def retrain(lab: Lab, step: int, seed: int) -> list[Candidate]:
    """C' on real + kept, once for each way of using them. Empty when nothing was kept."""
    if len(lab.pool(step).kept(seed).labels) == 0:
        return []
    found = []
    for use in lab.config.use:
        training_set = partial(VARIANTS["augmented"].training_set, lab, Choice(seed, step, use))
        classifier = lab.trained_or_loaded(f"retrain-{step}", f"step{step}-{use}", seed, training_set)
        found.append(Candidate(use, classifier, lab.evaluate(classifier, "val").accuracy))
    return found
