"""The bytes of images as they were given, each a file below the sha256 of its content.

On the standard library alone: a process that only looks at files starts in a moment.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def store_original(staging: Path, data: bytes) -> str:
    """Write the bytes under their sha256; returns it.

    The same content twice is one file, and never a part of one.
    """
    digest = hashlib.sha256(data).hexdigest()
    path = staging / "originals" / digest[:2] / digest
    if not path.exists():
        part = part_file(staging, os.getpid())
        part.write_bytes(data)
        part.replace(path)
    return digest


def part_file(staging: Path, process: int) -> Path:
    """Where a process writes an original before it has its name."""
    return staging / f"part-{process}"
