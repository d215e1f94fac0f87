"""The workspace's own secret, which signs what a page hands to its uploader."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from gmaug_core.files import sync_folder
from gmaug_core.home import home

SIZE = 32  # bytes


def secret() -> bytes:
    """Made at first use. One that is too short, or that others on this machine may have read, is made anew:
    what was signed with it holds no longer."""
    path = home() / "secret"
    found = _read(path)
    if found is None:
        mine = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and _read(path) is None:
            path.unlink(missing_ok=True)
        try:
            os.link(mine, path)  # whole or not at all, and the first one wins
        except FileExistsError:
            pass
        finally:
            mine.unlink()
        sync_folder(path.parent)
        found = path.read_bytes()
    return found


def _read(path: Path) -> bytes | None:
    """The secret, None where there is none that can be trusted."""
    try:
        found, about = path.read_bytes(), path.lstat()
    except FileNotFoundError:
        return None
    private = stat.S_ISREG(about.st_mode) and not about.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return found if private and len(found) >= SIZE else None


def sign(text: str) -> str:
    """HMAC-SHA256 of the text under the workspace's secret, 64 hex digits."""
    return hmac.new(secret(), text.encode(), hashlib.sha256).hexdigest()
