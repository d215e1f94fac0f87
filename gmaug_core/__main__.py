"""python -m gmaug_core VERB: see gmaug_core.cli."""

from __future__ import annotations

import sys

from gmaug_core.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
