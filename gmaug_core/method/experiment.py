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
synthetic images against the same recipe without them. A small validation part chooses by luck among recipes
that are much alike, and a weak one is easily improved: so synthetic images count as better only where they
are so, too, against every recipe that validation could not tell from the best.

Every finished unit of work (a trained classifier, a batch of samples) is a file below out_dir, and every unit
depends only on the config and its own name. So a run that was killed is started again, skips what is there,
and ends with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gmaug_core.config import AugmentationConfig
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import Paused
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method.acceptance import judge_figures, real_acceptance
from gmaug_core.method.amounts import Study, amount_study, choice, doses
from gmaug_core.method.arms import PLAIN, Arm, Order, best
from gmaug_core.method.bench import Bench
from gmaug_core.method.compare import compare
from gmaug_core.method.controls import (
    replay,
    trained_controls,
    with_recipe,
    without_filter,
    without_generator,
)
from gmaug_core.method.counting import paper_counting
from gmaug_core.method.draw import draw
from gmaug_core.method.judging import judges
from gmaug_core.method.lab import Lab
from gmaug_core.method.parts.generator import Probe
from gmaug_core.method.parts.synthetic import Step
from gmaug_core.method.result import AugmentationResult
from gmaug_core.method.shared import Folders
from gmaug_core.method.statistics import difference
from gmaug_core.method.stopping import EarlyVerdict, early_generator, probe, saved
from gmaug_core.method.testing import Endpoint
from gmaug_core.method.ways import Way, compared
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
    look_at_the_filter(lab, baseline)
    early = probed(lab, baseline, verdict)
    if early and early.stop and config.probe == "stop":
        return ended_early(lab, score, baseline, early, keep)
    generator = lab.generator_trained_or_loaded(examiner)

    # 2. Draw, select, retrain; go on while validation improves by more than the tolerance and chance.
    found = augment(lab, generator.model, baseline)
    augmented = best(found.arms) if found.arms else baseline  # nothing was accepted: nothing was tested

    # 3. Controls: without the filter; copies of real images instead; what one would do without a generator.
    alone = {key: without_generator(lab, key, baseline) for key in config.controls}
    ablations = {"unfiltered": without_filter(lab, found.study.way), "real_replay": replay(lab, found.arms)}
    controls = trained_controls(lab, {key: each for key, each in (ablations | alone).items() if each})
    arms = {"baseline": baseline, "augmented": augmented, **controls}

    # The endpoint: the best of them on validation, with synthetic images on top.
    simple = {"baseline": baseline} | {key: controls[key] for key in alone}
    strongest, endpoint = best(simple.values()), None
    further = list[dict[str, Arm]]()
    if found.arms:
        endpoint = endpoint_of(strongest, simple)
        arms[endpoint.augmented] = best(with_recipe(lab, strongest, found.arms))
        # The same with every other generator, so that the interval covers their luck, too.
        numbers = range(1, config.generator_seeds)
        further = [repeated(lab.of(number), baseline, strongest, arms, endpoint) for number in numbers]

    # 4. Compare on the test split, which nothing above has looked at.
    tested, repeats = on_test(lab, arms), [on_test(lab, each) for each in further]
    if keep:
        keep(tested, endpoint)
    return compare(
        lab,
        score,
        generator,
        tested,
        found.steps,
        examiner,
        inception,
        endpoint=endpoint,
        probe=early,
        repeats=repeats,
        choice=choice(found.study, strongest, arms[endpoint.augmented]) if endpoint else None,
        doses=doses(lab, found.study),
        # the paper's way chooses on the test split: when everything else is decided
        paper_counting=paper_counting(lab, augmented) if endpoint else None,
        real_acceptance=real_acceptance(lab.samples, lab.data.class_names),
        judge=judge_figures(lab.samples, config.selection),
    )


def look_at_the_filter(lab: Lab, baseline: Arm) -> None:
    """Show the first step's judges real images that they were not trained on, before a generator is trained:
    who watches sees at once whether the filter can be passed."""
    if lab.drawn(1) or lab.config.selection.mode == "none":
        return
    lab.report("filter", 0, 1)
    Bench.prepare(lab, 1, judges(lab, 1, baseline))
    found = real_acceptance(lab.samples, lab.data.class_names)
    lab.report("filter", 1, 1, real_accepted=found.total.to_dict() if found else None)


def probed(lab: Lab, baseline: Arm, verdict: EarlyVerdict | None) -> Probe | None:
    """The early look at the generator, where one is asked for. Raises Paused once, the first time that it
    says stop and the settings say ask: who resumes the run has answered."""
    if lab.config.probe == "off" or lab.config.generator.stock:  # what was made elsewhere does not get better
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


