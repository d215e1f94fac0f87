"""What a visitor must be allowed to do before a route answers: one rule a route, and no route without one.

The gate asks here before every request. The actions are those of `workspace.roles`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gmaug_core.ui import ROOT

OPEN = "open"  # for everybody who reaches the port
READS = ("GET", "HEAD")
SOCKET = "WEBSOCKET"  # in the place of a method
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))


@dataclass(frozen=True)
class Rule:
    """Requests whose whole path matches, by one of the methods, need the action."""

    path: str
    action: str
    methods: tuple[str, ...] = READS


RULES = (
    Rule(r"/_stcore/health", OPEN),  # says "ok" and nothing else: what a start script polls
    Rule(r"/access/(login|callback)", OPEN),  # shared mode alone answers there
    Rule(r"/access/sign-out", "look", (*READS, "POST")),
    Rule(rf"/|/({'|'.join(PAGES)})/?", "look"),
    Rule(r"/index\.html|/favicon\.png|/manifest\.json|/static/.+", "look"),  # Streamlit's own files
    Rule(rf"(/({'|'.join(PAGES)}))?/_stcore/(health|host-config)", "look"),
    Rule(r"/_stcore/stream", "look", (SOCKET,)),
    Rule(r"/(_stcore/bidi-components|component|media)/.+", "look"),
    Rule(r"/_stcore/upload_file/[^/]+/[^/]+", "edit grouping", ("PUT", "DELETE")),  # grouping files
    Rule(r"/_stcore/metrics", "see server figures"),
    Rule(r"/images/.+|/fonts/.+|/runs/[^/]+/(items|map|pulse|report)", "look"),
    Rule(r"/runs/[^/]+/pack", "export run"),
    Rule(r"/uploads/[^/]+", "import dataset", (*READS, "POST", "PUT")),
)
_COMPILED = tuple((re.compile(rule.path), rule) for rule in RULES)


def action(path: str, method: str) -> str | None:
    """What the route asks for: an action, OPEN, or None for a route without a rule, which nobody may use."""
    for pattern, rule in _COMPILED:
        if method in rule.methods and pattern.fullmatch(path):
            return rule.action
    return None
