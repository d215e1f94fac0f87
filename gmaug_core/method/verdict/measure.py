"""A verdict from top to bottom: the first reading, the full one where it is asked for, and the words."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from gmaug_core.config import SOURCES, VerdictConfig, image_format
from gmaug_core.data import dividing, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.hooks import Report, ShouldStop, never, no_report, under
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.parts.synthetic import Passed
from gmaug_core.method.shared import Folders
from gmaug_core.method.verdict import ceiling, first, seeing, words, worth
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.method.verdict.curve import Of, Points
from gmaug_core.method.verdict.figures import Ceiling
from gmaug_core.method.verdict.first import First
from gmaug_core.method.verdict.result import (
    Equivalence,
    Filter,
    Free,
    LawReading,
    LawRecord,
    Length,
    Seen,
    Verdict,
)
from gmaug_core.scoring import realised
from gmaug_core.scoring.record import cells


@dataclass(frozen=True)
class Reading:
    """What the words are made from, by the fast learner or by the run's own classifier."""

    seen: Seen
    length: Length | None
    ceiling: Ceiling
    free: Free
    over: str  # key of the recipe that the ceiling's curve was measured with
    control: float  # its measure on validation, 0 ... 1
    skipped: tuple[str, ...]
    own: Mapping[Of, Points] | None = None  # half and all images with the run's classifier, where measured
    passed: Passed | None = None  # real validation images, by the run's filter


