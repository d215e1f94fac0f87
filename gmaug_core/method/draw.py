"""Drawing synthetic images: every class short of the target, until each judge has accepted enough, the budget
is spent, or what is left of it could not bring enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from gmaug_core import parallel
from gmaug_core.data import samples
from gmaug_core.data.views import View
from gmaug_core.errors import Stopped
from gmaug_core.hooks import Report, ShouldStop
from gmaug_core.method.bench import Bench, Screen
from gmaug_core.method.judging import Judge
from gmaug_core.method.lab import Lab
from gmaug_core.method.told_apart import Labelled, pilot_counts
from gmaug_core.models.generators import Generator
from gmaug_core.models.generators import Judge as Steering
from gmaug_core.seeds import derive

LEAST_RATE = 0.2  # of acceptance, that the size of the next round is planned with
FIRST_SURPLUS = 1.1  # of the first round, over what is wanted
FIRST_LOOK = 250  # draws of a class, at most, before the first forecast
WORTH = 0.25  # share of what is wanted that the rest of the budget must be able to reach
MOST_FORECAST = 50  # classes in a row of metrics
Counts = NDArray[np.int64]


@dataclass
class Tally:
    """What was drawn and accepted so far, and what that says of the rest.

    wanted, budget, drawn: int [classes]; accepted: int [judges, classes].
    """

    wanted: Counts
    budget: Counts
    drawn: Counts
    accepted: Counts

    @classmethod
    def empty(cls, wanted: Counts, budget: Counts, judges: int) -> Tally:
        return cls(wanted, budget, np.zeros_like(wanted), np.zeros((judges, len(wanted)), np.int64))

    @property
    def left(self) -> Counts:
        """Draws that the budget has left, int [classes]."""
        return self.budget - self.drawn

    def add(self, labels: Counts, accepted: NDArray[np.bool_]) -> None:
        """labels: int [n], of images drawn; accepted: bool [judges, n]."""
        classes = len(self.wanted)
        self.drawn = self.drawn + np.bincount(labels, minlength=classes)
        self.accepted = self.accepted + np.array(
            [np.bincount(labels[mine], minlength=classes) for mine in accepted]
        )

    def hopeless(self) -> NDArray[np.bool_]:
        """Bool [judges, classes]: where even a rate at the upper end of its 95 % interval (Beta, Jeffreys'
        prior) would not reach WORTH of what is wanted with all draws that are left."""
        a, n = self.accepted, self.drawn
        upper = stats.beta.ppf(0.975, a + 0.5, n - a + 0.5)
        reached = a + upper * self.left
        return np.asarray((n > 0) & (reached < WORTH * self.wanted), bool)

    def forecast(self) -> NDArray[np.float64]:
        """What the strictest judge of each class will have accepted when its draws have ended: float [3,
        classes], lower end of the 95 % interval, median, upper end, at most what is wanted.

        Of the draws that are left a share is accepted that is beta-binomial, by Jeffreys' prior and the draws
        so far; its quantiles are those of the beta distribution with the same mean and variance.
        """
        a, left = self.accepted.min(axis=0), np.maximum(self.left, 1)
        seen = self.drawn + 1.0
        mean = (a + 0.5) / seen
        spread = np.maximum((seen + 1) * left / (seen + left) - 1, 1e-3)  # of both, as a number of draws
        quantiles = np.array([0.025, 0.5, 0.975])[:, None]
        share = stats.beta.ppf(quantiles, mean * spread, (1 - mean) * spread)
        return np.asarray(np.minimum(a + np.where(self.left > 0, share, 0) * self.left, self.wanted), float)

    def next_round(self) -> Counts:
        """Images to draw next of each class, int [classes]: what the strictest judge still misses, at its
        rate so far, but at most as many again as were drawn, so that the forecast is looked at in between."""
        missing = np.where(self.hopeless(), 0, np.maximum(self.wanted - self.accepted, 0))
        rate = np.clip(self.accepted / np.maximum(self.drawn, 1), LEAST_RATE, 1.0)
        first = np.minimum(np.ceil(missing * FIRST_SURPLUS), FIRST_LOOK)
        again = np.minimum(np.ceil(missing / rate), np.maximum(self.drawn, 1))
        ask = np.where(self.drawn == 0, first, again).max(axis=0)
        return np.asarray(np.minimum(ask, self.left), np.int64)


def draw(lab: Lab, step: int, generator: Generator, judges: Mapping[int, Judge]) -> None:
    """Draw step `step` and store all its images with every judge's verdict. judges: by seed.

    Image k of a class depends on (seed, step, class, k) alone; with generator.feedback also on the first
    judge, whose network then steers the sampling, for the other judges too. Raises Stopped; the batches drawn
    until then are kept, and drawing goes on behind them.
    """
    bench = Bench.prepare(lab, step, judges)
    tally = Tally.empty(lab.asked, lab.budget, len(judges))
    stock = generator.stock
    steering = next((judge.judge() for judge in judges.values()), None) if lab.feedback else None
    first = samples.count(lab.samples)
    growing = samples.GrowingStep(lab.samples, step, lab.images.shape[1:])
    stored = growing.table()
    before = _accepted_before(stored, list(judges))
    pilot = _pilot(lab, step, generator) if "told_apart" in lab.config.selection.gates else None
    screen = Screen.prepare(lab, stored, first, offered=bool(stock), pilot=pilot)
    _report(lab, step, tally)
    try:
        # images made elsewhere cost nothing: all of them are judged
        while (ask := tally.left if stock else tally.next_round()).any():
            if tally.drawn.any():
                _report(lab, step, tally, forecast=_forecast(lab, tally))
            labels = np.repeat(np.arange(lab.classes), ask)
            seeds = (
                np.concatenate([own[:n] for own, n in zip(stock, ask, strict=True)])
                if stock
                else _draw_seeds(lab.config.seed, step, ask, tally.drawn)
            )
            start = int(tally.drawn.sum())
            done = before[:, start : start + len(labels)]  # by a process that ended
            tally.add(labels[: done.shape[1]], done)
            place = done.shape[1]
            batches = _batches(lab, generator, labels[place:], seeds[place:], steering)
            for images in batches:
                part = slice(place, place + len(images))
                numbers = np.arange(part.start, part.stop) + first + start
                rows = [
                    each.assign(sample=numbers, draw_seed=seeds[part])
                    for each in bench.verdicts(images, labels[part])
                ]
                rows = [
                    lab.decided(each)
                    for each in screen.looked_through(images, labels[part], rows, growing.images())
                ]
                screen.remember(rows)
                growing.add(images, pd.concat(rows, ignore_index=True))
                tally.add(labels[part], np.array([r["accepted"] for r in rows], bool))
                place = part.stop
                _report(lab, step, tally)
                if lab.should_stop():
                    raise Stopped
        _report(lab, step, tally, forecast=_forecast(lab, tally))
        growing.finish()
    finally:
        growing.close()


def _batches(
    lab: Lab, generator: Generator, labels: Counts, seeds: Counts, steering: Steering | None
) -> Iterator[NDArray[np.uint8]]:
    """As Generator.sample; in a job of a cluster as many batches at once as it has places for. They are the
    same: an image depends on its label and seed alone."""
    size, fan_out = lab.config.sampling_batch, parallel.current()
    if fan_out.width == 1 or steering is not None or generator.stock:
        yield from generator.sample(labels, seeds, size, judge=steering)
        return
    parts = [(labels[at : at + size], seeds[at : at + size]) for at in range(0, len(labels), size)]
    gpu = lab.device.type != "cpu"
    for first in range(0, len(parts), fan_out.width):
        some = parts[first : first + fan_out.width]
        yield from fan_out.each(_drawn, generator, some, gpu=gpu, should_stop=lab.should_stop)


def _drawn(
    generator: Generator, part: tuple[Counts, Counts], _: Report, should_stop: ShouldStop
) -> NDArray[np.uint8]:
    if should_stop():
        raise Stopped
    (batch,) = generator.sample(*part, len(part[0]))
    return batch


def _pilot(lab: Lab, step: int, generator: Generator) -> Labelled:
    """Images and labels to learn from what tells them from real ones: of a generator a few that are drawn for
    nothing else, of images made elsewhere these themselves."""
    counts = pilot_counts(lab.asked)
    if generator.stock:
        counts = np.minimum(counts, [len(own) for own in generator.stock])
        seeds = np.concatenate([own[:n] for own, n in zip(generator.stock, counts, strict=True)])
    else:
        seeds = _draw_seeds(lab.config.seed, step, counts, np.zeros_like(counts), "pilot")
    labels = np.repeat(np.arange(lab.classes), counts)
    batches = list(generator.sample(labels, seeds, lab.config.sampling_batch))
    return View([np.concatenate(batches)], np.arange(len(labels))), labels


def _accepted_before(table: pd.DataFrame, seeds: Sequence[int]) -> NDArray[np.bool_]:
    """What the judges of these seeds accepted of the images that are stored: bool [judges, images]."""
    accepted = table["accepted"].to_numpy(bool)
    return np.array([accepted[table["seed"].to_numpy() == seed] for seed in seeds])


def _draw_seeds(seed: int, step: int, ask: Counts, drawn: Counts, use: str = "draw") -> Counts:
    """A seed an image, int64 [ask.sum()], class after class."""
    return np.array(
        [
            derive(use, seed, step, label, number)
            for label, (n, first) in enumerate(zip(ask.tolist(), drawn.tolist(), strict=True))
            for number in range(first, first + n)
        ],
        np.int64,
    )


def _report(lab: Lab, step: int, tally: Tally, **more: object) -> None:
    drawn, kept = int(tally.drawn.sum()), int(tally.accepted.sum(axis=1).min())
    total = int(lab.asked.sum())
    most = int(tally.budget.sum())
    figures = {"drawn": drawn, "at_most": most, "accepted": kept, "rejected": drawn - kept, **more}
    lab.report(f"sample-{step}", min(kept, total), total, **figures)


def _forecast(lab: Lab, tally: Tally) -> list[dict[str, object]]:
    """What to expect of each class that is drawn, those first that will miss the most of what is wanted."""
    low, middle, high = tally.forecast()
    given_up = np.logical_and.reduce(tally.hopeless(), axis=0)
    kept = tally.accepted.min(axis=0)
    asked = np.flatnonzero(tally.wanted)
    worst = asked[np.argsort((middle / np.maximum(tally.wanted, 1))[asked], kind="stable")]
    return [
        {
            "class": lab.data.class_names[c],
            "wanted": int(tally.wanted[c]),
            "drawn": int(tally.drawn[c]),
            "accepted": int(kept[c]),
            "low": round(float(low[c])),
            "expected": round(float(middle[c])),
            "high": round(float(high[c])),
            "given_up": bool(given_up[c]),
            "saved": int(tally.left[c]) if given_up[c] else 0,
        }
        for c in worst[:MOST_FORECAST]
    ]
