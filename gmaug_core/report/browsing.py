"""Looking through the synthetic images of a run: what a person asks to see, and what another threshold of the
filter would accept. Nothing is drawn or asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.config.selection import SelectionConfig
from gmaug_core.data import sample_map, samples
from gmaug_core.errors import InputError
from gmaug_core.models import selection

VERDICTS = ("all", "accepted", "rejected")
DECISIONS = ("any", "undecided", "keep", "reject", "overruled")
ORDERS = ("drawn", "score, low first", "score, high first", "most typical first", "least typical first")
NEAR = ("any", "nearly a training image", "nearly another sample")  # the last two need the map
OTHER_RULE = "by another threshold"  # why a sample is judged otherwise than by the run's own rule


@dataclass(frozen=True)
class Filter:
    """What a person wants to see. Empty text or None: no restriction.

    Raises InputError for a word that is none, or a range that holds nothing.
    """

    seed: int = 0  # whose verdicts: the judge is the classifier of this seed
    verdict: str = "all"
    name: str = ""  # class
    predicted: int | None = None  # what the judge took it for: the number of a class
    reason: str = ""
    step: int | None = None
    decision: str = "any"
    order: str = "drawn"
    low: float = 0.0  # the probability of an image's own class is in low..high
    high: float = 1.0
    near: str = "any"
    area: str = ""  # of the map: sample_map.corners
    threshold: float | None = None  # of the filter, in the run's own mode, in place of its own

    def __post_init__(self) -> None:
        if self.area:
            sample_map.corners(self.area)
        known_words = (VERDICTS, DECISIONS, ORDERS, NEAR)
        for word, known in zip(
            (self.verdict, self.decision, self.order, self.near), known_words, strict=True
        ):
            if word not in known:
                raise InputError(f"'{word[:20]}' is not a filter", expected="one of " + ", ".join(known))
        if not 0 <= self.low <= self.high <= 1:
            raise InputError(
                f"no probability lies between {self.low:g} and {self.high:g}",
                expected="0 <= low <= high <= 1",
            )

    def given(self) -> dict[str, str | int | float]:
        """What it asks for: the fields that are not as usual. Filter(**given) is equal."""
        usual = {field.name: field.default for field in fields(self)}
        return {key: value for key, value in asdict(self).items() if value != usual[key]}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Filter:
        """The filter that `given` was taken from. Raises InputError for what is none of this version."""
        try:
            return cls(**given)
        except TypeError as error:
            raise InputError(
                "this filter is of another version", expected="one that was saved here", todo="save it anew"
            ) from error


def chosen(rows: pd.DataFrame, want: Filter, decisions: Mapping[int, str]) -> pd.DataFrame:
    """The rows of samples.table that a filter asks for, in its order: one a sample, by the judge of
    want.seed. want.threshold is not looked at: `judged` comes before. What asks for the map needs the columns
    of sample_map.located; without them it finds nothing, or changes no order."""
    rows = rows[rows["seed"] == want.seed]
    if want.verdict != "all":
        rows = rows[rows["accepted"].astype(bool) == (want.verdict == "accepted")]
    for column, value in (("class", want.name), ("reason", want.reason)):
        if value:
            rows = rows[rows[column] == value]
    for column, number in (("step", want.step), ("predicted", want.predicted)):
        if number is not None:
            rows = rows[rows[column] == number]
    if (want.low, want.high) != (0.0, 1.0):
        rows = rows[rows["probability"].between(want.low, want.high)]
    if want.area or want.near != "any":
        rows = _on_the_map(rows, want)
    if want.decision != "any":
        decision = rows["sample"].map(dict(decisions))
        if want.decision == "undecided":
            rows = rows[decision.isna()]
        elif want.decision == "overruled":
            rows = rows[
                decision.notna() & (samples.decided(rows, decisions) != rows["accepted"].astype(bool))
            ]
        else:
            rows = rows[decision == want.decision]
    by = "typicality" if "typical" in want.order else "probability"
    if want.order != "drawn" and by in rows:
        small_first = want.order in ("score, low first", "most typical first")
        rows = rows.sort_values(by, ascending=small_first, kind="stable")
    return rows


def _on_the_map(rows: pd.DataFrame, want: Filter) -> pd.DataFrame:
    """Those in the area, and those nearly alike something, where that is asked for."""
    if "x" not in rows:
        return rows[:0]
    if want.area:
        area = sample_map.corners(want.area)
        rows = rows[sample_map.inside(rows["x"].to_numpy(float), rows["y"].to_numpy(float), area)]
    if want.near != "any":
        rows = rows[rows["near_real" if want.near == NEAR[1] else "near_twin"].to_numpy(bool)]
    return rows


def judged(rows: pd.DataFrame, folder: Path, rule: SelectionConfig, threshold: float | None) -> pd.DataFrame:
    """The rows of samples.table as the run's rule would have it with another threshold, in its own mode; the
    rows themselves where threshold is None. What people decided before the run began wins still.

    folder: the run's samples, which also hold what the judges say of real images. Raises InputError where the
    mode needs these and the run is older than they are, and where the run has no filter.
    """
    if threshold is None:
        return rows
    if rule.mode == "none":
        raise InputError(
            "this run keeps every image: there is no threshold to change",
            expected="a run with a filter",
            todo="leave the threshold out, or launch a run with a filter",
        )
    real = samples.real_table(folder)
    if rule.mode == "real_share" and real.empty:
        raise InputError(
            "this run kept no verdicts on real images",
            expected="a run of this version",
            todo="run it again to try other shares",
        )
    nearest = farthest = None
    if "copy" in rule.gates and "real_distance" in real:
        one = real[(real["seed"] == real["seed"].min()) & (real["step"] == real["step"].min())]
        measured = one["real_distance"].dropna().to_numpy(float)  # of validation images
        nearest = float(np.quantile(measured, 1 - rule.gate_share))
    if "outlier" in rule.gates:
        farthest = 1.0
    once = "repeat" in rule.gates
    try:
        accepted = selection.recount(
            rows,
            rule.mode,
            threshold,
            real=real,
            nearest=nearest,
            farthest=farthest,
            told_apart="told_apart" in rule.gates,
            once=once,
        )
    except ValueError as error:
        raise InputError(
            str(error), expected="a run of this version", todo="run it again to try other thresholds"
        ) from error
    before, reason = rows["accepted"].to_numpy(bool), rows["reason"].to_numpy(object)
    reason = np.where(accepted & ~before, OTHER_RULE, reason)
    reason = np.where(~accepted & before, OTHER_RULE if once else selection.LOW_SCORE, reason)
    return rows.assign(accepted=accepted, reason=reason)


def thresholds(rows: pd.DataFrame, rule: SelectionConfig) -> tuple[float, float, float]:
    """Least and largest threshold worth asking for, in the run's own mode, which is a filter, and a step
    between."""
    if rule.mode == "real_share":
        return 0.5, 0.995, 0.005
    if rule.mode in ("probability", "calibrated"):
        return 0.0, 0.999, 0.001
    logits = rows["logit"].to_numpy(float)
    low, high = (float(np.floor(logits.min())), float(np.ceil(logits.max()))) if len(rows) else (0.0, 1.0)
    return min(low, rule.threshold), max(high, rule.threshold, low + 1), 0.1


def per_class(
    rows: pd.DataFrame, own: pd.DataFrame, kept: NDArray[np.bool_], names: tuple[str, ...]
) -> pd.DataFrame:
    """A row a class that has samples: class, judged, accepted by the run, accepted now, kept.

    rows, own: one a sample, in one order, as `judged` gives them and as the run has them; kept: bool [rows],
    with what people decided.
    """
    label, classes = rows["label"].to_numpy(np.int64), len(names)

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(label[which], minlength=classes)

    table = pd.DataFrame(
        {
            "class": np.array(names, object),
            "judged": count(np.ones(len(label), bool)),
            "accepted by the run": count(own["accepted"].to_numpy(bool)),
            "accepted now": count(rows["accepted"].to_numpy(bool)),
            "kept": count(kept),
        }
    )
    return table[table["judged"] > 0].reset_index(drop=True)
