"""What the run could tell from nothing, from paired differences on validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gmaug_core.method import power
from gmaug_core.method.power import Spread
from gmaug_core.method.verdict.counting import Right, disagreement
from gmaug_core.method.verdict.result import Buy, Learner, Seen

MORE_SEEDS = 8
MORE_IMAGES = 4  # times the test images


def seen(
    differences: NDArray[np.float64],
    right: Right,
    *,
    learner: Learner,
    seeds: int,
    test_images: int,
    all_images: int,
    control: float,
) -> Seen:
    """differences: [seeds, validation images] in percentage points, of two ways of training; right: of one of
    them; seeds, test_images: of the run; all_images: of the dataset; control: the measure, 0 ... 1."""
    spread = Spread.of(differences)
    smallest = power.smallest_visible(spread, seeds, test_images)

    def buy(key: str, label: str, of_seeds: int, images: int) -> Buy:
        found = power.smallest_visible(spread, of_seeds, images)
        return Buy.model_validate(
            {"key": key, "label": label, "seeds": of_seeds, "test_images": images, "smallest": found}
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
        disagreement=disagreement(right),
        seed_deviation=float((spread.seed + spread.both / test_images) ** 0.5),
        smallest=smallest,
        smallest_percent=smallest / control if control > 0 else None,
        power=power.POWER,
        buys=tuple(sorted(buys, key=lambda each: each.smallest)),
    )


def best_buy(found: Seen) -> str:
    """What would let smaller gains be seen, in words: the best that needs no new image."""
    buy = next(each for each in found.buys if each.key != "images")
    return f"with {buy.label} gains from {buy.smallest:.1f} points on can be seen"
