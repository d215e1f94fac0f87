"""What people edit: groupings, reviews, and the trail of who did what."""

from __future__ import annotations

from gmaug_core.workspace import audit, database, grouping, groupings, people, reviews, roles
from gmaug_core.workspace.people import name as actor

__all__ = ["actor", "audit", "database", "grouping", "groupings", "people", "reviews", "roles"]
