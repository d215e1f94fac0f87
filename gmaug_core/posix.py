"""Where GMAug runs: locks of files, limits of memory and groups of processes are asked of a POSIX system."""

from __future__ import annotations

import sys


def required() -> None:
    """End the program with one sentence where there is no POSIX system below it."""
    if sys.platform == "win32":
        sys.exit("GMAug runs on Linux and macOS; on Windows, install and start it inside WSL 2.")
