"""What a person sees when a page breaks: our own words, and where the details were written down.

Streamlit's own box links to services outside, and nothing leaves this machine.
"""

from __future__ import annotations

import secrets
import time
import traceback
from pathlib import Path

from gmaug_core import disk
from gmaug_core.errors import GMAugError
from gmaug_core.home import home
from gmaug_core.ui import text

LOG = "errors.log"  # below the workspace's folder
LONGEST_LOG = 2_000_000  # bytes; then the older half goes


def told(error: Exception) -> bool:
    """Say that a page, a part of one or an action broke; its traceback goes to the log. st.App calls it where
    nobody else caught the error. Returns True: there is nothing more to show.
    """
    text.error_box(error if isinstance(error, GMAugError) else disk.explained(error) or _unexpected(error))
    return True


def _unexpected(error: Exception) -> GMAugError:
    number = secrets.token_hex(3)
    kept = _written(number, error)
    where = (
        f"what happened is in {LOG} in the workspace's folder, under number {number}: send these lines to "
        "whoever looks after this dashboard"
        if kept
        else "look at the terminal that the dashboard was started in"
    )
    return GMAugError(
        "this page met an error that nobody foresaw; what you stored is safe",
        todo=f"reload the page, or go to another one. If it comes again: {where}",
    )


def _written(number: str, error: Exception) -> bool:
    """Whether the log has it: a full disk must not hide the error itself."""
    path: Path = home() / LOG
    lines = "".join(traceback.format_exception(error))
    said = f"{time.strftime('%Y-%m-%d %H:%M:%S')} number {number}\n{lines}\n"
    try:
        if path.exists() and path.stat().st_size > LONGEST_LOG:
            path.write_bytes(path.read_bytes()[-LONGEST_LOG // 2 :])
        with path.open("a", encoding="utf-8") as file:
            file.write(said)
        path.chmod(0o600)
    except OSError:
        return False
    return True
