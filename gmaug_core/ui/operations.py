"""What a component's browser side sends.

A log of operations that were not acknowledged yet, each with a number.

Component events are lossy (queued reruns merge, the newest value wins), so the browser keeps its operations,
sends all of them every time, and forgets those that were acknowledged. assets/operations.mjs is the other
half.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from gmaug_core.ui import ASSETS

Operation = Mapping[str, object]


@dataclass(kw_only=True)
class Acknowledged:
    """Which operations of one tab were dealt with.

    mount: names the session that `ack`, the last of them, counts in.
    """

    mount: str = field(default_factory=lambda: secrets.token_hex(4))
    ack: int = 0
    problem: str = ""  # what could not be done, in words
    # a quick second event starts a second script thread of the same tab while the first one still saves
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def fresh(self, sent: object) -> list[tuple[int, Operation]]:
        """The operations that are to be done, in order, with their numbers.

        What was dealt with, or is of an earlier session of the page, or is no operation at all, is left out.
        """
        found: list[tuple[int, Operation]] = []
        last = self.ack
        for op in sent if isinstance(sent, list) else []:
            if not isinstance(op, Mapping) or op.get("mount") != self.mount:
                continue
            number = op.get("n")
            if isinstance(number, int) and number > last:
                found.append((number, op))
                last = number
        return found


_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def script(*names: str) -> str:
    """Files of assets/ as one module, as a component takes it.

    Those that are imported first, the component's own last.
    """
    parts = [_IMPORT.sub("", (ASSETS / name).read_text("utf-8")) for name in names]
    return "\n".join(_EXPORT.sub("", part) for part in parts)
