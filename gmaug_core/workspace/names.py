"""What people call a dataset."""

from __future__ import annotations

from gmaug_core.data import dataset
from gmaug_core.data.manifest import Summary
from gmaug_core.workspace import audit, roles


@roles.guarded("rename dataset")
def rename(dataset_id: str, name: str) -> Summary:
    """Give a dataset another name; its id stays. Raises InputError for an unknown one or an empty name."""
    summary = dataset.rename(dataset_id, name)
    audit.record("dataset renamed", summary.id, name=summary.name)
    return summary
