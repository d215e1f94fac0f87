"""The only door: a zip or folder of images becomes a verified dataset, there whole or not at all.

The door is imported when it is first asked for: the child that verifies needs nothing of it, and starts in a
third of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmaug_core.intake.door import import_path

__all__ = ["import_path"]


def __getattr__(name: str) -> Any:
    if name != "import_path":
        raise AttributeError(f"module 'gmaug_core.intake' has no attribute '{name}'")
    from gmaug_core.intake.door import import_path

    return import_path