def run(
    config: VerdictConfig,
    data: Dataset,
    grouping: Mapping[str, Sequence[str]],
    *,
    out_dir: Path,
    record: tuple[LawRecord, ...] = (),
    exchanges: Sequence[EquivalenceResult] = (),
    others: Folders = tuple,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Verdict:
    """Measure what can be gained, what can be seen and what is free, below out_dir, the run's folder; a full
    reading leaves its first one there as it goes (Verdict.FIRST).

    grouping: super-class -> its sub-classes, for the score alone; record: how the law did on this user's own
    runs; exchanges: what was measured of synthetic images in real ones, newest first; others: checkpoint
    folders of other runs, from which the same classifiers are taken. A stopped or killed run goes on with the
    same plan. Raises InputError where the dataset cannot be split; Stopped.
    """
    begun = time.monotonic()
    asked = config.augmentation.model_copy(update={"device": config.device})
    parts = splits.kept(out_dir / splits.Split.FILE, data, config.seed)
    taken = _first(config, data, parts, report, should_stop)
    train = data.labels[parts["train"]]
    counts = np.bincount(train, minlength=len(data.class_names))
    counting = Counting(data.labels[parts["val"]], counts)
    wanted = ceiling.amounts(counts, asked.target)
    reading = _fast(taken, wanted, asked.seeds, parts, config.seed)

    def told(reading: Reading, law: LawReading | None) -> Verdict:
        equivalence = _equivalence(config, data, exchanges, counting, taken, reading, wanted)
        return _document(config, data, parts, counting, taken, reading, law, equivalence, out_dir.name, begun)

    law = None
    if not config.fast:
        from gmaug_core.method.verdict import reading as full  # torch: a fast reading does without

        told(reading, None).write(out_dir / Verdict.FIRST)
        spent = time.monotonic() - begun
        law, reading = full.read(
            config.model_copy(update={"augmentation": asked}),
            data,
            grouping,
            taken,
            reading,
            wanted,
            record,
            out_dir=out_dir,
            spent=spent,
            others=others,
            report=report,
            should_stop=should_stop,
        )
    return told(reading, law)


def _first(
    config: VerdictConfig, data: Dataset, parts: dividing.Parts, report: Report, should_stop: ShouldStop
) -> First:
    generator = config.augmentation.generator
    size = min(generator.resolution, first.SIZE)
    report("decode", 0, len(data))
    images = data.images(
        image_format(size, generator.colour), report=under(report, "decode"), should_stop=should_stop
    )
    return first.first_reading(
        images,
        data.labels,
        parts["train"],
        parts["val"],
        len(data.class_names),
        seed=config.seed,
        report=report,
        should_stop=should_stop,
    )


def _fast(
    taken: First,
    wanted: list[ceiling.Amount],
    seeds: int,
    parts: dividing.Parts,
    seed: int,
) -> Reading:
    points = taken.points["everything"]
    control = float(points.means[-1]) / 100
    return Reading(
        seen=seeing.seen(
            taken.rights,
            taken.differences,
            taken.counting,
            learner="fast",
            seeds=seeds,
            test_images=len(parts["test"]),
            all_images=sum(len(index) for index in parts.values()),
            control=control,
        ),
        length=None,
        ceiling=Ceiling(
            learner="fast",
            curves=taken.reading.curves,
            projections=ceiling.projections(wanted, taken.points, seed=seed),
        ),
        free=taken.free,
        over=taken.free.best,
        control=control,
        skipped=(),
    )


def _equivalence(
    config: VerdictConfig,
    data: Dataset,
    exchanges: Sequence[EquivalenceResult],
    counting: Counting,
    taken: First,
    reading: Reading,
    wanted: list[ceiling.Amount],
) -> Equivalence | None:
    """What the run would add by a measured exchange and the curve that leads to it, where there are both."""
    run = next(amount for amount in wanted if amount.key == "run")
    fast, own = taken.points.get(run.of), (reading.own or {}).get(run.of)
    if fast is None:
        return None
    return worth.told(
        exchanges,
        data.id,
        config.augmentation,
        counting.measure,
        int(counting.counts.sum()),
        run,
        partial(ceiling.read_off, fast, own, seed=config.seed),
    )


def _document(
    config: VerdictConfig,
    data: Dataset,
    parts: dividing.Parts,
    counting: Counting,
    taken: First,
    reading: Reading,
    law: LawReading | None,
    equivalence: Equivalence | None,
    run_id: str,
    begun: float,
) -> Verdict:
    asked = config.augmentation
    room = ceiling.headroom(reading.ceiling.projections, reading.over, reading.control)
    label = next(each.label for each in reading.ceiling.projections if each.key == room.projection)
    best = next(row for row in reading.free.recipes if row.key == reading.free.best)
    length = reading.length
    expected = worth.expected(asked, room, equivalence, realised.of_record(cells()))
    said = words.decide(
        words.Figures(
            first=length is None,
            used=length.used if length else None,
            longer=length.longer if length else None,
            planned=length.planned if length else 1,
            longer_steps=length.best if length else 1,
            free=best.gain,
            free_label=best.label,
            headroom=room.gain,
            at_most=room.at_most,
            expected=expected.gain if expected else None,
            expected_by=expected.by if expected else "",
            what=label,
            visible=reading.seen.smallest,
            buy=seeing.best_buy(reading.seen),
            minutes=small_run_minutes(config),
        )
    )
    return Verdict.new(
        run=run_id,
        dataset=data.id,
        dataset_name=data.name,
        preset=asked.preset,
        size=asked.generator.resolution,
        splits=SplitSizes(train=len(parts["train"]), val=len(parts["val"]), test=len(parts["test"])),
        counts={name: int(n) for name, n in zip(data.class_names, counting.counts, strict=True)},
        imbalance_ratio=counting.ratio,
        measure=counting.measure,
        first=taken.reading,
        seen=reading.seen,
        length=length,
        ceiling=reading.ceiling,
        free=reading.free,
        filter=Filter(rule=asked.selection.words, passed=reading.passed) if reading.passed else None,
        law=law,
        equivalence=equivalence,
        headroom=room,
        expected=expected,
        verdict=said,
        skipped=reading.skipped,
        seconds=time.monotonic() - begun,
    )


def small_run_minutes(config: VerdictConfig) -> int:
    """Of a run of the quick preset, as its generator's record says, which was measured at 16 px, by the
    number of pixels; most of it are classifiers, so a quick run's own budget for its generator comes on
    top."""
    about = config.augmentation
    side = min(about.generator.resolution, 32)  # that preset has no larger ones
    own = (about.generator.minutes or 0.0) if about.preset == "quick" else 0.0
    return max(1, round(SOURCES[about.generator.name].quick_minutes * (side / 16) ** 2 + own))
