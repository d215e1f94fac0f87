"""What a measurement was made on."""

from __future__ import annotations

import os
import platform


def machine() -> dict[str, int | str | None]:
    """Cores, architecture and Python, for a result's JSON."""
    return {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
