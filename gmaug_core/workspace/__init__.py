"""What people edit: groupings, reviews, and the trail of who did what."""

from __future__ import annotations

from gmaug_core.workspace import audit, database, grouping, groupings, reviews
from gmaug_core.workspace.audit import actor

__all__ = ["actor", "audit", "database", "grouping", "groupings", "reviews"]
