"""What the command line shows: lines for people, one JSON document, a progress bar."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime

from tqdm import tqdm

ON_SCREEN_S, IN_A_FILE_S = 0.2, 30.0  # seconds between two looks at a progress bar


def say(text: str) -> None:
    """A line for people on stdout; `one_document` sends it to stderr."""
    print(text)


def when(seconds: float) -> str:
    """A moment in local time, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def one_document(make: Callable[[], object]) -> None:
    """Run `make` with every line for people on stderr, then print what it returned on stdout, as JSON."""
    with contextlib.redirect_stdout(sys.stderr):
        document = make()
    print(json.dumps(document, ensure_ascii=False, default=plain))


def plain(value: object) -> object:
    """numpy values and mappings as JSON. Raises TypeError for anything else."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class Bar:
    """A progress bar on stderr for the `report` hook: a new line each stage. In a file, where nothing is
    drawn over, a look every IN_A_FILE_S seconds."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.bar: tqdm | None = None
        self.every = ON_SCREEN_S if sys.stderr.isatty() else IN_A_FILE_S
        self.drawn = 0.0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def __call__(self, stage: str, step: int, total: int, **metrics: object) -> None:
        if stage != self.stage or self.bar is None:
            self.close()
            self.stage = stage
            self.bar = tqdm(total=total, desc=f"{stage:12}", file=sys.stderr, leave=True)
            self.drawn = time.monotonic()
        self.bar.total = max(total, 1)
        self.bar.n = step
        numbers = {
            name: f"{value:.4g}"
            for name, value in metrics.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        self.bar.set_postfix(dict(list(numbers.items())[:3]), refresh=False)
        if time.monotonic() - self.drawn >= self.every:
            self.drawn = time.monotonic()
            self.bar.refresh()
