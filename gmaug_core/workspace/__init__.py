"""What people edit: groupings, reviews, and the trail of who did what."""

from __future__ import annotations

from gmaug_core.workspace.database import (
    DECISIONS,
    SCHEMA_VERSION,
    audit,
    audit_trail,
    grouping_names,
    load_grouping,
    load_reviews,
    redo_grouping,
    save_grouping,
    save_reviews,
    undo_grouping,
)

__all__ = [
    "DECISIONS",
    "SCHEMA_VERSION",
    "audit",
    "audit_trail",
    "grouping_names",
    "load_grouping",
    "load_reviews",
    "redo_grouping",
    "save_grouping",
    "save_reviews",
    "undo_grouping",
]
