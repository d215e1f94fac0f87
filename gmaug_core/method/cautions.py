"""What a careful reader must know about a run's result, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig
from gmaug_core.method.result import Collapse, Step

MOST_NAMES = 8  # classes named in one sentence
FEW_TEST = 10  # test images below which a class's recall says little


def cautions(
    config: AugmentationConfig,
    class_names: Sequence[str],
    *,
    collapse: Collapse | None,
    steps: Sequence[Step],
    accepted: int,
    wanted: NDArray[np.int64],
    tested: NDArray[np.int64],
) -> list[str]:
    """Sentences, the gravest first. accepted: images that the first judge accepted; wanted, tested: int
    [classes], what each class is short of and its test images."""
    found = []
    if collapse:
        found.append(_collapsed(collapse))
    if accepted == 0:
        found.append(
            "The filter accepted nothing: the augmented classifier is the baseline. "
            "Lower selection.threshold."
        )
    generator: Any = config.generator
    if getattr(generator, "feedback", "none") != "none":
        found.append(
            f"Sampling was steered by the first seed's classifier (feedback '{generator.feedback}', scale "
            f"{generator.feedback_scale:g}): the acceptance of other seeds' judges is not independent of it, "
            "and the unfiltered control uses the same steered images."
        )
    short: dict[str, int] = {}
    for step in steps:
        for name, missing in step.short.items():
            short[name] = max(short.get(name, 0), missing)
    if short and accepted:
        most = sorted(short.items(), key=lambda item: -item[1])[:MOST_NAMES]
        listed = ", ".join(f"{name} ({missing})" for name, missing in most)
        found.append(f"The draw budget ended before these classes were full (images missing): {listed}.")
    if config.seeds < 3:
        found.append(
            f"Only {config.seeds} seed{'s' if config.seeds > 1 else ''}: single results move by several "
            "points from seed to seed."
        )
    untested = [name for name, n in zip(class_names, tested, strict=True) if n == 0]
    if untested:
        found.append(
            f"No test image of: {_named(untested)}. Nothing is known of their recall, and balanced accuracy "
            f"is over the other {len(class_names) - len(untested)} of {len(class_names)} classes."
        )
    few = [name for name, n in zip(class_names, tested, strict=True) if 0 < n < FEW_TEST]
    if few:
        found.append(f"Fewer than {FEW_TEST} test images of: {_named(few)}. Read their recall with care.")
    if not wanted.any():
        found.append("Every class already has the target number of images: nothing was drawn.")
    seeds = "classifier seeds and " if config.seeds > 1 else ""
    alone = "" if config.seeds > 1 else " alone"
    found.append(
        f"Intervals cover {seeds}the finite test split{alone}; the generator was trained once, so its own "
        "seed is not covered."
    )
    return found


def _collapsed(collapse: Collapse) -> str:
    said = (
        f"The generator collapsed: at {collapse.kimg:g} kimg the images of {_named(collapse.classes)} had "
        f"become nearly alike. Training ended there, and the snapshot at {collapse.best_kimg:g} kimg, "
        "the best one, was used."
    )
    if collapse.conditional:
        return said
    return f"{said} That snapshot did not know the classes yet: do not rely on its samples."


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (" and more" if len(names) > MOST_NAMES else "")
