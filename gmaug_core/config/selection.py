"""Settings of the acceptance rule: a mode and its threshold, checked together."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gmaug_core.config.base import Config

Mode = Literal["logit", "probability", "real_share"]
Gate = Literal["copy", "outlier"]
USUAL_THRESHOLDS: dict[Mode, float] = {  # thresholds, by mode
    "logit": 10.0,  # paper A: 10 to 30 for ResNet18
    "probability": 0.9,
    "real_share": 0.9,
}


class Decisions(Config):
    """What people decided about the samples of a finished run, and whose run it was: it wins over the rule.

    A run with these takes over everything of that run up to selection. An image is known by its draw seed,
    which says the same image in every run that draws from the same generator.
    """

    run: str
    revision: int = Field(ge=1)  # of the decisions, in the workspace: the number of the newest one
    people: tuple[str, ...] = Field(min_length=1)  # who decided
    keep: tuple[int, ...] = ()  # draw seeds
    reject: tuple[int, ...] = ()  # draw seeds


class SelectionConfig(Config):
    """The acceptance rule of GM-augCls.

    mode: "logit" compares the raw logit of an image's class with the threshold, as paper A does;
    "probability" the softmax; "real_share" the softmax with what it takes, class by class, that this share of
    the real validation images that the judge classifies correctly would pass.
    """

    mode: Mode = "logit"
    # alpha: any logit, or a probability or share between 0 and 1; left out: the mode's usual one
    threshold: float = Field(USUAL_THRESHOLDS["logit"], ge=-1000, le=1000)

    # what an accepted image must pass besides: method.gates. None, as in the paper, until measured to help
    gates: tuple[Gate, ...] = ()
    # of the real validation images pass each gate
    gate_share: float = Field(0.95, gt=0.5, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, given: Any) -> Any:
        if isinstance(given, dict) and "threshold" not in given and given.get("mode") in USUAL_THRESHOLDS:
            return {**given, "threshold": USUAL_THRESHOLDS[given["mode"]]}
        return given

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.mode != "logit" and not 0 < self.threshold < 1:
            raise ValueError(f"mode '{self.mode}' needs a threshold between 0 and 1, not {self.threshold:g}")
        return self

    @property
    def words(self) -> str:
        """The rule in a few words, for tables."""
        beside = "".join(f", no {gate}" for gate in self.gates)
        if self.mode == "real_share":
            return f"as {self.threshold:.0%} of real images{beside}"
        return f"{self.mode} > {self.threshold:g}{beside}"
