"""The only door: a zip or folder of images becomes a verified dataset, there whole or not at all."""

from __future__ import annotations

from gmaug_core.intake.door import import_path

__all__ = ["import_path"]
