"""THE METHOD, GM-augCls (paper A, section 3.4 and figure 5), readable from top to bottom: `run` is the paper.

    split -> score and prediction -> baseline classifier C, a seed -> generator, once
       (an early look at it may end the run)
    -> draw, keep what C accepts, retrain C' on real + kept, go on while validation improves
    -> the same without the filter -> what one would do without a generator, and the best of that with
    synthetic images on top -> compare on the test split.

What differs from the authors' scripts, and why: the split is three-way (validation chooses, the test split is
looked at once); every variant gets the same number of SGD steps, the same augmentation and the same initial
weights; controls stand beside the baseline, each with as many candidates as the augmented one; several seeds
decide together, with intervals.

THE ENDPOINT is fixed beforehand: the best recipe without a generator, chosen on validation, with accepted
synthetic images against the same recipe without them.

Every finished unit of work (a trained classifier, a batch of samples) is a file below out_dir, and every unit
depends only on the config and its own name. So a run that was killed is started again, skips what is there,
and ends with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from gmaug_core.config import AugmentationConfig
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Paused
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method.acceptance import real_acceptance
from gmaug_core.method.compare import Endpoint, compare
from gmaug_core.method.draw import budget_for, draw
from gmaug_core.method.lab import PLAIN, Arm, Lab, Order, best
from gmaug_core.method.recipes import RECIPES, TrainingSet
from gmaug_core.method.result import AugmentationResult, Probe, Step
from gmaug_core.method.shared import Folders
from gmaug_core.method.statistics import difference
from gmaug_core.method.stopping import EarlyVerdict, early_generator, probe, saved
from gmaug_core.models.classifiers import Evaluation
from gmaug_core.models.generators import Generator
from gmaug_core.models.inception import Inception
from gmaug_core.scoring.result import SimilarityResult

Keep = Callable[[Mapping[str, Sequence[Evaluation]], Endpoint | None], None]


def run(
    config: AugmentationConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    *,
    out_dir: Path,
    others: Folders = tuple,
    verdict: EarlyVerdict | None = None,
    keep: Keep | None = None,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> AugmentationResult:
    """Do the whole experiment, or what is left of it, below out_dir, the run's folder. Returns the result
    document.

    grouping: super-class -> its sub-classes; others: checkpoint folders of other runs, from which the same
    classifiers are taken; verdict: one of these settings that speaks against it, for the probe; keep: given
    what every variant said of the test images, before it becomes a result. Raises InputError when the dataset
    cannot be split, or has nothing to add; Stopped after should_stop(), with everything finished so far kept;
    Paused where the probe asks.
    """
    lab = Lab.prepare(config, data, out_dir, report, should_stop, others=others)
    # a wrong file of weights fails now, not after hours
    inception = Inception(config.inception, str(lab.device)) if config.inception else None
    score = lab.score(grouping)

    # 1. A classifier C on real images alone, a seed: the baseline, the first judge, the generator's examiner.
    baseline = lab.arm("baseline", "baseline", lambda _: lab.real)
    examiner = baseline.classifiers[lab.seeds[0]]
    early = probed(lab, baseline, verdict)
    if early and early.stop and config.probe == "stop":
        return ended_early(lab, score, baseline, early, keep)
    generator = lab.generator_trained_or_loaded(examiner)

    # 2. Draw, select, retrain; go on while validation improves by more than the tolerance and chance.
    retrained, steps = augment(lab, generator.model, baseline)
    augmented = best(retrained) if retrained else baseline  # nothing was accepted: nothing was tested

    # 3. Controls: the ablation without the filter, and what one would do without a generator.
    alone = {key: without_generator(lab, key, baseline) for key in config.controls}
    controls = trained_controls(lab, {"unfiltered": without_filter(lab), **alone})
    arms = {"baseline": baseline, "augmented": augmented, **controls}

    # The endpoint: the best of them on validation, with synthetic images on top.
    strongest, endpoint = best([baseline, *(controls[key] for key in alone)]), None
    if retrained:
        endpoint = endpoint_of(strongest)
        arms[endpoint.augmented] = best(with_recipe(lab, strongest, retrained))

    # 4. Compare on the test split, which nothing above has looked at.
    tested = {
        key: [lab.evaluate(each, "test") for each in arm.classifiers.values()] for key, arm in arms.items()
    }
    if keep:
        keep(tested, endpoint)
    return compare(
        lab,
        score,
        generator,
        tested,
        steps,
        examiner,
        inception,
        endpoint=endpoint,
        probe=early,
        real_acceptance=real_acceptance(lab.samples, lab.data.class_names),
    )


def probed(lab: Lab, baseline: Arm, verdict: EarlyVerdict | None) -> Probe | None:
    """The early look at the generator, where one is asked for. Raises Paused once, the first time that it
    says stop and the settings say ask: who resumes the run has answered."""
    if lab.config.probe == "off":
        return None
    early, now = probe(lab, baseline, verdict)
    if now and early.stop and lab.config.probe == "ask":
        raise Paused(
            f"The early look says that the rest of this run will not pay. {early.words} "
            f"{saved(early_generator(lab, baseline, early), early)} Resume goes on to the end."
        )
    return early


def ended_early(
    lab: Lab, score: SimilarityResult, baseline: Arm, early: Probe, keep: Keep | None
) -> AugmentationResult:
    """The result of a run that its probe ended: real images alone, and why."""
    alone = [lab.evaluate(each, "test") for each in baseline.classifiers.values()]
    generator, tested = early_generator(lab, baseline, early), {"baseline": alone, "augmented": alone}
    if keep:
        keep(tested, None)
    return compare(
        lab,
        score,
        generator,
        tested,
        [],
        baseline.classifiers[lab.seeds[0]],
        None,
        probe=early,
        ended=f"{early.words} {saved(generator, early)}",
    )


def endpoint_of(strongest: Arm) -> Endpoint:
    """The comparison that was fixed beforehand. strongest: the best arm without a generator."""
    key = strongest.recipe.key
    if strongest.recipe is PLAIN:
        return Endpoint(key, alone="baseline", augmented="augmented")
    return Endpoint(key, alone=key, augmented="best_augmented")


def augment(lab: Lab, generator: Generator, baseline: Arm) -> tuple[list[Arm], list[Step]]:
    """C' on real + kept, once for each way of using them, of the step that was best on validation; and the
    account of every step and seed. Without arms where nothing was kept."""
    judge, chosen, steps = baseline, list[Arm](), list[Step]()
    for step in range(1, lab.config.max_steps + 1):
        if not lab.drawn(step):
            draw(lab, step, generator, judge.classifiers)
        found = retrain(lab, step)
        after = best(found) if found else None
        went_on = after is not None and step < lab.config.max_steps and improves(lab, judge, after)
        steps += account(lab, step, judge, after, went_on=went_on)
        if after is not None and (not chosen or after.validation > best(chosen).validation):
            chosen = found
        if after is None or not went_on:
            break
        judge = after
    return chosen, steps


def retrain(lab: Lab, step: int) -> list[Arm]:
    """C' on real + kept, once for each way of using them. Empty when no judge kept anything."""
    pool = lab.pool(step)
    if not any(len(pool.kept(seed).labels) for seed in lab.seeds):
        return []
    return lab.arms(
        f"retrain-{step}",
        [
            Order(f"step{step}-{use}", partial(lab.kept, step, use), use=use, step=step)
            for use in lab.config.use
        ],
    )


