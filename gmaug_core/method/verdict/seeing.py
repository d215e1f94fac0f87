"""What the run could tell from nothing, from paired differences on validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmaug_core.method import power
from gmaug_core.method.power import Spread
from gmaug_core.method.verdict.counting import Counting, Right, disagreement
from gmaug_core.method.verdict.figures import Learner
from gmaug_core.method.verdict.result import Buy, Seen, Variances

UNLIKE = 0.05  # chance of an F test by which equal variances are told apart
MORE_SEEDS = 8
MORE_IMAGES = 4  # times the test images


def between_seeds(rights: Sequence[Right], counting: Counting) -> tuple[float, float, int]:
    """What a seed does to one classifier, pooled over ways of training by degrees of freedom: the variance of
    the seeds' means and of a seed on an image, squared percentage points, and the degrees.

    rights: each bool [seeds, images], at least two seeds. Pooled before anything is cut off at 0, so that the
    estimate is not pushed up by the many pairs that happen to agree.
    """
    scale = 100 * len(counting.labels) * counting.weights
    means, both, degrees = 0.0, 0.0, 0
    for right in rights:
        values, free = right * scale, len(right) - 1
        rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
        means += free * float(values.mean(axis=1).var(ddof=1))
        both += float((rest**2).sum()) / (values.shape[1] - 1)
        degrees += free
    return means / degrees, both / degrees, degrees


def pool(same: Sequence[Right], drawn: Sequence[Right], counting: Counting) -> list[Right]:
    """The trainings that what a seed does is estimated from.

    same: ways of training on all images; drawn: on a half, which a seed draws anew, so that it can only do
    more: they count where an F test finds no more variance in them.
    """
    if not drawn:
        return list(same)
    own, of_own = between_seeds(same, counting)[::2]
    theirs, of_theirs = between_seeds(drawn, counting)[::2]
    if theirs > own * float(stats.f.isf(UNLIKE, of_theirs, of_own)):
        return list(same)
    return [*same, *drawn]


def spread(rights: Sequence[Right], differences: NDArray[np.float64], counting: Counting) -> Spread:
    """How the paired difference of two ways of training will vary, in squared percentage points.

    rights: [seeds, images] of each way of training on the same images: what a seed does is pooled over them,
    and a difference has it twice; differences: [seeds, images] of a change of the training images, for what
    such a change does to an image.
    """
    means, both, degrees = between_seeds(rights, counting)
    images = len(counting.labels)
    return Spread(
        seed=2 * max(means - both / images, 0.0),
        image=Spread.of(differences).image,
        both=2 * both,
        degrees=degrees,
        measured_images=images,
        means=2 * means,
    )


def spread_of(variances: Variances) -> Spread:
    """As a document keeps it; one from before the degrees were kept is taken as known."""
    if variances.degrees is None:
        return Spread(variances.seed, variances.image, variances.both)
    return Spread(**variances.to_dict())


def seen(
    rights: Sequence[Right],
    differences: NDArray[np.float64],
    counting: Counting,
    *,
    learner: Learner,
    seeds: int,
    test_images: int,
    all_images: int,
    control: float,
    drawn: Sequence[Right] = (),
) -> Seen:
    """rights, drawn: see pool; differences: see spread; seeds, test_images: of the run; all_images: of the
    dataset; control: the measure, 0 ... 1."""
    pooled = pool(rights, drawn, counting)
    found = spread(pooled, differences, counting)
    low, high = power.visible_range(found, seeds, test_images)
    smallest = power.smallest_visible(found, seeds, test_images)

    def buy(key: str, label: str, of_seeds: int, images: int) -> Buy:
        least = power.smallest_visible(found, of_seeds, images)
        return Buy.model_validate(
            {"key": key, "label": label, "seeds": of_seeds, "test_images": images, "smallest": least}
        )

    more = max(MORE_SEEDS, 2 * seeds)
    buys = (
        buy("seeds", f"{more} seeds instead of {seeds}", more, test_images),
        buy("folds", f"every image tested once ({all_images:,} by cross-validation)", seeds, all_images),
        buy("images", f"{MORE_IMAGES} times as many test images", seeds, MORE_IMAGES * test_images),
    )
    return Seen(
        learner=learner,
        test_images=test_images,
        seeds=seeds,
        disagreement=float(np.mean([disagreement(right) for right in rights])),
        seed_deviation=float((found.seed + found.both / test_images) ** 0.5),
        variances=Variances(
            seed=found.seed,
            image=found.image,
            both=found.both,
            degrees=found.degrees,
            measured_images=found.measured_images,
            means=found.means,
        ),
        trainings=sum(map(len, pooled)),
        smallest=smallest,
        smallest_low=low,
        smallest_high=high,
        smallest_percent=smallest / control if control > 0 else None,
        power=power.POWER,
        buys=tuple(sorted(buys, key=lambda each: each.smallest)),
    )


def best_buy(found: Seen) -> str:
    """What would let smaller gains be seen, in words: the best that needs no new image."""
    buy = next(each for each in found.buys if each.key != "images")
    return f"{buy.label}; then gains from {buy.smallest:.1f} points on can be seen"
