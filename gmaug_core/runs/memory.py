"""How much memory a process has held, and how much there is."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
MEMINFO = Path("/proc/meminfo")
GB = 1e9


def peak_gb() -> float:
    """The most memory that this process has held, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GB


def limit_gb() -> float | None:
    """What processes here may hold together, in GB: of the machine, or of the container where that is less.
    None where nothing says so."""
    said = [path.read_text().strip() for path in LIMITS if path.exists()]
    found = [int(text) / GB for text in said if text.isdigit()]
    if MEMINFO.exists():
        rows = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        found.append(int(rows["MemTotal"].split()[0]) * 1024 / GB)
    return min(found, default=None)