def improves(lab: Lab, before: Arm, after: Arm) -> bool:
    """Whether validation rose by more than the tolerance and by more than chance: the lower end of the 95 %
    interval over seeds and images lies above it. By the mean alone the better of two candidates that change
    nothing would go on in two cases of three, by the standard error in one of four; so it does in one of
    twenty (simulated with 2 to 5 seeds; a single seed knows nothing of its own chance)."""
    return difference(after.correct.astype(float), before.correct.astype(float)).low > lab.config.tolerance


def account(lab: Lab, step: int, before: Arm, after: Arm | None, *, went_on: bool) -> list[Step]:
    """What each seed did in a step."""
    pool, budget = lab.pool(step), budget_for(lab.wanted, lab.config.draw_budget)
    return [
        Step(
            **pool.account(seed, budget),
            val_before=float(before.correct[row].mean()),
            chosen=after.use if after else None,
            val_after=float(after.correct[row].mean()) if after else None,
            went_on=went_on,
        )
        for row, seed in enumerate(lab.seeds)
    ]


def without_filter(lab: Lab) -> list[Order]:
    """C' on real + the first images drawn, once for each way of using them."""

    def training_set(use: str, _: int) -> TrainingSet:
        return lab.first_drawn(1, use)

    return [Order(f"unfiltered-{use}", partial(training_set, use), use=use, step=1) for use in lab.config.use]


def without_generator(lab: Lab, key: str, baseline: Arm) -> list[Order]:
    """A recipe on real images alone, once for each of its candidates."""
    recipe = RECIPES[key]
    return [
        Order(f"{key}-{value:g}", lambda _: lab.real, recipe=recipe, value=value, plain=baseline)
        for value in recipe.candidates(len(lab.config.use))
    ]


def trained_controls(lab: Lab, orders: Mapping[str, Sequence[Order]]) -> dict[str, Arm]:
    """Of each control the candidate that is best on validation; all are trained together."""
    found = iter(lab.arms("controls", [order for each in orders.values() for order in each]))
    return {key: best([next(found) for _ in each]) for key, each in orders.items()}


def with_recipe(lab: Lab, alone: Arm, retrained: Sequence[Arm]) -> list[Arm]:
    """The recipe of an arm, at its value, on real + kept, once for each way of using them. retrained: the
    plain recipe's arms on these."""
    if alone.recipe is PLAIN:
        return list(retrained)
    return lab.arms(
        "controls",
        [
            Order(
                f"{alone.recipe.key}-{alone.value:g}-step{plain.step}-{plain.use}",
                partial(lab.kept, plain.step, plain.use),
                recipe=alone.recipe,
                value=alone.value,
                plain=plain,
                use=plain.use,
                step=plain.step,
            )
            for plain in retrained
        ],
    )
