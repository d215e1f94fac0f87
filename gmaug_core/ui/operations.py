"""What a component's browser side sends.

A log of operations that were not acknowledged yet, each with a number.

Component events are lossy (queued reruns merge, the newest value wins), so the browser keeps its operations,
sends all of them every time, and forgets those that were acknowledged. A page that was reloaded meanwhile
sends what the page before it had no answer to. assets/operations.mjs is the other half.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gmaug_core.ui import ASSETS

Operation = Mapping[str, object]

REMEMBERED = 10_000  # operations, of all tabs together
_done: OrderedDict[str, None] = OrderedDict()  # ids, the oldest first; one process serves all tabs
_lock = threading.Lock()


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

        What was dealt with, or is numbered for an earlier session of the page, or is no operation at all, is
        left out. What an earlier page did, and had no answer to, is acknowledged here.
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
        while found and found[0][1].get("id") in _done:
            self.ack = found.pop(0)[0]
        return found

    def again(self, op: Operation) -> bool:
        """Whether the operation is of an earlier page of the tab, which had no answer to it."""
        made = op.get("id")
        return isinstance(made, str) and not made.startswith(f"{self.mount}-")

    def acknowledge(self, dealt_with: Iterable[tuple[int, Operation]]) -> None:
        """Operations are done, or cannot be: the browser forgets them."""
        with _lock:
            for number, op in dealt_with:
                self.ack = number
                if isinstance(made := op.get("id"), str):
                    _done[made] = None
            while len(_done) > REMEMBERED:
                _done.popitem(last=False)


_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def script(*names: str) -> str:
    """Files of assets/ as one module, as a component takes it.

    Those that are imported first, the component's own last.
    """
    parts = [_IMPORT.sub("", (ASSETS / name).read_text("utf-8")) for name in names]
    return "\n".join(_EXPORT.sub("", part) for part in parts)