def on_test(lab: Lab, arms: Mapping[str, Arm]) -> dict[str, list[Evaluation]]:
    """Every arm's classifiers on the test split."""
    return {
        key: [lab.evaluate(each, "test") for each in arm.classifiers.values()] for key, arm in arms.items()
    }


def endpoint_of(strongest: Arm, simple: Mapping[str, Arm]) -> Endpoint:
    """The comparison that was fixed beforehand. strongest: the best arm without a generator, of `simple`."""
    key = strongest.recipe.key
    rivals = tuple(
        name for name, arm in simple.items() if arm is not strongest and not told_apart(strongest, arm)
    )
    if strongest.recipe is PLAIN:
        return Endpoint(key, alone="baseline", augmented="augmented", rivals=rivals)
    return Endpoint(key, alone=key, augmented="best_augmented", rivals=rivals)


def told_apart(better: Arm, other: Arm, *, by: float = 0.0) -> bool:
    """Whether validation can tell: the lower end of the 95 % interval of their difference, over seeds and
    images, lies above `by`, a share of the images."""
    return difference(better.correct.astype(float), other.correct.astype(float)).low > by


@dataclass
class Augmented:
    """What came of the synthetic images: the choice of the amount; the arms of the best step, one for each
    use; the account of every step and seed."""

    study: Study
    arms: list[Arm] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def augment(lab: Lab, generator: Generator, baseline: Arm) -> Augmented:
    """C' on real + kept, once for each way of using them, of the step that was best on validation. Without
    arms where nothing was kept."""
    if not lab.drawn(1):
        draw(lab, 1, generator, judges(lab, 1, baseline))
    found, judge = Augmented(amount_study(lab)), baseline
    for step in range(1, lab.config.max_steps + 1):
        if not lab.drawn(step):
            draw(lab, step, generator, judges(lab, step, judge))
        arms = retrain(lab, step, found.study.way)
        after = best(arms) if arms else None
        went_on = after is not None and step < lab.config.max_steps and improves(lab, judge, after)
        found.steps += account(lab, step, judge, after, went_on=went_on)
        if after is not None and (not found.arms or after.validation > best(found.arms).validation):
            found.arms = arms
        if after is None or not went_on:
            break
        judge = after
    return found


def retrain(lab: Lab, step: int, way: Way) -> list[Arm]:
    """C' on real + kept, this way, once for each use. Empty when no judge kept anything."""
    pool = lab.pool(step)
    if not any(len(pool.kept(seed).labels) for seed in lab.seeds):
        return []
    return lab.arms(
        f"retrain-{step}",
        [
            Order(f"step{step}", partial(lab.kept, step, each), way=each, step=step)
            for each in compared(lab.config, way)
        ],
    )


def repeated(
    lab: Lab, baseline: Arm, strongest: Arm, arms: Mapping[str, Arm], endpoint: Endpoint
) -> dict[str, Arm]:
    """The augmented arm and the endpoint's with another generator, on the way that was chosen with the first:
    the same step, amount and use. lab: of that generator; arms: of the first one."""
    augmented, on_top = arms["augmented"], arms[endpoint.augmented]
    generator = lab.generator_trained_or_loaded(baseline.classifiers[lab.seeds[0]])
    ways = {arm.way.key: arm.way for arm in (augmented, on_top) if arm.way}
    judge, found = baseline, dict[Way | None, Arm]()
    for step in range(1, augmented.step + 1):
        if not lab.drawn(step):
            draw(lab, step, generator.model, judges(lab, step, judge))
        orders = [
            Order(f"step{step}", partial(lab.kept, step, way), way=way, step=step) for way in ways.values()
        ]
        found = {arm.way: arm for arm in lab.arms(f"retrain-{step}", orders)}
        judge = found[augmented.way]
    (top,) = with_recipe(lab, strongest, [found[on_top.way]])
    return {"augmented": judge, endpoint.augmented: top}


def improves(lab: Lab, before: Arm, after: Arm) -> bool:
    """Whether validation rose by more than the tolerance and by more than chance: the lower end of the 95 %
    interval over seeds and images lies above it. By the mean alone the better of two candidates that change
    nothing would go on in two cases of three, by the standard error in one of four; so it does in one of
    twenty (simulated with 2 to 5 seeds; a single seed knows nothing of its own chance)."""
    return told_apart(after, before, by=lab.config.tolerance)


def account(lab: Lab, step: int, before: Arm, after: Arm | None, *, went_on: bool) -> list[Step]:
    """What each seed did in a step."""
    pool, budget = lab.pool(step), lab.budget
    return [
        Step(
            **pool.account(seed, budget),
            val_before=float(before.correct[row].mean()),
            chosen=after.way.use if after and after.way else None,
            val_after=float(after.correct[row].mean()) if after else None,
            went_on=went_on,
        )
        for row, seed in enumerate(lab.seeds)
    ]
