"""What every answer of the dashboard carries, ours and Streamlit's: the content policy and its companions."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit

from gmaug_core.workspace.sharing import Sharing

Headers = tuple[tuple[bytes, bytes], ...]


def _inline_scripts() -> str:
    """CSP hashes of the inline scripts in Streamlit's own start page, whatever its version."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes()
    found = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in found
    )


def policy(sockets: str) -> str:
    """The content policy. sockets: where the pages may open their websocket.

    Streamlit needs inline styles, and compiles component code from blobs and chart expressions at run time.
    """
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' blob: {_inline_scripts()}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        f"connect-src 'self' {sockets}; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


@cache
def of(host: str | None, encrypted: bool) -> Headers:
    """host: the name that browsers use in shared mode, None where this machine alone does."""
    sockets = f"{'wss' if encrypted else 'ws'}://{host}" if host else "ws://127.0.0.1:* ws://localhost:*"
    always = (
        (b"content-security-policy", policy(sockets).encode()),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),  # no-referrer would make a form of ours one without an origin
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    )
    return (*always, (b"strict-transport-security", b"max-age=31536000")) if encrypted else always


def of_mode(sharing: Sharing | None) -> Headers:
    """For the mode that the dashboard is in."""
    return of(sharing.host, sharing.encrypted) if sharing else of(None, False)


def with_ours(given: list[tuple[bytes, bytes]], ours: Headers) -> list[tuple[bytes, bytes]]:
    """An answer's headers, ours in the place of others of the same name."""
    names = {name for name, _ in ours}
    return [*(pair for pair in given if pair[0].lower() not in names), *ours]
