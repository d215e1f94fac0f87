"""The cells of the evidence benchmark as they were measured: each cell's JSON, and the figures
that every table needs of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from benchmarks.cells import CELLS
from gmaug_core.files import read_json
from gmaug_core.method.recipes import RECIPES
from gmaug_core.scoring.advice import ENLARGED_SHARE
from gmaug_core.scoring.paper import paper_law
from gmaug_core.scoring.record import Z_95, Judged, Measured

RESULTS = Path(__file__).parent / "results" / "evidence"
NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Contrast:
    """A difference in percentage points with its 95 % interval. images: whether the interval is
    over seeds and test images; else over seeds alone."""

    points: float
    low: float
    high: float
    images: bool = True


@dataclass(frozen=True)
class Seen:
    """A cell's document, and what it comes to; measured: None where synthetic images were not tested."""

    document: dict[str, Any]
    measured: Measured | None

    @property
    def name(self) -> str:
        return str(self.document["cell"])

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["result"]
        return found

    @property
    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["verdict"]
        return found

    @property
    def judged(self) -> Judged | None:
        """What the filter did with real images; None where nobody had asked."""
        known = self.result.get("real_accepted")
        return Judged(self.name, known["share"], self.measured is not None) if known else None

    @property
    def arms(self) -> dict[str, Any]:
        """Every variant's figures by its key."""
        both = {key: self.result[key] for key in ("baseline", "augmented")}
        controls: dict[str, Any] = self.result["controls"]
        return both | controls

    def contrast(self, after: str, before: str) -> Contrast | None:
        """Of balanced accuracy between two arms, by their keys; None where one was not trained.

        From the cell's summary where it has been summarised again, else from the arms' values by seed.
        """
        known = self.document.get("balanced", {}).get(f"{after} over {before}")
        if known is not None:
            return Contrast(known["points"], known["low"], known["high"])
        if not {after, before} <= set(self.arms):
            return None
        a, b = (np.array(self.arms[key]["balanced_accuracy"]["values"]) for key in (after, before))
        found = 100 * (a - b)
        middle = float(found.mean())
        half = float(special.stdtrit(len(found) - 1, 0.975) * found.std(ddof=1) / len(found) ** 0.5)
        return Contrast(middle, middle - half, middle + half, images=False)

    @property
    def cpu_minutes(self) -> float:
        """Of all that was done for it."""
        parts = [part["cpu_minutes"] for part in self.document["costs"].values()]
        return float(sum(parts) + self.document.get("summary", {}).get("cpu_minutes", 0.0))


def cells(folder: Path = RESULTS) -> list[Seen]:
    """All that were measured, in the benchmark's order."""
    found = [read_json(path) for cell in CELLS if (path := folder / f"{cell.name}.json").exists()]
    return [Seen(document, measured(document)) for document in found]


def measured(document: dict[str, Any]) -> Measured | None:
    """The cell's row of the record; None where synthetic images were not tested."""
    result, verdict = document["result"], document["verdict"]
    endpoint, paper = result.get("endpoint"), result["relative_gain_percent"]
    if result["status"] == NOT_TESTED or endpoint is None:
        return None
    score = result["score"]
    found = score["ssim_supsubcls"]
    predicted, low, high = paper_law().predict(found["value"])
    points = _points(document, endpoint, verdict["measure"])
    stored = score.get("stored")
    counted = (result.get("paper_counting") or {}).get("gain")
    room = verdict["headroom"]["gain"]
    kept = Seen(document, None).contrast("augmented", "unfiltered")
    return Measured(
        name=document["cell"],
        source=document.get("source", ""),
        score=found["value"],
        score_se=(found["ci_high"] - found["ci_low"]) / (2 * Z_95),
        enlarged=bool(stored and stored["enlarged"] > ENLARGED_SHARE),
        predicted=predicted,
        predicted_low=low,
        predicted_high=high,
        gain=paper["value"],
        low=paper["ci_low"],
        high=paper["ci_high"],
        counted=counted and counted["value"],
        counted_low=counted and counted["ci_low"],
        counted_high=counted and counted["ci_high"],
        fair=endpoint["value"],
        fair_low=endpoint["ci_low"],
        fair_high=endpoint["ci_high"],
        points=points.points,
        points_low=points.low,
        points_high=points.high,
        at_most=verdict["headroom"]["at_most"],
        rivals_low=min((gain["points_low"] for gain in rivals(result).values()), default=None),
        filtered=None if kept is None else kept.points,
        filtered_low=None if kept is None else kept.low,
        filtered_high=None if kept is None else kept.high,
        headroom=room and room["value"],
        headroom_se=(room["high"] - room["low"]) / (2 * Z_95) if room else 0.0,
    )


def rivals(result: Mapping[str, Any]) -> dict[str, Any]:
    """The gains over the recipes that validation could not tell from the best, by key; of a cell that was
    measured before runs said which these are, over all, where its gains are the endpoint's."""
    if "rivals" in result:
        told: dict[str, Any] = result["rivals"]
        return told
    if result["endpoint"]["of"] != "augmented":
        return {}
    simple = {"baseline", *RECIPES} - {result["endpoint"]["control"]}
    return {key: gain for key, gain in result["gains"].items() if key in simple}


def _points(document: dict[str, Any], endpoint: dict[str, Any], measure: str) -> Contrast:
    """The endpoint in percentage points of the verdict's measure: the run's own interval for accuracy; for
    balanced accuracy the summary's, else the difference by seed with the width that the run found
    for accuracy where that is the larger."""
    own = Contrast(endpoint["points"], endpoint["points_low"], endpoint["points_high"])
    if measure == "accuracy":
        return own
    found = Seen(document, None).contrast(endpoint["of"], endpoint["control"])
    if found is None or found.images:
        return found or own
    half = max(found.high - found.points, (own.high - own.low) / 2)
    return Contrast(found.points, found.points - half, found.points + half, images=False)
