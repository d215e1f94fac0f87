"""How many synthetic images enter, and how: chosen on validation by classifiers that nothing else uses, whose
seeds are no seeds of the variants that are compared. So any number of amounts may be tried: no network that
was lucky on validation is tested.

First the amounts, everything else as first named; then at the best one each other weight and second stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gmaug_core.method.arms import Arm, Order, best
from gmaug_core.method.lab import Lab
from gmaug_core.method.measures import correct, measure
from gmaug_core.method.parts.accuracy import Measure
from gmaug_core.method.parts.synthetic import Choice, Dose, Tried
from gmaug_core.method.statistics import Floats, difference, proportion
from gmaug_core.method.ways import Way, amounts, refinements, studied

STAGE = "amounts"


@dataclass(frozen=True)
class Study:
    """What chose the way, and the classifiers that it rests on: alone, on real images; arms, one for each
    amount, ascending; refined, at the best amount. Without any where there was nothing to choose."""

    way: Way
    alone: Arm | None = None
    arms: Sequence[Arm] = ()
    refined: Sequence[Arm] = ()


def amount_study(lab: Lab) -> Study:
    """The way that is best on validation, of the images of step 1. Raises what training raises."""
    ways = distinct(lab, amounts(lab.config))
    if not studied(lab.config) or not ways:
        return Study(amounts(lab.config)[0])
    seeds = lab.study_seeds
    real = Order("baseline", lambda _: lab.real, seeds=seeds)
    alone, *arms = lab.arms(STAGE, [real, *orders(lab, ways)])
    most = best(arms)
    refined = lab.arms(STAGE, orders(lab, refinements(lab.config, most.way or Way())))
    return Study(best([most, *refined]).way or Way(), alone, arms, refined)


def orders(lab: Lab, ways: Sequence[Way]) -> list[Order]:
    """Real + kept in each of these ways, with the study's seeds."""
    return [Order("step1", partial(lab.kept, 1, way), way=way, step=1, seeds=lab.study_seeds) for way in ways]


def distinct(lab: Lab, ways: Sequence[Way]) -> list[Way]:
    """Those that add images, and more than the one before: an amount that the accepted images do not reach is
    the same training again."""
    found, before = list[Way](), 0.0
    for way in ways:
        now = added(lab, way)
        if now > before:
            found.append(way)
        before = now
    return found


def added(lab: Lab, way: Way) -> float:
    """Images that the way adds, mean over the study's judges."""
    pool = lab.pool(1, way.amount)
    return float(np.mean([len(pool.kept(lab.judge_of(seed)).labels) for seed in lab.study_seeds]))


def doses(lab: Lab, study: Study) -> tuple[Dose, ...]:
    """Accuracy after each amount on validation, which chose, and on the test split, which did not."""
    if study.alone is None:
        return ()
    on_test = [lab.evaluate(each, "test") for each in study.alone.classifiers.values()]
    zero, rows = correct(on_test), []
    for arm in (study.alone, *study.arms):
        tested = correct([lab.evaluate(each, "test") for each in arm.classifiers.values()])
        gain = difference(tested, zero)
        rows.append(
            Dose(
                amount=arm.way.amount if arm.way else 0.0,
                added=added(lab, arm.way) if arm.way else 0.0,
                real=len(lab.real.labels),
                validation=_share(arm.correct.astype(float)),
                test=_share(tested),
                points=100 * gain.mean,
                points_low=100 * gain.low,
                points_high=100 * gain.high,
            )
        )
    return tuple(rows)


def _share(right: Floats) -> Measure:
    """right: 0 or 1, float [seeds, images]."""
    return measure(proportion(right), right.mean(axis=1).tolist(), right.shape[1])


def choice(study: Study, alone: Arm, with_synthetic: Arm) -> Choice:
    """What validation says to do. alone, with_synthetic: the two arms of the endpoint, of the run's seeds."""
    way = with_synthetic.way or study.way
    none = with_synthetic.validation <= alone.validation
    figures = f"{100 * with_synthetic.validation:.2f} % with, {100 * alone.validation:.2f} % without"
    n = alone.correct.shape[1]
    if none:
        words = (
            f"Use none: on {n:,} validation images the best recipe without a generator did no better with "
            f"synthetic images ({figures}). What is compared on the test split is the best way of using them "
            f"all the same: {way.words}."
        )
    else:
        told = difference(with_synthetic.correct.astype(float), alone.correct.astype(float)).low > 0
        luck = "" if told else ", which validation cannot tell from nothing"
        words = f"Use them, {way.words}: on {n:,} validation images {figures}{luck}."
    return Choice(
        none=none,
        amount=way.amount,
        use=way.use,
        weight=way.weight,
        second_stage=way.second,
        validation_with=with_synthetic.validation,
        validation_without=alone.validation,
        words=f"{words}{_chosen_by(study)}",
        tried=tuple(
            Tried(words=arm.way.words if arm.way else "none", validation=arm.validation)
            for arm in (*([study.alone] if study.alone else []), *study.arms, *study.refined)
        ),
    )


def _chosen_by(study: Study) -> str:
    """What the choice of the amount rests on, in words."""
    if study.alone is None:
        return ""
    seeds = len(study.alone.classifiers)
    trained = f"{len(study.arms) + len(study.refined)} ways"
    rests = "one seed, so luck has a part in it" if seeds == 1 else f"{seeds} seeds"
    return f" That was chosen among {trained} by classifiers of {rests}; none of these is compared."
