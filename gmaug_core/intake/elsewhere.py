"""Images that another program made, through the same door as a dataset's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmaug_core.data import elsewhere
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.store import Imported
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.intake.door import import_path


@dataclass(frozen=True)
class TakenIn:
    """What there is to measure.

    offered: images of each class, in the dataset's order; imported: what the door found.
    """

    offered: tuple[int, ...]
    imported: Imported

    @property
    def settings(self) -> dict[str, object]:
        """Of the generator of a run that measures them."""
        return {"images": self.imported.dataset_id, "offered": self.offered}


def take_in(
    path: Path, data: Dataset, *, report: Report = no_report, should_stop: ShouldStop = never
) -> TakenIn:
    """Verify and keep a folder or zip with one folder a class of `data`. The same files again change nothing.

    Raises InputError where import_path does, and where a folder is no class of the dataset; Stopped.
    """
    found = import_path(path, elsewhere=True, report=report, should_stop=should_stop)
    labels = elsewhere.labels_in(elsewhere.load(found.dataset_id), data.class_names)
    counts = np.bincount(labels, minlength=len(data.class_names))
    return TakenIn(tuple(counts.tolist()), found)
