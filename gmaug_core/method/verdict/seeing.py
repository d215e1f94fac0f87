"""What the run could tell from nothing, from paired differences on validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method import power
from gmaug_core.method.power import Spread
from gmaug_core.method.verdict.counting import Counting, Right, disagreement
from gmaug_core.method.verdict.figures import Learner
from gmaug_core.method.verdict.result import Buy, Seen, Variances

MORE_SEEDS = 8
MORE_IMAGES = 4  # times the test images


def spread(rights: Sequence[Right], differences: NDArray[np.float64], counting: Counting) -> Spread:
    """How the paired difference of two ways of training will vary, in squared percentage points.

    rights: [seeds, images] of each way of training on the same images: what a seed does is pooled over them,
    and a difference has it twice; differences: [seeds, images] of a change of the training images, for what
    such a change does to an image.
    """
    scale = 100 * len(counting.labels) * counting.weights
    each = [Spread.of(right * scale) for right in rights]
    return Spread(
        seed=2 * float(np.mean([one.seed for one in each])),
        image=Spread.of(differences).image,
        both=2 * float(np.mean([one.both for one in each])),
    )


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
) -> Seen:
    """rights, differences: see spread; seeds, test_images: of the run; all_images: of the dataset; control:
    the measure, 0 ... 1."""
    found = spread(rights, differences, counting)
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
        variances=Variances(seed=found.seed, image=found.image, both=found.both),
        smallest=smallest,
        smallest_percent=smallest / control if control > 0 else None,
        power=power.POWER,
        buys=tuple(sorted(buys, key=lambda each: each.smallest)),
    )


def best_buy(found: Seen) -> str:
    """What would let smaller gains be seen, in words: the best that needs no new image."""
    buy = next(each for each in found.buys if each.key != "images")
    return f"{buy.label}; then gains from {buy.smallest:.1f} points on can be seen"
