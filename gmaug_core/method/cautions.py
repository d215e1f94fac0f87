"""What a careful reader must know about a run's result, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig
from gmaug_core.method.parts.accuracy import VariantResult
from gmaug_core.method.parts.generator import Collapse
from gmaug_core.method.parts.synthetic import Step

MOST_NAMES = 8  # classes named in one sentence
COVERED = "Intervals cover"  # how the sentence on them begins
FEW_TEST = 10  # test images below which a class's recall says little


def guessing(baseline: VariantResult, classes: int) -> str:
    """What is said of a classifier that is no better than guessing; empty for one that is."""
    found, chance = baseline.balanced_accuracy, 1 / (baseline.classes_tested or classes)
    if found.ci_low > chance:
        return ""
    return (
        "The classifier trained on real images alone is no better than guessing: balanced accuracy "
        f"{found.mean:.1%} [{found.ci_low:.1%}, {found.ci_high:.1%}], chance {chance:.1%}. Its training "
        "diverged, was too short, or there are too few images; no comparison of this run says anything. Try "
        "a smaller classifier.lr or more classifier.epochs."
    )


def cautions(
    config: AugmentationConfig,
    class_names: Sequence[str],
    *,
    collapse: Collapse | None,
    steps: Sequence[Step],
    accepted: int | None,
    tested: NDArray[np.int64],
    held_out: Mapping[str, int] | None = None,
) -> list[str]:
    """Sentences, the gravest first. accepted: images that the first judge accepted, None where none was
    drawn; tested: int [classes], test images; held_out: images that were offered as synthetic and are of a
    part that nothing may be trained on, by reason."""
    found = []
    if held_out:
        named = " and ".join(
            f"{n:,} {reason}{'s' if n > 1 else ''}" for reason, n in sorted(held_out.items())
        )
        found.append(
            f"Among the images made elsewhere were {named} of this dataset: left out everywhere. Whatever "
            "made or collected these images may have seen others like them."
        )
    if collapse:
        found.append(_collapsed(collapse))
    if accepted == 0:
        found.append(
            "The filter accepted nothing: the augmented classifier is the baseline. "
            "Lower selection.threshold."
        )
    generator: Any = config.generator
    if accepted is not None and getattr(generator, "feedback", "none") != "none":
        found.append(
            f"Sampling was steered by the first seed's classifier (feedback '{generator.feedback}', scale "
            f"{generator.feedback_scale:g}): the acceptance of other seeds' judges is not independent of it, "
            "and the unfiltered control uses the same steered images."
        )
    given_up = _largest(step.hopeless for step in steps)
    if given_up:
        found.append(
            "So few images of these classes were accepted that the rest of the budget could not have brought "
            f"a quarter of what was wanted; drawing them ended early (draws saved): {_listed(given_up)}."
        )
    short = {name: n for name, n in _largest(step.short for step in steps).items() if name not in given_up}
    if short and accepted:
        found.append(
            f"The draw budget ended before these classes were full (images missing): {_listed(short)}."
        )
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
    if config.decisions:
        by_hand = config.decisions
        found.append(
            f"People ({_named(by_hand.people)}) kept {len(by_hand.keep):,} and rejected "
            f"{len(by_hand.reject):,} images of the run {by_hand.run}; that won over the filter here, and "
            "generator, draws and baseline are that run's."
        )
    seeds = "classifier seeds and " if config.seeds > 1 else ""
    alone = "" if config.seeds > 1 else " alone"
    if config.generator_seeds > 1:
        found.append(
            f"The gains' intervals cover {config.generator_seeds} generators, {seeds}and the finite test "
            "split; accuracies, classes and images are of the first one, with which everything was chosen."
        )
    else:
        luck = (
            "the images are those that were given: other images of the same making could do otherwise."
            if config.generator.stock
            else "the generator was trained once: its luck is in no interval."
        )
        found.append(f"{COVERED} {seeds}the finite test split{alone}; {luck}")
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


def _largest(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The largest number of each class over steps and seeds."""
    found: dict[str, int] = {}
    for row in rows:
        for name, number in row.items():
            found[name] = max(found.get(name, 0), number)
    return found


def _listed(numbers: Mapping[str, int]) -> str:
    most = sorted(numbers.items(), key=lambda item: -item[1])[:MOST_NAMES]
    return ", ".join(f"{name} ({number:,})" for name, number in most)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (" and more" if len(names) > MOST_NAMES else "")
