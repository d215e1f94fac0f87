"""Synthetic images in real ones, and back: both fitted curves equated in every resample.

What m synthetic images are worth is the number of real ones at which the curve of real images reaches the
accuracy that the synthetic ones reach. Half of the resamples follow the power laws, half the monotone curves,
so an interval covers the choice of the form, too. All trainings of a base take the same steps of the
optimiser: what training longer on more images would do is left out. A resample in which the synthetic images
do less than the base alone answers "less than nothing"; one in which they do more than the real curve may be
continued to, "more than any number". Answers are quantiles of the resamples, ordered like that. How often
they hold is measured by benchmarks/equivalence_simulated.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmaug_core.method.equivalence import published, resamples
from gmaug_core.method.equivalence.curves import RealCurve, SyntheticCurve, real_curve, synthetic_curve
from gmaug_core.method.equivalence.published import Drawn
from gmaug_core.method.equivalence.resamples import LEVEL, Base, Group, Means
from gmaug_core.method.equivalence.result import (
    Answer,
    Cell,
    CurvePlace,
    EquivalenceMeasure,
    ExchangeRow,
    FittedCurve,
    MeasuredPoint,
    PublishedForm,
    ReverseRow,
    Source,
)
from gmaug_core.method.verdict.curve import image_weights

Floats = NDArray[np.float64]
RESAMPLES = 600
MEASURES: tuple[EquivalenceMeasure, ...] = ("accuracy", "balanced_accuracy", "tail_accuracy")
PLACES = 25  # of a drawn curve
BETWEEN = 2  # numbers of synthetic images answered between two measured ones
FINE = 200  # places at which a number of synthetic images is looked for
ENDS = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)


@dataclass
class Equated:
    """What the cells say, as parts of the document."""

    curves: list[FittedCurve] = field(default_factory=list)
    exchange: list[ExchangeRow] = field(default_factory=list)
    reverse: list[ReverseRow] = field(default_factory=list)
    published: list[PublishedForm] = field(default_factory=list)


def measure(
    cells: Sequence[Cell],
    right: NDArray[np.bool_],
    labels: NDArray[np.int64],
    tail: NDArray[np.int64],
    *,
    seed: int = 0,
    count: int = RESAMPLES,
    measures: Sequence[EquivalenceMeasure] = MEASURES,
) -> Equated:
    """Everything that a run's trainings say. Seconds.

    right: bool [rows, test images], row Cell.answers of a cell; labels: int [test images]; tail: the classes
    of the tail; seed: of the resamples, `count` of them. InputError where a base has too few numbers of real
    images.
    """
    bases = resamples.bases(cells)
    weights = {
        "accuracy": np.full(len(labels), 1 / len(labels)),
        "balanced_accuracy": image_weights(labels),
        "tail_accuracy": image_weights(labels, tail),
    }
    done = Equated()
    for key in measures:
        if weights[key].any():  # else no test image is of the tail
            means = resamples.means(bases, right, labels, weights[key])
            _measured(key, bases, means, means.noise(count, seed=seed), done)
    return done


def _measured(
    key: EquivalenceMeasure, bases: Sequence[Base], means: Means, noise: Floats, done: Equated
) -> None:
    drawn: dict[Source, list[Drawn]] = {}
    for base in bases:
        done.curves.append(_real_told(key, base.real, means, noise))
        for group in base.others:
            one = Equation.of(base, group, means, noise)
            done.curves.append(one.told(key, means))
            done.exchange += one.exchange(key)
            if group.way == "added":
                done.reverse += one.reverse(key)
                drawn.setdefault(group.source, []).append(
                    Drawn(
                        base.size, one.real.law, np.array(group.added, float), one.values, one.errors(means)
                    )
                )
    for source, each in drawn.items():
        direct = [
            row for row in done.exchange if (row.source, row.measure, row.way) == (source, key, "added")
        ]
        done.published.append(published.fit(source, key, each, direct))


def _rows(means: Means, group: Group, noise: Floats, wider: float) -> Floats:
    """The points as measured, then their resamples: [1 + resamples, points]."""
    place = means.of(group)
    values = means.values[place]
    return np.concatenate([values[None], values + wider * noise[:, place]])


@dataclass(frozen=True)
class Equation:
    """The curves of one base and one kind of synthetic images. values: [1 + resamples, points], percent, the
    measured ones first; wider: what the resamples are spread by."""

    group: Group
    asked_real: tuple[int, ...]
    real: RealCurve
    synthetic: SyntheticCurve
    values: Floats
    wider: float

    @classmethod
    def of(cls, base: Base, group: Group, means: Means, noise: Floats) -> Equation:
        """Both curves fitted to every resample."""
        wider = means.wider(base.real, group)
        real = real_curve(base.size, base.real.added, _rows(means, base.real, noise, wider))
        values = _rows(means, group, noise, wider)
        by_law, by_steps = real.at(np.zeros(1))
        curve = synthetic_curve(base.size, group.added, values, by_law[:, 0], by_steps[:, 0])
        asked = tuple(added for added in base.real.added if added > 0)
        return cls(group, asked, real, curve, values, wider)

    def errors(self, means: Means) -> Floats:
        """Standard errors of the measured points, percentage points."""
        return means.errors(self.group)

    def worth(self, synthetic: Floats) -> Floats:
        """Real images that do as much, of both forms: [2 (1 + resamples), n]; below 0, or inf: see Answer."""
        law, steps = self.synthetic.at(synthetic)
        # what is substituted stands on a base that is as much smaller
        given = synthetic if self.group.way == "substituted" else np.zeros(1)
        by_law, by_steps = self.real.worth(law)[0], self.real.worth(steps)[1]
        if -given.max() < self.real.added[0]:  # smaller than was measured: the law alone goes there
            by_steps = self.real.worth(steps)[0]
        return np.concatenate([by_law, by_steps]) + given

    def exchange(self, key: EquivalenceMeasure) -> list[ExchangeRow]:
        """Every measured number of synthetic images, and some between."""
        asked = _between(self.group.added)
        found = np.quantile(self.worth(asked.astype(float)), ENDS, axis=0, method="inverted_cdf")
        law, steps = self.synthetic.at(asked.astype(float))
        start = np.stack(self.real.at(np.zeros(1))).mean(axis=0)[0, 0]
        rows = []
        for k, n in enumerate(asked):
            low, middle, high = (_answer(float(value)) for value in found[:, k])
            given = int(n) if self.group.way == "substituted" else 0
            reached = [each.images - given for each in (low, middle, high) if each.images is not None]
            rows.append(
                ExchangeRow(
                    base=self.group.base,
                    source=self.group.source,
                    way=self.group.way,
                    measure=key,
                    synthetic=int(n),
                    measured=int(n) in self.group.added,
                    real=middle,
                    low=low,
                    high=high,
                    extrapolated=any(
                        not self.real.added[0] <= value <= self.real.added[-1] for value in reached
                    ),
                    gain=float((law[0, k] + steps[0, k]) / 2 - start),
                )
            )
        return rows

    def reverse(self, key: EquivalenceMeasure) -> list[ReverseRow]:
        """Every measured number of real images in synthetic ones."""
        most = self.group.added[-1]
        fine = np.concatenate([[0.0], np.geomspace(max(self.group.added[0] / 8, 1), most, FINE)])
        asked = np.array(self.asked_real, float)
        rows = []
        reached, wanted = self.synthetic.at(fine), self.real.at(asked)
        for k, n in enumerate(self.asked_real):
            found = np.concatenate(
                [_first(fine, have, want[:, k]) for have, want in zip(reached, wanted, strict=True)]
            )
            low, middle, high = (
                _answer(float(value)) for value in np.quantile(found, ENDS, method="inverted_cdf")
            )
            rows.append(
                ReverseRow(
                    base=self.group.base,
                    source=self.group.source,
                    measure=key,
                    real=n,
                    synthetic=middle,
                    low=low,
                    high=high,
                    most=most,
                )
            )
        return rows

    def told(self, key: EquivalenceMeasure, means: Means) -> FittedCurve:
        """The curve of the synthetic images, for the document."""
        asked = np.geomspace(self.group.added[0] / 2, self.group.added[-1], PLACES - 1)
        asked = np.concatenate([[0.0], asked])
        points = self.synthetic.at(np.array(self.group.added, float))
        return _told(
            key, self.group, means, self.wider, self.synthetic.at(asked), asked, points, self.values[0]
        )


def _real_told(key: EquivalenceMeasure, group: Group, means: Means, noise: Floats) -> FittedCurve:
    wider = means.wider(group)
    values = _rows(means, group, noise, wider)
    curve = real_curve(group.base, group.added, values)
    ends = (1 + group.added[0] / group.base, 1 + group.added[-1] / group.base)
    asked = group.base * (np.geomspace(ends[0], ends[1], PLACES) - 1)
    points = curve.at(np.array(group.added, float))
    return _told(key, group, means, wider, curve.at(asked), asked, points, values[0])


def _told(
    key: EquivalenceMeasure,
    group: Group,
    means: Means,
    wider: float,
    forms: tuple[Floats, Floats],
    asked: Floats,
    points: tuple[Floats, Floats],
    measured: Floats,
) -> FittedCurve:
    """forms: of both, [1 + resamples, asked]; points: the same at the measured numbers."""
    ends = np.quantile(np.concatenate(forms), (ENDS[0], ENDS[2]), axis=0)
    middle = (forms[0][0] + forms[1][0]) / 2
    half = wider * float(stats.norm.ppf(ENDS[2])) * means.errors(group)
    misses = [float(np.sqrt(((form[0] - measured) ** 2).mean())) for form in points]
    return FittedCurve(
        base=group.base,
        source=group.source,
        way=group.way,
        measure=key,
        points=tuple(
            MeasuredPoint(
                added=added,
                value=float(value),
                low=float(value - reach),
                high=float(value + reach),
                trainings=int(group.rows[k].size),
            )
            for k, (added, value, reach) in enumerate(zip(group.added, measured, half, strict=True))
        ),
        places=tuple(
            CurvePlace(
                added=float(asked[k]),
                value=float(middle[k]),
                low=float(min(ends[0, k], middle[k])),
                high=float(max(ends[1, k], middle[k])),
            )
            for k in range(len(asked))
        ),
        power_law_error=misses[0],
        monotone_error=misses[1],
    )


def _between(measured: Sequence[int]) -> NDArray[np.int64]:
    """The measured numbers and BETWEEN more in each gap, evenly in the logarithm."""
    asked = list(measured)
    for low, high in itertools.pairwise(measured):
        asked += np.rint(np.geomspace(low, high, BETWEEN + 2)[1:-1]).astype(int).tolist()
    return np.unique(np.array(asked, np.int64))


def _first(places: Floats, reached: Floats, wanted: Floats) -> Floats:
    """The first place at which each row reaches what is wanted, inf where none does. reached: [m, places];
    wanted: [m]."""
    enough = reached >= wanted[:, None]
    at = enough.argmax(axis=1)
    rows, before = np.arange(len(reached)), np.maximum(at - 1, 0)
    y0, y1 = reached[rows, before], reached[rows, at]
    part = np.where(y1 > y0, (wanted - y0) / np.where(y1 > y0, y1 - y0, 1), 1.0)
    found = np.where(at > 0, places[before] + part * (places[at] - places[before]), places[0])
    return np.where(enough.any(axis=1), found, np.inf)


def _answer(images: float) -> Answer:
    if images < 0:
        return Answer(kind="less", images=None)
    if np.isinf(images):
        return Answer(kind="more", images=None)
    return Answer(kind="number", images=images)
