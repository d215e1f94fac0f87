"""An equivalence run from top to bottom:

    split -> for every base size and seed a judge, trained on the base alone
    -> for every base size and generator seed a generator, trained on the base alone; draw, keep what each
    judge accepts
    -> for every base size and seed one training a cell: the base and real images that were held back from it,
    or accepted synthetic ones, or synthetic ones in the place of real ones
    -> what each gets right on the test split -> curves, equated.

Thresholds come from validation images; the test split is looked at by finished cells alone. Every training of
a base takes the same steps. A judge, a generator, a batch of samples and a cell is a file each below out_dir,
and depends on the config and its own name alone: a killed run goes on and ends with the same result.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from gmaug_core.config import EquivalenceConfig
from gmaug_core.data import checksums
from gmaug_core.data.dataset import Dataset
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.method.equivalence import exchange, words
from gmaug_core.method.equivalence.result import EquivalenceResult
from gmaug_core.method.equivalence.study import Measured, Study
from gmaug_core.method.parts.material import SplitSizes
from gmaug_core.method.shared import Folders
from gmaug_core.method.verdict.counting import Counting
from gmaug_core.method.verdict.curve import tail_classes

ANSWERS_FILE = "answers.npy"  # uint8 [cells, bytes]: numpy.packbits of what each got right


def run(
    config: EquivalenceConfig,
    data: Dataset,
    *,
    out_dir: Path,
    others: Folders = tuple,
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> EquivalenceResult:
    """Measure what synthetic images are worth in real ones, or what is left of it, below out_dir, the run's
    folder.

    others: folders of units that other runs have finished, of which those on real images alone are taken.
    Raises InputError where the dataset cannot be split or its real images do not suffice; Stopped.
    """
    begun = time.monotonic()
    study = Study.prepare(config, data, out_dir, report, should_stop, others)
    measured = study.measure()
    report("curves", 0, 1)
    checksums.write(out_dir / ANSWERS_FILE, np.packbits(measured.right, axis=1))
    found = document(study, measured)
    report("curves", 1, 1)
    return found.model_copy(update={"seconds": time.monotonic() - begun})


def document(study: Study, measured: Measured) -> EquivalenceResult:
    """What the cells say: curves, equated. Without the seconds."""
    config, data = study.config, study.data
    cells = study.cells(measured)
    labels = data.labels[study.split["test"]]
    counting = Counting(labels, study.plan.bases[-1].counts)
    found = exchange.measure(cells, measured.right, labels, tail_classes(counting.counts), seed=config.seed)
    return EquivalenceResult.new(
        run=study.out_dir.name,
        dataset=data.id,
        dataset_name=data.name,
        preset=config.preset,
        size=config.generator.resolution,
        generator=config.generator.name,
        classifier=config.classifier.name,
        augment=config.classifier.augment,
        splits=SplitSizes.model_validate({name: len(index) for name, index in study.split.items()}),
        classes=study.classes,
        proportions=config.proportions,
        bases=tuple(base.total for base in study.plan.bases),
        seeds=len(study.plan.seeds),
        generators=len(study.plan.generators),
        cells=cells,
        efforts=measured.efforts,
        measure=counting.measure,
        curves=tuple(found.curves),
        exchange=tuple(found.exchange),
        reverse=tuple(found.reverse),
        published=tuple(found.published),
        sentence=words.sentence(found.exchange, found.reverse, counting.measure),
        skipped=measured.skipped,
        seconds=0.0,
    )
