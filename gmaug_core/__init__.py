"""GMAug: will deep generative augmentation pay on this imbalanced image dataset, and what was it worth?

The names below are for scripts and stay where they are. Each is imported when it is first asked for, so that
importing the package costs nothing: `import gmaug_core as gm; gm.ssim_pairs(...)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmaug_core.data.dataset import Dataset, load
    from gmaug_core.method.equivalence.result import EquivalenceResult
    from gmaug_core.method.verdict.result import Verdict
    from gmaug_core.models.selection import Selection, select
    from gmaug_core.scoring.law import Law, fit_law
    from gmaug_core.scoring.paper import paper_law
    from gmaug_core.scoring.ssim import ssim_pairs
    from gmaug_core.workspace.grouping import Grouping

__version__ = "0.1.0"
__all__ = [
    "Dataset",
    "EquivalenceResult",
    "Grouping",
    "Law",
    "Selection",
    "Verdict",
    "fit_law",
    "load",
    "paper_law",
    "select",
    "ssim_pairs",
]

_HOMES = {
    "Dataset": "data.dataset",
    "EquivalenceResult": "method.equivalence.result",
    "Grouping": "workspace.grouping",
    "Law": "scoring.law",
    "Selection": "models.selection",
    "Verdict": "method.verdict.result",
    "fit_law": "scoring.law",
    "load": "data.dataset",
    "paper_law": "scoring.paper",
    "select": "models.selection",
    "ssim_pairs": "scoring.ssim",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gmaug_core' has no attribute '{name}'")
    found = getattr(import_module(f"gmaug_core.{_HOMES[name]}"), name)
    globals()[name] = found  # the next look does not come here
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
