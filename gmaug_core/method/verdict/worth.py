"""What the run's synthetic images would add, where somebody measured what such images are worth in real
ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gmaug_core.config import AugmentationConfig
from gmaug_core.method.equivalence import words
from gmaug_core.method.equivalence.predicted import nearest, predicted_gain
from gmaug_core.method.equivalence.result import EquivalenceResult, ExchangeRow
from gmaug_core.method.verdict.ceiling import Amount
from gmaug_core.method.verdict.curve import Projected
from gmaug_core.method.verdict.figures import Figure, Headroom, MeasureKey
from gmaug_core.method.verdict.result import Equivalence, Expected
from gmaug_core.scoring.realised import Realised
from gmaug_core.scoring.record import Z_95

RECORDED_PRESET, RECORDED_SIDE = "quick", 32  # of the record's runs: their preset, and their largest side


def expected(
    about: AugmentationConfig, room: Headroom, equivalence: Equivalence | None, record: Realised | None
) -> Expected | None:
    """By an exchange that was measured on this dataset, else by the record where the run is like those in it;
    None where neither says anything.

    about: the run; room: what it would add, were every image a new real one.
    """
    if equivalence is not None and equivalence.same_dataset and equivalence.gain is not None:
        return Expected(source="equivalence", gain=equivalence.gain, by=f"here {_lower(equivalence.words)}")
    alike = about.preset == RECORDED_PRESET and about.generator.resolution <= RECORDED_SIDE
    if not alike or record is None or room.gain is None:
        return None
    value, low, high = record.expected(room.gain.value, (room.gain.high - room.gain.low) / (2 * Z_95))
    return Expected(source="record", gain=Figure(value=value, low=low, high=high), by=record.words)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def told(
    exchanges: Sequence[EquivalenceResult],
    dataset: str,
    about: AugmentationConfig,
    measure: MeasureKey,
    real: int,
    run: Amount,
    curve: Callable[[float], Projected],
) -> Equivalence | None:
    """By an exchange of this dataset, else by the nearest of another one; None where none was measured or the
    run adds nothing.

    exchanges: newest first; about: the run; real: training images; run: what it would add; curve: what the
    learning curve that leads to it says of a growth. An exchange of classifiers that were augmented
    in another way than the run's says nothing of its gain: flips and crops give some of it without a new
    image.
    """
    own = [each for each in exchanges if each.dataset == dataset]
    found: list[tuple[EquivalenceResult, ExchangeRow]] = []
    for each in own or exchanges:
        row = nearest(each.exchange, measure, real, run.added)
        if row is not None:
            found.append((each, row))
    if not found:
        return None
    # the newest of those that are equally near
    result, row = min(found, key=lambda pair: abs(math.log(pair[1].base / real)))
    gain = predicted_gain(
        row, curve, real=real, synthetic=run.added, growth=run.growth, same_dataset=bool(own)
    )
    warnings = list(gain.warnings)
    if result.generator != about.generator.name:
        warnings.append(
            f"it was measured with images of {result.generator}, and the run would use {about.generator.name}"
        )
    refused = gain.refused
    if result.augment != about.classifier.augment:
        how = {None: "in a way that it does not say", "none": "without augmentation"}
        refused = (
            f"its classifiers were trained {how.get(result.augment, f'with {result.augment}')}, the run's "
            f"would be with {about.classifier.augment}, which gives some of it without a new image"
        )
    return Equivalence(
        run=result.run,
        dataset_name=result.dataset_name,
        same_dataset=bool(own),
        base=row.base,
        synthetic=row.synthetic,
        real=row.real.images,
        words=words.worth(row),
        gain=gain.gain if refused is None else None,
        refused=refused,
        warnings=tuple(warnings),
    )
