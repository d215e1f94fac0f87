"""`python -m gmaug_core.models.estimate` answers, to a process that has no torch, what training a
generator would cost.
"""

from __future__ import annotations

from typing import Any

from gmaug_core import children
from gmaug_core.models import generators


def measured(question: dict[str, Any]) -> dict[str, Any]:
    """See generators.cost.measure. question: settings (a generator's config), n_classes, device."""
    return generators.estimate(question["settings"], question["n_classes"], question["device"])


if __name__ == "__main__":
    children.answer(measured)
