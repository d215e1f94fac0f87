"""What the losses of a training say of it while it goes on: whether it still learns, or has diverged.

Measured on a small ResNet with learning rates of .1 to 100 (30 and 200 steps, two schedules): trainings that
learnt stayed below 3 times their first loss; those that ended at chance had been at 1,000 times or more, and
did not come back below their first loss. Of small diffusion networks (learning rates of .002 to 1) those that
learnt stayed below 1.2 times what an untrained one has, and ended at .9 of it or less; those that did not had
been at 2.8 to 72 times, and ended at .94 to 1.0.
"""

from __future__ import annotations

import math

RECENT = 25  # steps: the mean of about so many last losses is what it is at
EXPLODED = 100.0  # times the first loss: a training that was there must have come back at its end ...
BACK = 0.5  # ... to this share of the first loss
LOST = 1e6  # times the first loss: there is no way back


class Losses:
    """The losses of one training in the order of its steps; `state` goes into its checkpoint, so that a
    resumed training is judged alike."""

    def __init__(self, least: float = 0.0, *, exploded: float = EXPLODED, back: float = BACK) -> None:
        """least: what a first loss counts as at least, such as the loss of guessing; a training that was at
        `exploded` times that must have come back to `back` of it at its end."""
        self.least, self.exploded, self.back = least, exploded, back
        self.first = self.peak = self.recent = math.nan

    def add(self, loss: float) -> str:
        """Take in the next one; why it shows that the training has diverged, empty where it does not."""
        if not math.isfinite(loss):
            return "its loss is not a finite number"
        if math.isnan(self.first):
            self.first, self.peak, self.recent = max(loss, self.least), loss, loss
        self.peak = max(self.peak, loss)
        self.recent += (loss - self.recent) / RECENT
        return self._exploded() if loss > LOST * self.first > 0 else ""

    def ended(self) -> str:
        """The same at the end of the training: whether it exploded on its way and never came back."""
        exploded = self.peak > self.exploded * self.first > 0
        return self._exploded() if exploded and self.recent > self.back * self.first else ""

    def _exploded(self) -> str:
        return f"its loss began at {self.first:.3g}, rose to {self.peak:.3g} and is at {self.recent:.3g}"

    def state(self) -> dict[str, float | None]:
        """All that it remembers, as JSON; null before the first loss."""
        known = {"first": self.first, "peak": self.peak, "recent": self.recent}
        return {name: None if math.isnan(value) else value for name, value in known.items()}

    def load(self, state: dict[str, float | None] | None) -> None:
        """Go on from what `state` gave; None: of a checkpoint from before it was kept."""
        known = {name: math.nan if value is None else value for name, value in (state or {}).items()}
        self.first, self.peak, self.recent = (
            known.get(name, math.nan) for name in ("first", "peak", "recent")
        )
