"""What more real images would be worth: projections of the measured curves to the amounts that matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method.verdict import curve
from gmaug_core.method.verdict.curve import Of, Points, Projected
from gmaug_core.method.verdict.figures import Figure, Headroom, Projection


@dataclass(frozen=True)
class Amount:
    """An amount of images that is not there: which curve leads to it, how far, and how many it adds."""

    key: str
    label: str
    of: Of
    growth: float
    added: int


def amounts(counts: NDArray[np.int64], target: int | None) -> list[Amount]:
    """The four that matter. counts: real training images a class; target: of the run, None for balance."""
    total, most = int(counts.sum()), int(counts.max())
    level = np.full_like(counts, most)
    aim = np.maximum(np.full_like(counts, target or most), counts)
    grown = int((aim - counts).sum())
    everywhere = bool((aim > counts).all())
    return [
        Amount("quarter", "a quarter more of everything", "everything", 1.25, round(total / 4)),
        Amount("twice", "twice as many images", "everything", 2.0, total),
        Amount(
            "balance",
            "every class as large as the largest",
            "rare",
            curve.growth_to(counts, level),
            int((level - counts).sum()),
        ),
        Amount(
            "run",
            f"the run's {grown:,} images" if grown else "the run, which draws no image,",
            "everything" if everywhere else "rare",
            curve.growth_to(counts, aim),
            grown,
        ),
    ]


def projections(
    wanted: list[Amount], fast: Mapping[Of, Points], own: Mapping[Of, Points] | None = None, *, seed: int = 0
) -> tuple[Projection, ...]:
    """Each amount by its curve. own: half and all images with the run's own classifier, where measured: its
    difference is carried on by the shape of the fast learner's curve."""
    found = []
    for amount in wanted:
        points = fast.get(amount.of)
        mine = (own or {}).get(amount.of)
        if amount.added == 0:
            said = Projected(Figure(value=0.0, low=0.0, high=0.0), None, 0.0)
        elif points is None:
            said = Projected(None, "the classes are too even for a curve of the rare ones", None)
        else:
            said = read_off(points, mine, amount.growth, seed=seed)
        found.append(
            Projection.model_validate(
                {
                    "key": amount.key,
                    "label": amount.label,
                    "curve": amount.of,
                    "growth": amount.growth,
                    "added": amount.added,
                    "gain": said.gain,
                    "refused": said.refused,
                    "at_most": said.at_most,
                }
            )
        )
    return tuple(found)


def read_off(fast: Points, own: Points | None, growth: float, *, seed: int) -> Projected:
    """What a growth of at least 1 adds by the fast learner's curve, or by the classifier's own gain carried
    on by its shape."""
    said = curve.project(fast, growth, seed=seed)
    return said if own is None or growth <= 1 else carried(own, fast, growth, said, seed=seed)


def carried(own: Points, fast: Points, at: float, said: Projected, *, seed: int) -> Projected:
    """The classifier's own gain from half to all images, carried on by the fast curve's shape.

    The shape is the gain to `at` as a multiple of that from half to all, by both fitted forms; no curve bends
    upwards in log growth, so it is at most log2(at). Refused where the fast curve reaches no further, or
    where half and all images cannot be told apart.
    """
    values = fast.means[None]
    before = max(float(values[0, -1] - values[0, fast.growth.index(0.5)]), 1e-6)
    ratios = [
        float(np.clip(form(fast.growth, values, at)[0][0] / before, 0, np.log2(at)))
        for form in (curve.power_law, curve.piecewise_line)
    ]
    resampled = own.resampled(curve.RESAMPLES, seed=seed)
    steps = resampled[:, -1] - resampled[:, 0]
    room = np.tile(100 - resampled[:, -1], 2)  # no accuracy is above 100 %
    draw = curve.drawn(fast, at, seed=seed)  # the classifier has too few subsets to show its own
    gains = np.minimum(np.concatenate([steps * ratio for ratio in ratios]) + draw, room)
    low, middle, high = (float(each) for each in np.quantile(gains, (0.025, 0.5, 0.975)))
    # where the shape itself is refused, the bound of every concave curve still holds
    bound = float(np.quantile(np.minimum(np.tile(steps, 2) * np.log2(at) + draw, room), 0.975))
    at_most = max(high if said.refused is None else bound, 0.0)
    if said.refused is not None:
        return Projected(None, f"the fast learner's curve does not carry it: {said.refused}", at_most)
    if np.quantile(steps, 0.025) <= 0:
        return Projected(None, "half and all of the images cannot be told apart", at_most)
    if high - low > curve.WIDEST:
        return Projected(None, f"its interval would be {high - low:.0f} points wide", at_most)
    return Projected(Figure(value=middle, low=low, high=high), None, at_most)


def headroom(found: tuple[Projection, ...], over: str, control: float) -> Headroom:
    """Of what the run would add, or of twice as many images where it would add nothing.

    over: key of the recipe that the curve was measured with; control: its measure, 0 ... 1.
    """
    by_key = {each.key: each for each in found}
    picked = by_key["run"] if by_key["run"].added else by_key["twice"]
    return Headroom(
        projection=picked.key,
        over=over,
        gain=picked.gain,
        percent=picked.gain.value / control if picked.gain is not None and control > 0 else None,
        at_most=picked.at_most,
    )
