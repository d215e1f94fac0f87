"""Settings of the acceptance rule: a mode and its threshold, checked together."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gmaug_core.config.base import Config

Mode = Literal["logit", "probability", "calibrated", "real_share", "none"]
Gate = Literal["copy", "outlier", "told_apart", "repeat"]
Judging = Literal["plain", "cross_fitted"]
NAMES: dict[Gate, str] = {"told_apart": "image told from real ones"}
USUAL_THRESHOLDS: dict[Mode, float] = {  # thresholds, by mode
    "logit": 10.0,  # paper A: 10 to 30 for ResNet18
    "probability": 0.9,
    "calibrated": 0.9,
    "real_share": 0.9,
    "none": 0.0,
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
    "probability" the softmax; "calibrated" the softmax of logits divided by a temperature that was fitted on
    the real validation images (Guo 2017, arXiv 1706.04599); "real_share" the softmax with what it takes,
    class by class, that this share of the real images that the judge was not trained on, and classifies
    correctly, would pass; "none" keeps every image, but for what gates and people turn away.

    judge: "plain", as in paper A, the classifier that was trained on all real training images;
    "cross_fitted", judge_folds of each seed, each trained without one part of them: a synthetic image gets
    the mean of their logits, a real training image those of the one that has not seen it.
    """

    mode: Mode = "logit"
    # plain, as in the paper, until measured to help
    judge: Judging = "plain"
    # classifiers of each seed and step that a cross-fitted judge costs
    judge_folds: int = Field(5, ge=2, le=20)
    # alpha: any logit, or a probability or share between 0 and 1, 0 without a filter; left out: the mode's
    # usual one
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
        if self.mode == "none" and self.threshold != 0:
            raise ValueError("mode 'none' keeps every image: leave the threshold out")
        if self.mode not in ("logit", "none") and not 0 < self.threshold < 1:
            raise ValueError(f"mode '{self.mode}' needs a threshold between 0 and 1, not {self.threshold:g}")
        return self

    @property
    def words(self) -> str:
        """The rule in a few words, for tables."""
        beside = "".join(f", no {NAMES.get(gate, gate)}" for gate in self.gates)
        if self.judge == "cross_fitted":
            beside += f", judge of {self.judge_folds} folds"
        if self.mode == "none":
            return f"no filter{beside}"
        if self.mode == "real_share":
            return f"as {self.threshold:.0%} of real images{beside}"
        return f"{self.mode} > {self.threshold:g}{beside}"
